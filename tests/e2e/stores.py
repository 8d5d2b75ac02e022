#!/usr/bin/env python3
"""Stores of releases against real services: what is pushed comes back byte for byte, an upload that is killed shows nothing
and is gone on with, and a flipped bit is never handed out.

usage: stores.py TAGSHIP MOTO_SERVER DOCKER_REGISTRY AZURITE_BLOB CARGO DIRECTORY
"""

import base64
import contextlib
import filecmp
import gzip
import hashlib
import hmac
import io
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import urllib.error
import urllib.request
from datetime import datetime, timezone
from email.utils import formatdate
from pathlib import Path

from rollout_bench import Bench, expect, free_port, wait_for

ROOT = Path(__file__).parent.parent.parent
CONFIG = """version: 1
models:
  churn:
    artifact: models
    reports: { metrics: reports/metrics.json }
    gate: { rules: [{ name: floor, expr: metrics.accuracy >= 0.5 }] }
    release: { store: STORE }
"""
# Larger than two parts of an upload.
SIZE = 40_000_000


def main():
    tagship, moto, registry, azurite, cargo, directory = sys.argv[1:]
    for service in (S3(moto), Registry(registry), RegistryInParts(registry), Azure(azurite)):
        home = Path(directory) / service.name
        home.mkdir()
        with Bench(str(home), tagship, "") as bench:
            bench.environment.update(service.credentials)
            service.start(bench)
            conforms(service, cargo, bench)
            if service.name != "azure":
                play(service, bench)


def conforms(service, cargo: str, bench: Bench):
    """The suite of every store, in a place of its own."""
    environment = {**os.environ, **service.credentials, "TAGSHIP_TEST_STORE": json.dumps(service.settings("suite"))}
    test = "stores::tests::a_real_service_behaves_like_every_store"
    words = [cargo, "test", "--locked", "--quiet", "--workspace", "--lib", "--", "--ignored", "--exact", test]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != 0 or "1 passed" not in done.stdout:
        raise SystemExit(f"FAILED: the suite on {service.name}:\n{done.stdout}{done.stderr}")
    print(f"ok: {service.name} behaves like every store")


def play(service, bench: Bench):
    weights = model(bench, service)
    for verb in ("validate", "gate"):
        bench.run(0, verb)
    service.kill_an_upload(bench)
    expect(f"{service.name}: a killed upload shows nothing", service.has(weights), False)
    expect(f"{service.name}: and no version", bench.versions(), [])
    bench.run(0, "release")
    expect(f"{service.name}: released", bench.versions(), ["v0.1.0"])
    service.check_after(bench)
    pull(bench, "first", 0)
    same(bench, "first", service)

    service.collect(bench)
    if service.name == "s3":
        service.compare_tables(bench)
    service.flip(weights)
    said = pull(bench, "damaged", 3)
    expect(f"{service.name}: damage is told", "the store is damaged" in said, True)
    expect(f"{service.name}: nothing of it is visible", (bench.home / "damaged").exists(), False)
    service.heal(bench, weights)
    pull(bench, "healed", 0)
    same(bench, "healed", service)


def model(bench: Bench, service) -> str:
    """Commits a model of one large tensor and a note; answers the digest of the tensor's file."""
    (bench.clone / "models").mkdir()
    (bench.clone / "reports").mkdir()
    header = json.dumps({"w": {"dtype": "U8", "shape": [SIZE], "data_offsets": [0, SIZE]}}).encode()
    header += b" " * (-len(header) % 8)
    weights = len(header).to_bytes(8, "little") + header + random.Random(7).randbytes(SIZE)
    (bench.clone / "models" / "model.safetensors").write_bytes(weights)
    (bench.clone / "models" / "config.json").write_text('{"architectures": []}\n')
    (bench.clone / "reports" / "metrics.json").write_text('{"accuracy": 0.9}\n')
    (bench.clone / "tagship.yml").write_text(CONFIG.replace("STORE", json.dumps(service.settings("churn"))))
    bench.git("add", "--all")
    bench.git("commit", "--quiet", "--message", "Bring a model")
    bench.git("push", "--quiet", "origin", "HEAD:main")
    return hashlib.sha256(weights).hexdigest()


def pull(bench: Bench, name: str, code: int) -> str:
    return bench.run(code, "pull", "churn@v0.1.0", "--to", str(bench.home / name))


