#!/usr/bin/env python3
"""Starts one `tagship-serve` for one version and loads it: what the hooks in docs/hooks call `start` in their tests.

usage: serve_backend.py SERVE MODEL VERSION BYTES PORT
"""

import hashlib
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from rollout_bench import free_port, request, wait_for  # noqa: E402

TOKEN = "a-token-between-two-programs"


def load(admin: str, model: str, version: str, path: Path):
    data = path.read_bytes()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    wait_for("the control interface", lambda: request(f"{admin}/admin/models/{model}", token=TOKEN) is not None)
    request(f"{admin}/admin/uploads/{digest}", data, method="PUT", token=TOKEN)
    entry = {"path": path.name, "size": len(data), "sha256": digest}
    request(f"{admin}/admin/models/{model}/versions/{version}", {"fence": 1, "digest": digest, "files": [entry]},
            method="PUT", token=TOKEN)
    request(f"{admin}/admin/models/{model}/promote", {"fence": 1, "version": version}, method="POST", token=TOKEN)


def main():
    serve, model, version, path, port = sys.argv[1:]
    admin_port = free_port()
    child = os.fork()
    if child == 0:
        state = str(Path(path).parent / "serve")
        os.execve(serve, [serve, "--listen", f"127.0.0.1:{port}", "--admin-listen", f"127.0.0.1:{admin_port}",
                          "--state", state], {**os.environ, "TAGSHIP_SERVE_TOKEN": TOKEN})
    load(f"http://127.0.0.1:{admin_port}", model, version, Path(path))
    os.waitpid(child, 0)


main()
