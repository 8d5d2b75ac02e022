#!/usr/bin/env python3
"""A large model released to a directory and to a registry, and pulled again, beside cp and sha256sum of the same file.

usage: store_bench.py TAGSHIP DOCKER_REGISTRY GIGABYTES DIRECTORY

Prints one JSON object a line: what was done, its seconds, the most bytes of memory the program held, and how many times as long
cp and sha256sum took.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from rollout_bench import Bench, free_port
from stores import CONFIG, Registry

BLOCK = 64 << 20


def main():
    tagship, registry, gigabytes, directory = sys.argv[1:]
    size = int(float(gigabytes) * 1e9)
    for name in ("file", "oci", "oci-parts"):
        home = Path(directory) / name
        home.mkdir(parents=True)
        with Bench(str(home), tagship, "") as bench:
            play(bench, name, (ServedInParts if name == "oci-parts" else Served)(registry), size)
        shutil.rmtree(home)


class Served(Registry):
    """Without an image for KServe: one copy of the bytes is what is measured."""

    def __init__(self, program: str):
        self.program, self.port = program, free_port()
        self.behind = self.port

    def settings(self, name: str):
        return {"oci": {"repository": f"127.0.0.1:{self.port}/{name}"}}

    def push_base(self):
        return None


class ServedInParts(Served):
    """With files in parts, none of which is the same as another."""

    def settings(self, name: str):
        return {"oci": {"repository": f"127.0.0.1:{self.port}/{name}", "max-layer-size": "1GB"}}


def play(bench: Bench, name: str, registry: Served, size: int):
    store = {"file": {"path": str(bench.home / "store")}}
    if name != "file":
        registry.start(bench)
        store = registry.settings("churn")
    model = bench.clone / "models" / "model.safetensors"
    write(model, size)
    (bench.clone / "reports").mkdir()
    (bench.clone / "reports" / "metrics.json").write_text('{"accuracy": 0.9}\n')
    # A file by itself. One in a directory is read once more before, for the directory's digest.
    config = CONFIG.replace("artifact: models", f"artifact: models/{model.name}")
    (bench.clone / "tagship.yml").write_text(config.replace("STORE", json.dumps(store)))
    # The bytes are not committed: git would hold them twice more.
    (bench.clone / ".gitignore").write_text(".tagship/\nmodels/\n")
    bench.git("add", "--all")
    bench.git("commit", "--quiet", "--message", "Bring a model")
    bench.git("push", "--quiet", "origin", "HEAD:main")
    for verb in ("validate", "gate"):
        bench.run(0, verb)
    yardstick = copy_and_hash(model, bench.home / "copy")
    tell(f"release {name}", yardstick, *timed(bench, "release"))
    pulled = bench.home / "pulled"
    model.unlink()
    tell(f"pull {name}", yardstick, *timed(bench, "pull", "churn@v0.1.0", "--to", str(pulled)))
    if pulled.joinpath("model.safetensors").stat().st_size < size:
        raise SystemExit("FAILED: what was pulled is short")


def write(path: Path, size: int):
    """One tensor of random bytes, a block again and again."""
    path.parent.mkdir()
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    header += b" " * (-len(header) % 8)
    block = os.urandom(BLOCK)
    with open(path, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for at in range(0, size, BLOCK):
            file.write(block[:min(BLOCK, size - at)])


def copy_and_hash(model: Path, copy: Path) -> float:
    settle()
    began = time.monotonic()
    subprocess.run(["cp", model, copy], check=True)
    subprocess.run(["sha256sum", copy], check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - began
    copy.unlink()
    return took


def timed(bench: Bench, *words: str):
    """Seconds, and the most bytes held: `VmHWM` only rises, so that the last look is near the truth. What the system counts for
    a child that has ended includes what this program held when it began it."""
    settle()
    said, memory, began = bench.home / "said", 0, time.monotonic()
    with open(said, "wb") as file, subprocess.Popen([bench.tagship, *words], cwd=bench.clone, env=bench.environment,
                                                    stdout=subprocess.DEVNULL, stderr=file) as process:
        while process.poll() is None:
            memory = max(memory, high_water(process.pid))
            time.sleep(0.01)
    if process.returncode != 0:
        raise SystemExit(f"FAILED: {words}: {said.read_text()}")
    return time.monotonic() - began, memory


def settle():
    """Whoever comes next must not wait for the disk on behalf of who was before."""
    os.sync()


def high_water(process: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def tell(work: str, yardstick: float, seconds: float, memory: int):
    row = {"work": work, "seconds": seconds, "memory": memory, "times": seconds / yardstick}
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
