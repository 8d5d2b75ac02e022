#!/usr/bin/env python3
"""Moves a model's traffic between backends of nginx: a hook for Tagship's target `exec`.

    target: { exec: { command: ["./deploy/nginx.py", "deploy/nginx.json"] } }

The settings file:

    {
      "directory": "/srv/churn",               where this hook keeps state, bytes and logs
      "upstream": "churn",                     name of the upstream; include directory/upstream.conf in `http { }`
      "ports": [9101, 9199],                   ports for backends on 127.0.0.1
      "start": ["./deploy/backend.sh"],        gets three arguments: version, path of the bytes, port
      "reload": ["nginx", "-s", "reload"],     makes nginx read the upstream again
      "model-path": "/v2/models/churn",        where a backend answers the Open Inference Protocol
      "ready-path": "/v2/health/ready"         answers 200 once the backend can work
    }

Each run answers one question: JSON on stdin, JSON on stdout, the verdict as exit code. The fence grows with every decision
of Tagship; a lower one than was seen belongs to a run that woke up late, and moves nothing. State is replaced as a whole and
before nginx is told, so that a run that dies is repeated by the next one. Everything an order does can be done twice.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

APPLIED, ALREADY_THERE, PENDING, CONFLICT, UNSUPPORTED, SUPERSEDED, NOT_LOADED = 0, 10, 11, 12, 13, 14, 15


class Answer(Exception):
    """Ends an order with a verdict and a reason."""

    def __init__(self, code: int, message: str):
        self.code, self.message = code, message


class Hook:
    def __init__(self, settings: dict):
        self.settings = settings
        self.home = Path(settings["directory"])
        self.home.mkdir(parents=True, exist_ok=True)
        self.file = self.home / "state.json"
        self.state = json.loads(self.file.read_text()) if self.file.exists() else {"fence": 0, "arms": {}}
        self.arms = self.state["arms"]

    def run(self, ask: dict) -> int:
        verb = ask["verb"]
        if verb == "capabilities":
            # nginx shares traffic and counts nothing by version: metrics need a source of their own.
            print(json.dumps({"weights": True, "counters": False, "endpoints": True}))
            return APPLIED
        if verb == "observe":
            print(json.dumps({"arms": [self.observed(v, arm) for v, arm in self.arms.items()]}))
            return APPLIED
        if ask["fence"] < self.state["fence"]:
            raise Answer(SUPERSEDED, f"order {ask['fence']} is older than {self.state['fence']}")
        before = json.dumps(self.arms, sort_keys=True)
        orders = {
            "prepare": self.prepare,
            "set-weight": lambda ask: self.share(ask["version"], ask["weight"]),
            "promote": lambda ask: self.share(ask["version"], 100),
            "rollback": self.rollback,
            "cleanup": self.cleanup,
            "route": lambda ask: None,
        }
        if verb not in orders:
            raise Answer(UNSUPPORTED, f"{verb} is not known here")
        code = orders[verb](ask)
        self.state["fence"] = ask["fence"]
        self.save()
        # Also where nothing changed: the run before may have died between the two.
        self.reload()
        if code is not None:
            return code
        return ALREADY_THERE if json.dumps(self.arms, sort_keys=True) == before else APPLIED

    def observed(self, version: str, arm: dict) -> dict:
        return {
            "version": version,
            "digest": arm["digest"],
            "ready": self.answers(arm["port"]),
            "weight": arm["weight"],
            "endpoint": f"http://127.0.0.1:{arm['port']}{self.settings['model-path']}",
        }

    def answers(self, port: int) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{self.settings['ready-path']}", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def prepare(self, ask: dict) -> int | None:
        """Starts a backend without traffic. Its bytes are copied, for the path is gone when the run ends."""
        version = ask["version"]
        arm = self.arms.get(version)
        if arm and arm["digest"] != ask["digest"]:
            raise Answer(CONFLICT, f"{version} is loaded with other bytes, {arm['digest']}")
        if arm and self.answers(arm["port"]):
            return None
        source, copy = Path(ask["bytes"]), self.home / "versions" / version / Path(ask["bytes"]).name
        shutil.rmtree(copy.parent, ignore_errors=True)
        copy.parent.mkdir(parents=True)
        shutil.copytree(source, copy) if source.is_dir() else shutil.copyfile(source, copy)
        first, last = self.settings["ports"]
        taken = {other["port"] for other in self.arms.values()}
        port = arm["port"] if arm else next((p for p in range(first, last + 1) if p not in taken), None)
        if port is None:
            raise Answer(CONFLICT, f"no port is free between {first} and {last}")
        if arm:
            self.stop(arm)
        # A session of its own: it outlives this hook, and is ended as a whole.
        with open(copy.parent / "log.txt", "ab") as log:
            backend = subprocess.Popen(
                [*self.settings["start"], version, str(copy), str(port)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )
        weight = arm["weight"] if arm else 0
        self.arms[version] = {"digest": ask["digest"], "port": port, "pid": backend.pid, "weight": weight}
        return PENDING

    def share(self, version: str, weight: int) -> None:
        """Gives a version its share; the one that had most of the rest keeps the rest."""
        if version not in self.arms:
            raise Answer(NOT_LOADED, f"{version} is not loaded")
        others = [other for other in self.arms if other != version]
        stable = max(others, key=lambda other: self.arms[other]["weight"], default=None)
        for other in others:
            self.arms[other]["weight"] = 100 - weight if other == stable and self.arms[other]["weight"] else 0
        self.arms[version]["weight"] = weight

    def rollback(self, ask: dict) -> None:
        to = ask["to"]
        if to is not None and to not in self.arms:
            raise Answer(NOT_LOADED, f"{to} is not loaded")
        for version, arm in self.arms.items():
            arm["weight"] = 100 if version == to else 0

    def cleanup(self, ask: dict) -> None:
        arm = self.arms.get(ask["version"])
        if arm is None:
            return
        if arm["weight"]:
            raise Answer(CONFLICT, f"{ask['version']} has {arm['weight']} % of the traffic")
        del self.arms[ask["version"]]
        self.stop(arm)
        shutil.rmtree(self.home / "versions" / ask["version"], ignore_errors=True)

    def stop(self, arm: dict) -> None:
        try:
            os.killpg(arm["pid"], signal.SIGTERM)
        except (ProcessLookupError, PermissionError):
            pass

    def save(self) -> None:
        self.replace(self.file, json.dumps(self.state, indent=2))
        servers = [f"  server 127.0.0.1:{a['port']} weight={a['weight']};" for a in self.arms.values() if a["weight"]]
        # An upstream needs a server; this one answers 502 while nothing serves.
        lines = servers or ["  server 127.0.0.1:1 down;"]
        self.replace(self.home / "upstream.conf", "\n".join([f"upstream {self.settings['upstream']} {{", *lines, "}", ""]))

    def replace(self, path: Path, text: str) -> None:
        new = path.with_suffix(".new")
        new.write_text(text)
        os.replace(new, path)

    def reload(self) -> None:
        subprocess.run(self.settings["reload"], check=True, stdout=sys.stderr)


def main() -> int:
    ask = json.load(sys.stdin)
    settings = json.loads(Path(sys.argv[1]).read_text())
    Path(settings["directory"]).mkdir(parents=True, exist_ok=True)
    # One at a time: an observer waits for an order, and of two orders the later one sees the fence of the first.
    with open(Path(settings["directory"]) / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return Hook(settings).run(ask)
        except Answer as answer:
            print(json.dumps({"message": answer.message}))
            return answer.code


if __name__ == "__main__":
    sys.exit(main())
