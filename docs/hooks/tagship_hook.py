"""The protocol of Tagship's target `exec`, for hooks in Python: copy this file beside the hook that uses it.

A hook is run once per question: JSON on stdin, JSON on stdout, the verdict as exit code. `docs/guides/targets.md` has the
rules; `tagship target check -- ./hook.py settings.json` says which one a hook breaks.

`Hook` keeps what every hook has to keep: the highest fence of each model, which versions are loaded with which bytes, and
their shares. State is replaced as a whole before the router is told, so that a run that dies is repeated by the next one,
and every order is carried out again even where nothing changed: the run before may have died between the two. A hook says
what its router does in `prepare`, `apply`, `unload` and `arm`.

`Backends` is a `Hook` whose versions are processes on ports of this machine, behind a router that shares the traffic.
"""

import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

APPLIED, ALREADY_THERE, PENDING, CONFLICT, UNSUPPORTED, SUPERSEDED, NOT_LOADED = 0, 10, 11, 12, 13, 14, 15
FAILED = 1


class Answer(Exception):
    """Ends an order with a verdict and a reason."""

    def __init__(self, code: int, message: str):
        self.code, self.message = code, message


class Hook:
    # What `capabilities` says.
    weights, counters, endpoints = True, False, True
    # Whether `apply` leads requests by `self.match`, and whether only where the settings' `match` says that the router is set
    # up for it.
    matches, matches_by_setting = False, True

    def __init__(self, settings: dict, model: str):
        self.settings, self.model = settings, model
        # As it may stand in a file name.
        self.name = model.replace(":", "=")
        self.state = self.load() or {"fence": 0, "arms": {}}
        # Of each version: digest, weight, and what the hook adds.
        self.arms = self.state["arms"]

    @property
    def match(self) -> dict | None:
        """The version that gets the requests with a header, with `header` and `exact`; absent where none does."""
        return self.state.get("match")

    # --- What a hook says about its router.

    def prepare(self, version: str, digest: str, source: Path) -> int | None:
        """Adds the version to `self.arms` and begins to load it; `PENDING` where it goes on by itself."""
        raise NotImplementedError

    def apply(self) -> int | None:
        """Makes the router serve what `self.arms` says; `PENDING` where that goes on by itself."""

    def unload(self, version: str, arm: dict) -> int | None:
        """Ends a version that was taken out of `self.arms`."""

    def arm(self, version: str, arm: dict) -> dict:
        """What `observe` shows of a version: at least `ready`, and `weight` where the router knows better."""
        raise NotImplementedError

    def look(self) -> None:
        """Asks the router, before `arm` is called for each version."""

    def shown(self) -> dict:
        """The versions that `observe` shows."""
        return self.arms

    # --- Where state is kept: files of this machine, if nothing else is said.

    @property
    def home(self) -> Path:
        return Path(self.settings["directory"]) / self.name

    def load(self) -> dict | None:
        file = self.home / "state.json"
        return json.loads(file.read_text()) if file.exists() else None

    def save(self):
        self.home.mkdir(parents=True, exist_ok=True)
        replace(self.home / "state.json", json.dumps(self.state, indent=2))

    # --- The protocol.

    def run(self, ask: dict) -> int:
        verb = ask["verb"]
        if verb == "observe":
            self.look()
            arms = [{"version": version, "digest": arm["digest"], "weight": arm["weight"], **self.arm(version, arm)}
                    for version, arm in self.shown().items()]
            print(json.dumps({"arms": arms}))
            return APPLIED
        orders = {
            "prepare": self.order_prepare,
            "set-weight": self.order_set_weight,
            "promote": self.order_promote,
            "rollback": self.order_rollback,
            "cleanup": self.order_cleanup,
            "route": self.order_route,
        }
        if verb not in orders:
            raise Answer(UNSUPPORTED, f"{verb} is not known here")
        if ask["fence"] < self.state["fence"]:
            raise Answer(SUPERSEDED, f"order {ask['fence']} is older than {self.state['fence']}")
        before = json.dumps([self.arms, self.match], sort_keys=True)
        code = orders[verb](ask)
        self.state["fence"] = ask["fence"]
        self.save()
        applied = self.apply()
        # What begins to load is under way, whatever the router says.
        code = code if code is not None else applied
        if code is not None:
            return code
        return ALREADY_THERE if json.dumps([self.arms, self.match], sort_keys=True) == before else APPLIED

    def order_prepare(self, ask: dict) -> int | None:
        version, digest = ask["version"], ask["digest"]
        arm = self.arms.get(version)
        if arm and arm["digest"] != digest:
            raise Answer(CONFLICT, f"{version} is loaded with other bytes, {arm['digest']}")
        return self.prepare(version, digest, Path(ask["bytes"]))

    def order_set_weight(self, ask: dict) -> None:
        if not self.weights and 0 < ask["weight"] < 100:
            raise Answer(UNSUPPORTED, "all traffic goes to one version here; choose `blue-green` without hold-back")
        self.share(ask["version"], ask["weight"])

    def share(self, version: str, weight: int) -> None:
        """Gives a version its share; the one that had most of the rest keeps the rest."""
        if version not in self.arms:
            raise Answer(NOT_LOADED, f"{version} is not loaded")
        others = [other for other in self.arms if other != version]
        stable = max(others, key=lambda other: self.arms[other]["weight"], default=None)
        for other in others:
            self.arms[other]["weight"] = 100 - weight if other == stable and self.arms[other]["weight"] else 0
        self.arms[version]["weight"] = weight

    def order_promote(self, ask: dict) -> None:
        self.share(ask["version"], 100)
        self.state["match"] = None

    def order_route(self, ask: dict) -> None:
        """Leads the requests with a header to a version, or no more. Weights stay."""
        match = ask.get("match")
        if match and not can_match(type(self), self.settings):
            raise Answer(UNSUPPORTED, "headers are not matched here; choose a canary")
        if match and match["version"] not in self.arms:
            raise Answer(NOT_LOADED, f"{match['version']} is not loaded")
        self.state["match"] = match

    def order_rollback(self, ask: dict) -> None:
        to = ask["to"]
        if to is not None and to not in self.arms:
            raise Answer(NOT_LOADED, f"{to} is not loaded")
        # One order takes everything back.
        self.state["match"] = None
        for version, arm in self.arms.items():
            arm["weight"] = 100 if version == to else 0

    def order_cleanup(self, ask: dict) -> int | None:
        version = ask["version"]
        arm = self.arms.get(version)
        if arm is None:
            return None
        if arm["weight"]:
            raise Answer(CONFLICT, f"{version} has {arm['weight']} % of the traffic")
        if self.match and self.match["version"] == version:
            raise Answer(CONFLICT, f"{version} has the requests with {self.match['header']}: {self.match['exact']}")
        del self.arms[version]
        return self.unload(version, arm)


