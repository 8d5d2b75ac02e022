#!/usr/bin/env python3
"""A real MLflow server: a version that is registered there is deployed, its alias follows promotion and the way back, and
its webhooks reach the repository through the relay.

usage: mlflow_registry.py TAGSHIP MLFLOW PYTHON RELAY DIRECTORY
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import rollout_bench
from rollout_bench import FIXTURES, Bench, expect, fail_with_logs, free_port, request, wait_for

rollout_bench.PATIENCE = 180.0  # the server takes long to start on a busy machine

SECRET = "a-webhook-secret-of-this-test"
CONFIG = """version: 1
models:
  churn:
    artifact: mlflow:churn#model.onnx
    validate: { golden: { cases: models/golden.json } }
    reports: { junit: ["reports/*.xml"], metrics: reports/metrics.json }
    gate: { rules: [{ name: floor, expr: metrics.accuracy >= 0.5 }] }
    environments:
      production:
        target: { local: { url: "http://INFERENCE", admin-url: "http://ADMIN", token-env: TOKEN } }
"""

# Logs a model to a run and registers it, with MLflow's own client.
REGISTER = """
import sys, mlflow
from mlflow import MlflowClient
client, folder = MlflowClient(), sys.argv[1]
name = "churn"
try:
    client.create_registered_model(name)
except mlflow.exceptions.MlflowException:
    pass
experiment = client.get_experiment_by_name("churn")
run = client.create_run(experiment.experiment_id if experiment else client.create_experiment("churn")).info
client.log_artifacts(run.run_id, folder, "model")
source = f"{run.artifact_uri}/model" if sys.argv[2] == "artifacts" else f"runs:/{run.run_id}/model"
print("VERSION", client.create_model_version(name, source=source, run_id=run.run_id).version)
"""
DESCRIPTION = """flavors:
  onnx: {data: model.onnx, onnx_version: 1.20.0}
signature:
  inputs: '[{"name": "features", "type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 10]}}]'
  outputs: '[{"name": "label", "type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
  params: null