def same(bench: Bench, name: str, service):
    names = sorted(path.name for path in (bench.clone / "models").iterdir())
    expect(f"{service.name}: files", sorted(path.name for path in (bench.home / name).iterdir()), names)
    differ = filecmp.cmpfiles(bench.clone / "models", bench.home / name, names, shallow=False)
    expect(f"{service.name}: identical", differ, (names, [], []))


class S3:
    """moto's server: an implementation of S3 in Python."""

    name = "s3"
    credentials = {"AWS_ACCESS_KEY_ID": "a-key-of-this-test", "AWS_SECRET_ACCESS_KEY": "a-secret-of-this-test"}

    def __init__(self, program: str):
        self.program, self.port = program, free_port()

    def settings(self, prefix: str):
        endpoint = f"http://127.0.0.1:{self.port}"
        return {"s3": {"bucket": "models", "prefix": prefix, "region": "us-east-1", "endpoint": endpoint}}

    def start(self, bench: Bench):
        bench.start(self.program, "-H", "127.0.0.1", "-p", str(self.port))
        wait_for("the S3 server", lambda: self.ask("PUT", "/models", b"") is not None)

    def ask(self, method: str, path: str, body=None):
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, method=method)
        asked.add_header("authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, "
                         "SignedHeaders=host, Signature=0")
        asked.add_header("content-type", "application/octet-stream")
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.read()

    def keys(self, prefix: str):
        listed = self.ask("GET", f"/models?list-type=2&prefix={prefix}").decode()
        return re.findall(r"<Key>([^<]*)</Key>", listed)

    def uploads(self):
        return re.findall(r"<UploadId>([^<]*)</UploadId>", self.ask("GET", "/models?uploads").decode())

    def has(self, digest: str) -> bool:
        return f"churn/blobs/sha256/{digest}" in self.keys("churn/blobs/")

    def kill_an_upload(self, bench: Bench):
        process = bench.start(bench.tagship, "release", cwd=bench.clone, env=bench.environment)
        wait_for("an upload", lambda: self.keys("churn/uploads/"))
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.begun = self.uploads()
        expect("s3: an upload was begun", len(self.begun), 1)

    def check_after(self, bench: Bench):
        expect("s3: the killed upload was the one that ended", self.uploads(), [])
        expect("s3: no record is left", self.keys("churn/uploads/"), [])

    def collect(self, bench: Bench):
        """What no release refers to goes, once it is old enough, and nothing else."""
        stray = hashlib.sha256(b"stray").hexdigest()
        self.ask("PUT", f"/models/churn/blobs/sha256/{stray}", b"stray")
        before = self.keys("churn/blobs/")
        bench.run(0, "registry", "gc")
        expect("s3: what is young stays", self.keys("churn/blobs/"), before)
        said = bench.run(0, "registry", "gc", "--grace", "0s", "--dry-run", "--format", "json")
        listed = [file["digest"] for file in json.loads(said)["files"]]
        expect("s3: what would go", listed, [f"sha256:{stray}"])
        expect("s3: and did not", self.keys("churn/blobs/"), before)
        bench.run(0, "registry", "gc", "--grace", "0s")
        gone = [key for key in before if key not in self.keys("churn/blobs/")]
        expect("s3: only that went", gone, [f"churn/blobs/sha256/{stray}"])
        self.begin_an_upload(stray)
        bench.run(0, "registry", "gc")
        expect("s3: a young upload stays", len(self.uploads()), 1)
        said = bench.run(0, "registry", "gc", "--grace", "0s", "--format", "json")
        ended = [upload["digest"] for upload in json.loads(said)["unfinished"]]
        expect("s3: an upload that nobody ended goes", ended, [f"sha256:{stray}"])
        expect("s3: the service has dropped it", (self.uploads(), self.keys("churn/uploads/")), ([], []))

    def begin_an_upload(self, digest: str):
        """As a run leaves it that is killed, and never started again."""
        begun = self.ask("POST", f"/models/churn/blobs/sha256/{digest}?uploads", b"").decode()
        upload = re.search(r"<UploadId>([^<]*)</UploadId>", begun).group(1)
        record = {"upload": upload, "size": SIZE, "part": SIZE, "parts": [None]}
        self.ask("PUT", f"/models/churn/uploads/sha256/{digest}", json.dumps(record).encode())

    def compare_tables(self, bench: Bench):
        """Drift between tables that are read where they lie."""
        rows = "".join(f"{row % 50}\n" for row in range(500))
        moved = "".join(f"{row % 50 + 30}\n" for row in range(500))
        self.ask("PUT", "/models/tables/reference.csv", f"age\n{rows}".encode())
        for day, text in ((1, rows), (2, moved)):
            self.ask("PUT", f"/models/tables/now/dt={day}/part.csv", f"age\n{text}".encode())
        self.ask("PUT", "/models/tables/now/_SUCCESS", b"")
        bench.environment["AWS_ENDPOINT_URL_S3"] = f"http://127.0.0.1:{self.port}"
        bench.environment["AWS_REGION"] = "us-east-1"

        def drifted(current: str):
            said = bench.run(0, "monitor", "drift", "--reference", "s3://models/tables/reference.csv",
                             "--current", f"s3://models/tables/{current}", "--columns", "age", "--format", "json")
            column = json.loads(said)["columns"][0]
            return column["n"], column["drifted"]

        expect("s3: a table of a bucket is compared", drifted("now/dt=1/part.csv"), ([500, 500], False))
        expect("s3: and a folder of them", drifted("now"), ([500, 1000], True))
        bench.run(2, "monitor", "drift", "--reference", "s3://models/tables/nothing.csv",
                  "--current", "s3://models/tables/now")

    def flip(self, digest: str):
        path = f"/models/churn/blobs/sha256/{digest}"
        stored = bytearray(self.ask("GET", path))
        stored[SIZE // 2] ^= 1
        self.ask("PUT", path, bytes(stored))

    def heal(self, bench: Bench, digest: str):
        """The next release of the same bytes writes what is damaged again."""
        bench.run(0, "release")


class Registry:
    """The registry of the distribution project, as Debian packages it."""

    name = "oci"
    credentials: dict = {}

    def __init__(self, program: str):
        self.program, self.behind = program, free_port()
        self.line = Line(self.behind)
        self.port = self.line.port

    def settings(self, name: str):
        where = {"repository": f"127.0.0.1:{self.port}/{name}"}
        return {"oci": where if name == "suite" else {**where, "modelcar": True, "modelcar-base": self.base}}

    def start(self, bench: Bench):
        self.root, self.config = bench.home / "registry", bench.home / "registry.yml"
        self.config.write_text(json.dumps({
            "version": 0.1, "log": {"level": "warn"}, "http": {"addr": f"127.0.0.1:{self.behind}"},
            "storage": {"filesystem": {"rootdirectory": str(self.root)}, "delete": {"enabled": True}},
        }))
        bench.start(self.program, "serve", str(self.config))
        wait_for("the registry", lambda: self.ask("/v2/") is not None)
        self.base = self.push_base()

    def push_base(self) -> str:
        """An image as builders write them, for one kind of processor, in a repository of its own."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as members:
            members.addfile(shell := tarfile.TarInfo("bin/sh"))
        unpacked = archive.getvalue()
        layer = gzip.compress(unpacked, mtime=0)
        config = json.dumps({
            "os": "linux", "architecture": "arm64", "config": {"Cmd": [f"/{shell.name}"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(unpacked).hexdigest()}"]},
        }).encode()
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": kind,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json",
                       "digest": self.push(config, "base"), "size": len(config)},
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                        "digest": self.push(layer, "base"), "size": len(layer)}],
        }).encode()
        self.send("PUT", "/v2/base/manifests/latest", manifest, kind)
        return f"127.0.0.1:{self.port}/base@sha256:{hashlib.sha256(manifest).hexdigest()}"

    def ask(self, path: str) -> bytes:
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        asked.add_header("accept", "application/vnd.oci.image.manifest.v1+json")
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.read()

    def has(self, digest: str) -> bool:
        try:
            self.ask(f"/v2/churn/blobs/sha256:{digest}")
        except urllib.error.HTTPError as refused:
            return refused.code != 404
        return True

    def kill_an_upload(self, bench: Bench):
        process = bench.start(bench.tagship, "release", cwd=bench.clone, env=bench.environment)
        large = lambda: any(path.stat().st_size > 1000 for path in self.root.glob("**/churn/_uploads/*/data"))
        wait_for("an upload", large)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.line.break_after(SIZE // 3)

    def check_after(self, bench: Bench):
        # This registry forgets an upload of which more arrived than its last answer told; then all is sent again.
        expect(f"{self.name}: the line broke meanwhile", self.line.room, None)
        manifest = json.loads(self.ask("/v2/churn/manifests/churn-v0.1.0"))
        expect(f"{self.name}: a model", manifest["artifactType"], "application/vnd.cncf.model.manifest.v1+json")
        kinds = [(layer["mediaType"], layer["annotations"]["org.cncf.model.filepath"],
                  layer["annotations"]["org.opencontainers.image.title"]) for layer in manifest["layers"]]
        expect(f"{self.name}: its files", kinds, [
            ("application/vnd.cncf.model.weight.config.v1.raw", "config.json", "config.json"),
            ("application/vnd.cncf.model.weight.v1.raw", "model.safetensors", "model.safetensors"),
        ])
        config = json.loads(self.ask(f"/v2/churn/blobs/{manifest['config']['digest']}"))
        diffs = [layer["digest"] for layer in manifest["layers"]]
        expect(f"{self.name}: its configuration", config["modelfs"], {"type": "layers", "diffIds": diffs})
        self.collect_garbage(bench)

    def collect_garbage(self, bench: Bench):
        collect = subprocess.run([self.program, "garbage-collect", str(self.config)], capture_output=True, text=True)
        expect(f"{self.name}: garbage was collected", collect.returncode, 0)
        self.check_shown(bench, "after garbage was collected")

    def check_shown(self, bench: Bench, when: str):
        """skopeo copies the image that `explain` tells, and below `models/` are the files, byte for byte."""
        said = json.loads(bench.run(0, "registry", "explain", "churn@v0.1.0", "--format", "json"))
        places = {place["layout"]: place["reference"] for place in said["places"]}
        expect(f"{self.name}: layouts", sorted(places), ["modelcar", "modelpack"])
        copied = bench.home / f"modelcar {when}"
        copy = ["skopeo", "copy", "--quiet", "--src-tls-verify=false", "--override-os", "linux", "--override-arch", "arm64",
                places["modelcar"].replace("oci://", "docker://"), f"dir:{copied}"]
        done = subprocess.run(copy, capture_output=True, text=True)
        expect(f"{self.name}: skopeo copies the modelcar {when}", (done.returncode, done.stderr), (0, ""))
        manifest = json.loads((copied / "manifest.json").read_text())
        files = {}
        config = json.loads((copied / manifest["config"]["digest"].removeprefix("sha256:")).read_text())
        expect(f"{self.name}: its settings are those of the base", config["config"]["Cmd"], ["/bin/sh"])
        for layer, unpacked in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
            stored = (copied / layer["digest"].removeprefix("sha256:")).read_bytes()
            plain = gzip.decompress(stored) if layer["mediaType"].endswith("gzip") else stored
            expect(f"{self.name}: what a layer unpacks to", f"sha256:{hashlib.sha256(plain).hexdigest()}", unpacked)
            with tarfile.open(fileobj=io.BytesIO(plain)) as members:
                found = [member for member in members if member.isfile()]
                expect(f"{self.name}: members have one time and owner", {(member.mtime, member.uid) for member in found}, {(0, 0)})
                files |= {member.name: members.extractfile(member).read() for member in found}
        wanted = {f"models/{path.name}": path.read_bytes() for path in (bench.clone / "models").iterdir()}
        expect(f"{self.name}: the modelcar's files are those of the model", files == {"bin/sh": b"", **wanted}, True)
        left = [tag for tag in self.tags() if tag.startswith("modelcar-layer-")]
        expect(f"{self.name}: nothing is left of making it", left, [])

    def collect(self, bench: Bench):
        """What no release refers to goes, once it is old enough, and nothing else."""
        before = self.blobs()
        stray = self.stray()
        bench.run(0, "registry", "gc")
        expect(f"{self.name}: what is young stays", self.blobs(), sorted([*before, stray]))
        said = bench.run(0, "registry", "gc", "--grace", "0s", "--dry-run", "--format", "json")
        expect(f"{self.name}: what would go", [file["digest"] for file in json.loads(said)["files"]], [f"sha256:{stray}"])
        bench.run(0, "registry", "gc", "--grace", "0s")
        expect(f"{self.name}: only that went", self.blobs(), before)
        expect(f"{self.name}: and its bytes are no part of the repository", self.has(stray), False)
        self.check_shown(bench, "after what nothing refers to went")

    def blobs(self):
        return sorted(tag.removeprefix("blob-") for tag in self.tags() if tag.startswith("blob-"))

    def tags(self):
        return json.loads(self.ask("/v2/churn/tags/list"))["tags"]

    def stray(self) -> str:
        """A blob and what holds it, as a release leaves them that was never completed."""
        blob = b"stray"
        layer = {"mediaType": "application/octet-stream", "digest": self.push(blob), "size": len(blob)}
        empty = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": self.push(b"{}"), "size": 2}
        kind = "application/vnd.oci.image.manifest.v1+json"
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": kind, "artifactType": "application/vnd.tagship.blob.v1",
            "config": empty, "layers": [layer],
            "annotations": {"org.opencontainers.image.created": datetime.now(timezone.utc).isoformat()},
        }).encode()
        digest = hashlib.sha256(blob).hexdigest()
        self.send("PUT", f"/v2/churn/manifests/blob-{digest}", manifest, kind)
        return digest

    def push(self, blob: bytes, name: str = "churn") -> str:
        digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        location = self.send("POST", f"/v2/{name}/blobs/uploads/", b"", "application/octet-stream").headers["location"]
        path = location.removeprefix(f"http://127.0.0.1:{self.port}")
        self.send("PUT", f"{path}&digest={digest}", blob, "application/octet-stream")
        return digest

    def send(self, method: str, path: str, body: bytes, kind: str):
        address = f"http://127.0.0.1:{self.port}{path}"
        asked = urllib.request.Request(address, data=body, method=method, headers={"content-type": kind})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer

    def data(self, digest: str) -> Path:
        return self.root / "docker/registry/v2/blobs/sha256" / digest[:2] / digest / "data"

    def flip(self, digest: str):
        with open(self.data(digest), "r+b") as stored:
            stored.seek(SIZE // 2)
            byte = stored.read(1)[0]
            stored.seek(SIZE // 2)
            stored.write(bytes([byte ^ 1]))

    def heal(self, bench: Bench, digest: str):
        """A registry does not take bytes again that it believes to have: its owner has to. Nobody says that it is well."""
        said = bench.run(3, "release")
        expect(f"{self.name}: who has to heal it", "the registry's own storage" in said, True)
        self.flip(digest)
        bench.run(0, "release")


class RegistryInParts(Registry):
    """The same, with files in parts: a killed upload of one file is gone on with."""

    name = "oci-parts"
    part = 8 << 20

    def settings(self, name: str):
        where = {"repository": f"127.0.0.1:{self.port}/{name}"}
        return {"oci": {**where, "max-layer-size": "1MiB" if name == "suite" else "8MiB"}}

    def kill_an_upload(self, bench: Bench):
        self.line.stall_after(3 * self.part)
        process = bench.start(bench.tagship, "release", cwd=bench.clone, env=bench.environment)
        wait_for("two parts", lambda: len(self.parts()) >= 2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.before = self.parts()
        self.line.go_on()
        self.line.break_after(self.part // 2)

    def parts(self) -> dict:
        """Where the registry has whole parts, and when each was written."""
        data = self.root.glob("docker/registry/v2/blobs/sha256/*/*/data")
        found = {path: path.stat() for path in data}
        return {path: (facts.st_ino, facts.st_mtime_ns) for path, facts in found.items() if facts.st_size == self.part}

    def check_after(self, bench: Bench):
        expect("oci-parts: the line broke meanwhile", self.line.room, None)
        now = self.parts()
        expect("oci-parts: parts that were there", 2 <= len(self.before) < len(now), True)
        expect("oci-parts: were not written again", {path: now.get(path) for path in self.before}, self.before)
        self.collect_garbage(bench)

    def check_shown(self, bench: Bench, when: str):
        """The layers of the model, one after the other, are its files."""
        said = json.loads(bench.run(0, "registry", "explain", "churn@v0.1.0", "--format", "json"))
        places = {place["layout"]: place["tag"] for place in said["places"]}
        expect(f"oci-parts: places {when}", places, {"modelpack": "as-released"})
        layers = json.loads(self.ask("/v2/churn/manifests/churn-v0.1.0"))["layers"]
        names = [layer["annotations"]["org.cncf.model.filepath"] for layer in layers]
        count = -(-(bench.clone / "models/model.safetensors").stat().st_size // self.part)
        numbered = [f"model.safetensors.{number + 1:05}-of-{count:05}" for number in range(count)]
        expect(f"oci-parts: layers {when}", names, ["config.json", *numbered])
        made = b"".join(self.ask(f"/v2/churn/blobs/{layer['digest']}") for layer in layers[1:])
        expect("oci-parts: make the file", made == (bench.clone / "models/model.safetensors").read_bytes(), True)

    def has(self, digest: str) -> bool:
        try:
            self.ask(f"/v2/churn/manifests/blob-{digest}")
        except urllib.error.HTTPError as refused:
            return refused.code != 404
        return True

    def flip(self, digest: str):
        part = self.ask_part(digest, SIZE // 2 // self.part)
        with open(self.data(part), "r+b") as stored:
            byte = stored.read(1)[0]
            stored.seek(0)
            stored.write(bytes([byte ^ 1]))

    def ask_part(self, digest: str, index: int) -> str:
        layers = json.loads(self.ask(f"/v2/churn/manifests/blob-{digest}"))["layers"]
        return layers[index]["digest"].removeprefix("sha256:")


class Line:
    """A line to a service on this machine, which breaks once in the middle of an upload, or stands still."""

    def __init__(self, behind: int):
        self.behind, self.room = behind, None
        self.left, self.going = None, threading.Event()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def break_after(self, sent: int):
        """Breaks the first of the connections from now on, on which so many bytes are sent."""
        self.room = sent

    def stall_after(self, sent: int):
        """Holds back what comes after so many bytes more, on whatever connections."""
        self.left = sent

    def go_on(self):
        self.left = None
        self.going.set()

    def accept(self):
        while True:
            client, _ = self.listening.accept()
            threading.Thread(target=self.connect, args=(client,), daemon=True).start()

    def connect(self, client: socket.socket):
        try:
            service = socket.create_connection(("127.0.0.1", self.behind))
        except OSError:
            client.close()
            return
        threading.Thread(target=self.pump, args=(service, client, lambda _: False), daemon=True).start()
        sent, is_young = 0, self.room is not None

        def breaks(block: bytes) -> bool:
            nonlocal sent
            sent += len(block)
            self.hold(len(block))
            if not is_young or self.room is None or sent < self.room:
                return False
            self.room = None
            return True

        self.pump(client, service, breaks)

    def hold(self, length: int):
        if self.left is not None:
            self.left -= length
            if self.left < 0:
                self.going.wait()

    def pump(self, source: socket.socket, to: socket.socket, breaks):
        with contextlib.suppress(OSError):
            while block := source.recv(1 << 16):
                to.sendall(block)
                if breaks(block):
                    source.shutdown(socket.SHUT_RDWR)
                    break
        with contextlib.suppress(OSError):
            to.shutdown(socket.SHUT_WR)


class Azure:
    """Azurite: Microsoft's emulator of its storage. It keeps the suite; the way through releases is that of S3."""

    name = "azure"
    # The account and the key that every emulator has, as Microsoft documents them.
    account = "devstoreaccount1"
    key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    credentials = {"AZURE_STORAGE_KEY": key}

    def __init__(self, program: str):
        self.program, self.port = program, free_port()
        self.address = f"http://127.0.0.1:{self.port}/{self.account}"

    def settings(self, prefix: str):
        place = {"account": self.account, "container": "models", "prefix": prefix, "endpoint": self.address}
        return {"azure": place}

    def start(self, bench: Bench):
        bench.start(self.program, "--silent", "--skipApiVersionCheck", "--blobPort", str(self.port),
                    "--location", str(bench.home / "azurite"))
        wait_for("the emulator", self.make_container)

    def make_container(self) -> bool:
        headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
        named = "".join(f"{name}:{value}\n" for name, value in headers.items())
        place = f"/{self.account}/{self.account}/models\nrestype:container"
        signed = hmac.new(base64.b64decode(self.key), f"PUT{chr(10) * 12}{named}{place}".encode(), hashlib.sha256)
        signature = base64.b64encode(signed.digest()).decode()
        headers |= {"authorization": f"SharedKey {self.account}:{signature}", "content-length": "0"}
        asked = urllib.request.Request(f"{self.address}/models?restype=container", method="PUT", headers=headers)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return answer.status == 201


if __name__ == "__main__":
    main()