class Backends(Hook):
    """Versions as processes on ports of this machine. Settings, beside those of the router:

    "directory": "/srv/models",              where state, bytes and logs are kept
    "ports": [9101, 9199],                   ports for backends on 127.0.0.1
    "start": ["./deploy/backend.sh"],        gets four arguments: model, version, path of the bytes, port
    "model-path": "/v2/models/{model}",      where a backend answers the Open Inference Protocol
    "ready-path": "/v2/health/ready"         answers 200 once the backend can work
    """

    def prepare(self, version: str, digest: str, source: Path) -> int | None:
        """Starts a backend without traffic. Its bytes are copied, for their path is gone when the run ends."""
        arm = self.arms.get(version)
        if arm and self.answers(arm["port"]):
            return None
        copy = self.home / "versions" / version / source.name
        shutil.rmtree(copy.parent, ignore_errors=True)
        copy.parent.mkdir(parents=True)
        shutil.copytree(source, copy) if source.is_dir() else shutil.copyfile(source, copy)
        if arm:
            stop(arm["pid"])
        port = arm["port"] if arm else self.free_port()
        # A session of its own: it outlives this hook, and is ended as a whole.
        with open(copy.parent / "log.txt", "ab") as log:
            backend = subprocess.Popen(
                [*self.settings["start"], self.model, version, str(copy), str(port)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )
        self.arms[version] = {"weight": 0, **(arm or {}), "digest": digest, "port": port, "pid": backend.pid}
        return PENDING

    def free_port(self) -> int:
        """A port that no version of any model has, and no other program."""
        states = Path(self.settings["directory"]).glob("*/state.json")
        arms = [arm for state in states for arm in json.loads(state.read_text())["arms"].values()]
        taken = {arm["port"] for arm in [*arms, *self.arms.values()]}
        first, last = self.settings["ports"]
        port = next((port for port in range(first, last + 1) if port not in taken and can_listen(port)), None)
        if port is None:
            raise Answer(CONFLICT, f"no port is free between {first} and {last}")
        return port

    def answers(self, port: int) -> bool:
        # A hook starts for every question, and `urllib` takes as long to load as all the rest.
        backend = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            backend.request("GET", self.settings["ready-path"].format(model=self.model))
            return backend.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            backend.close()

    def arm(self, version: str, arm: dict) -> dict:
        path = self.settings["model-path"].format(model=self.model)
        return {"ready": self.answers(arm["port"]), "endpoint": f"http://127.0.0.1:{arm['port']}{path}"}

    def order_cleanup(self, ask: dict) -> int | None:
        """The router forgets the version before its backend is stopped."""
        arm = dict(self.arms.get(ask["version"], {}))
        code = super().order_cleanup(ask)
        if arm:
            self.save()
            self.apply()
            stop(arm["pid"])
            shutil.rmtree(self.home / "versions" / ask["version"], ignore_errors=True)
        return code


def can_listen(port: int) -> bool:
    """Whether a server can begin there. Also a client's connection that has just ended stands in the way, for a minute."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def stop(pid: int) -> None:
    """Ends a backend and what it started; it finishes the requests that it has."""
    try:
        os.killpg(pid, signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        pass


def call(words: list[str], missing: str) -> str:
    """What a program prints, which is started by itself and never through a shell. It is `missing` where it is not there."""
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        raise Answer(FAILED, f"there is no program {words[0]}: {missing}") from None
    if done.returncode:
        raise CallFailed(FAILED, f"{' '.join(words[:4])} ...: {done.stderr.strip()[-500:]}")
    return done.stdout


class CallFailed(Answer):
    """A program that was called did not succeed."""


def replace(path: Path, text: str) -> None:
    """Writes a file so that a reader sees the old or the new text, never a part."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


def can_match(kind: type[Hook], settings: dict) -> bool:
    """Whether headers are matched: the hook has to know how, and the router has to be set up for it."""
    return kind.matches and (not kind.matches_by_setting or bool(settings.get("match")))


def main(kind: type[Hook]) -> int:
    """Runs a hook: `sys.exit(main(MyHook))`. Its first argument is the file with its settings."""
    ask = json.load(sys.stdin)
    settings = json.loads(Path(sys.argv[1]).read_text())
    if ask["verb"] == "capabilities":
        able = {"weights": kind.weights, "counters": kind.counters, "endpoints": kind.endpoints}
        print(json.dumps({**able, "matches": can_match(kind, settings)}))
        return APPLIED
    directory = Path(settings.get("directory", Path(tempfile.gettempdir()) / "tagship-hook"))
    directory.mkdir(parents=True, exist_ok=True)
    # One at a time: an observer waits for an order, and of two orders the later one sees the fence of the first.
    with open(directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return kind(settings, ask["model"]).run(ask)
        except Answer as answer:
            print(json.dumps({"message": answer.message}))
            return answer.code