utc_time_created: '2026-11-24 12:00:00.000000'
"""


def main():
    tagship, mlflow, python, relay, directory = sys.argv[1:]
    with Bench(directory, tagship, "") as bench:
        try:
            play(bench, Path(directory), mlflow, python, relay)
        except BaseException as error:
            fail_with_logs(bench, error)


class Registry:
    """The server, and what is asked of it."""

    def __init__(self, bench: Bench, mlflow: str, python: str):
        self.bench, self.mlflow, self.python, self.port = bench, mlflow, python, free_port()
        self.home = bench.home / "mlflow"
        self.home.mkdir()
        self.url = f"http://127.0.0.1:{self.port}"
        key = base64.urlsafe_b64encode(os.urandom(32)).decode()
        self.environment = {**bench.environment, "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": key,
                            "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https", "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
                            # Which hooks there are is remembered for a minute otherwise.
                            "MLFLOW_WEBHOOK_CACHE_TTL": "1",
                            "MLFLOW_TRACKING_URI": self.url, "PATH": f"{Path(mlflow).parent}:{os.environ['PATH']}"}
        self.start()

    def start(self):
        self.server = self.bench.start(
            self.mlflow, "server", "--backend-store-uri", f"sqlite:///{self.home}/m.db", "--artifacts-destination",
            str(self.home / "artifacts"), "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1",
            env=self.environment, cwd=self.home, start_new_session=True)
        def ready():
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return answer.status == 200
        wait_for("the MLflow server", ready)

    def stop(self):
        """Ends it with its workers."""
        os.killpg(self.server.pid, 15)
        try:
            self.server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.server.pid, 9)
            self.server.wait(20)
        def gone():
            try:
                os.killpg(self.server.pid, 0)
            except ProcessLookupError:
                return True
            return False
        wait_for("the end of the MLflow server", gone)

    def register(self, variant: str, source: str = "artifacts") -> str:
        folder = self.home / "model"
        folder.mkdir(exist_ok=True)
        shutil.copyfile(FIXTURES / variant / "model.onnx", folder / "model.onnx")
        (folder / "MLmodel").write_text(DESCRIPTION)
        done = subprocess.run([self.python, "-c", REGISTER, str(folder), source], env=self.environment, timeout=240,
                              check=True, capture_output=True, text=True)
        return done.stdout.split("VERSION ")[1].split()[0]

    def ask(self, path: str, body=None):
        return request(f"{self.url}/api/2.0/mlflow/{path}", body)

    def alias(self, name: str) -> "str | None":
        model = self.ask("registered-models/get?name=churn")["registered_model"]
        named = {alias["alias"]: alias["version"] for alias in model.get("aliases", [])}
        return named.get(name)


def play(bench: Bench, home: Path, mlflow: str, python: str, relay: str):
    bench.environment.update(TOKEN="a-token-of-this-test")
    registry = Registry(bench, mlflow, python)
    bench.environment.update(MLFLOW_TRACKING_URI=registry.url)
    try:
        deployed(bench, home, registry)
        webhooks(bench, home, registry, relay)
    finally:
        registry.stop()


def deployed(bench: Bench, home: Path, registry: Registry):
    addresses = bench.serve()
    config = CONFIG.replace("INFERENCE", addresses["inference"]).replace("ADMIN", addresses["admin"])
    (bench.clone / "tagship.yml").write_text(config)
    shutil.copytree(FIXTURES / "v1" / "reports", bench.clone / "reports")
    shutil.copyfile(FIXTURES / "v1" / "metrics.json", bench.clone / "reports" / "metrics.json")
    (bench.clone / "models").mkdir()
    shutil.copyfile(FIXTURES / "v1" / "golden.json", bench.clone / "models" / "golden.json")
    bench.git("add", "--all")
    bench.git("commit", "--quiet", "--message", "Configure")
    bench.git("push", "--quiet", "origin", "HEAD:main")
    head = bench.git("rev-parse", "HEAD").strip()
    (home / "schedule.json").write_text(json.dumps({"repository": {"default_branch": "main"}}))
    event = ["--event-name", "schedule", "--event-path", str(home / "schedule.json")]

    def decided(code: int, *words: str) -> dict:
        """What `tagship decide` says."""
        done = subprocess.run([bench.tagship, "decide", *(words or event), "--format", "json"], cwd=bench.clone,
                              env=bench.environment, capture_output=True, text=True, timeout=300)
        expect("exit of decide", (done.returncode, done.stderr if done.returncode != code else ""), (code, ""))
        decision = json.loads(done.stdout)
        print(f"    {decision['reason_code']}: {decision['sentence']}")
        return decision

    def summed(decision: dict):
        return decision["action"], decision["reason_code"]

    def cursor() -> dict:
        return json.loads(bench.git("show", "refs/tagship/sources/churn:seen.json"))

    def serving() -> list:
        return [tag for tag in bench.git("tag", "--list", "churn#production*").split()]

    said = decided(3)
    expect("a model that is not there is told", (summed(said), "not found" in said["sentence"]),
           (("skip", "source-unreadable"), True))
    first = registry.register("v1")
    decision = decided(0)
    expect("a registered version is to be deployed", summed(decision), ("deploy", "model-version-created"))
    expect("deciding writes nothing", bench.git("for-each-ref", "refs/tagship/"), "")
    print(bench.run(0, "run", *event))
    expect("the alias after the promotion", registry.alias("champion"), first)
    expect("what was seen", cursor()["seen"], {"production": first})
    (one,) = bench.versions()
    expect("the version lies beside the branch", bench.git("rev-parse", f"churn@{one}^{{commit}}").strip() == head, False)
    expect("the branch", bench.git("ls-remote", "origin", "main").split()[0], head)
    expect("a second look", summed(decided(0)), ("skip", "nothing-to-do"))
    print(bench.run(0, "run", *event))
    expect("one assignment", len(serving()), 1)

    # One that answers otherwise than it should is turned down once, and not judged again.
    registry.register("v4")
    bench.run(1, "run", *event)
    expect("after a version that was turned down", summed(decided(0)), ("skip", "nothing-to-do"))
    expect("the alias stays", (registry.alias("champion"), len(bench.versions())), (first, 1))
    config = "".join(line for line in config.splitlines(keepends=True) if "golden" not in line)
    (bench.clone / "tagship.yml").write_text(config)

    # Several at once: the newest is deployed, the others are told.
    passed_over = registry.register("v2")
    newest = registry.register("v3", "runs")
    decision = decided(0)
    expect("the newest of several", (summed(decision), f"{passed_over} before it" in decision["sentence"]),
           (("deploy", "model-version-created"), True))
    tip = bench.git("rev-parse", "refs/tagship/sources/churn")

    # A server that is down is an error, and nothing is forgotten.
    registry.stop()
    said = decided(3)
    expect("a server that is down", (summed(said), "does not answer" in said["sentence"]),
           (("skip", "source-unreadable"), True))
    bench.run(3, "run", *event)
    expect("what was seen stays", bench.git("rev-parse", "refs/tagship/sources/churn"), tip)
    registry.start()
    bench.run(0, "run", *event)
    expect("the alias after the second promotion", registry.alias("champion"), newest)
    expect("the one passed over", len(bench.versions()), 2)

    # The way back takes the alias with it; where the registry is down then, a later run does.
    bench.run(0, "rollback")
    expect("the alias after the rollback", registry.alias("champion"), first)
    two = max(bench.versions())
    registry.stop()
    said = bench.run(0, "rollout", "--version", two, "--retry")
    expect("an alias that cannot follow is told", "does not follow production yet" in said, True)
    expect("and stands in no way", bench.state()["phase"], "Succeeded")
    registry.start()
    expect("the alias stayed", registry.alias("champion"), first)
    bench.run(0, "run", *event)
    expect("the alias is told again", registry.alias("champion"), newest)

    # A message is no more than a reason to look.
    told = {"action": "model-version-created", "client_payload": {"model": "churn", "version": "99"},
            "repository": {"default_branch": "main"}}
    (home / "dispatch.json").write_text(json.dumps(told))
    dispatched = ["--event-name", "repository_dispatch", "--event-path", str(home / "dispatch.json")]
    expect("an invented version", summed(decided(0, *dispatched)), ("skip", "already-seen"))
    registry.register("v4")
    expect("a message about a new one", summed(decided(0, *dispatched)), ("deploy", "model-version-created"))

    # An alias that says what is to be deployed follows nothing.
    aliased = config.replace("mlflow:churn#", "mlflow:churn@champion#")
    (bench.clone / "tagship.yml").write_text(aliased)
    expect("an alias that names what is deployed", summed(decided(0))[0], "skip")
    bench.run(0, "rollback")
    expect("the alias that is the source stays", registry.alias("champion"), newest)
    (bench.clone / "tagship.yml").write_text(aliased.replace("target:", "alias: champion\n        target:"))
    bench.run(2, "decide", *event)
    (bench.clone / "tagship.yml").write_text(config.replace("mlflow:churn#", "nowhere:churn#"))
    bench.run(2, "decide", *event)


class Host(http.server.BaseHTTPRequestHandler):
    """The host that the relay tells."""

    seen, answers = [], []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        Host.seen.append((self.path, self.headers["authorization"], json.loads(body)))
        self.send_response(Host.answers.pop(0) if Host.answers else 204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def webhooks(bench: Bench, home: Path, registry: Registry, relay: str):
    host = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
    threading.Thread(target=host.serve_forever, daemon=True).start()
    port = free_port()
    bench.start(sys.executable, relay, env={
        **bench.environment, "MLFLOW_WEBHOOK_SECRET": SECRET, "GITHUB_TOKEN": "a-token", "GITHUB_REPOSITORY": "acme/models",
        "GITHUB_API_URL": f"http://127.0.0.1:{host.server_port}", "RELAY_LISTEN": f"127.0.0.1:{port}"})
    url = f"http://127.0.0.1:{port}/"

    def send(body: bytes, headers: dict) -> int:
        asked = urllib.request.Request(url, data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    wait_for("the relay", lambda: send(b"{}", {}) == 401)
    registry.ask("webhooks", {"name": "relay", "url": url, "secret": SECRET,
                              "events": [{"entity": "MODEL_VERSION", "action": "CREATED"}]})
    version = registry.register("v2")
    wait_for("the event on the host", lambda: Host.seen)
    told = {"model": "churn", "version": version, "uri": f"models:/churn/{version}"}
    expect("what the host is told", Host.seen, [(
        "/repos/acme/models/dispatches", "Bearer a-token",
        {"event_type": "model-version-created", "client_payload": told})])

    def signed(body: bytes, delivery: str, at=None, secret=SECRET) -> dict:
        at = str(int(time.time() if at is None else at))
        digest = hmac.new(secret.encode(), f"{delivery}.{at}.".encode() + body, hashlib.sha256).digest()
        return {"X-MLflow-Delivery-Id": delivery, "X-MLflow-Timestamp": at,
                "X-MLflow-Signature": "v1," + base64.b64encode(digest).decode()}

    body = json.dumps({"entity": "model_version", "action": "created", "data": {"name": "churn", "version": "9"}}).encode()
    Host.seen.clear()
    expect("another secret", send(body, signed(body, "a", secret="wrong")), 401)
    expect("another body", send(body + b" ", signed(body, "b")), 401)
    expect("an old one", send(body, signed(body, "c", at=time.time() - 600)), 401)
    expect("one from ahead", send(body, signed(body, "d", at=time.time() + 600)), 401)
    expect("one whose time has no end", send(body, {**signed(body, "h"), "X-MLflow-Timestamp": "9" * 5000}), 401)
    expect("one without a time", send(body, {**signed(body, "e"), "X-MLflow-Timestamp": "now"}), 401)
    other = json.dumps({"entity": "registered_model", "action": "created", "data": {"name": "churn"}}).encode()
    expect("another event", send(other, signed(other, "f")), 200)
    expect("nothing of that is passed on", Host.seen, [])
    headers = signed(body, "g")
    Host.answers.append(500)
    expect("a host that fails", send(body, headers), 502)
    expect("is told again", (send(body, headers), len(Host.seen)), (202, 2))
    expect("and not once more", (send(body, headers), len(Host.seen)), (200, 2))
    host.shutdown()


if __name__ == "__main__":
    main()
