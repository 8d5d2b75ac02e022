"""A repository with the fixture models, and programs beside it: what the tests of targets and sources share."""

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from pathlib import Path

FIXTURES = Path(__file__).parent.parent / "fixtures" / "models" / "churn"
PATIENCE = 60.0


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(n: int) -> range:
    """Ports in a row that nothing has. They lie below those that systems give to clients: a connection that has ended holds
    its client's port for a minute, and no server can begin there."""
    while True:
        first = random.randrange(15_000, 32_000)
        ports = range(first, first + n)
        if all(map(is_free, ports)):
            return ports


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def request(url: str, body=None, method=None, token=None, timeout=10):
    """The JSON that an address answers; an HTTP error is an exception with its text."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data=data, method=method)
    asked.add_header("content-type", "application/json")
    if token:
        asked.add_header("authorization", f"Bearer {token}")
    with urllib.request.urlopen(asked, timeout=timeout) as answer:
        text = answer.read()
    return json.loads(text) if text.strip() else None


def wait_for(what: str, holds):
    """Looks until it holds; a counterpart that never does fails the test."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(OSError, ValueError, KeyError):
            found = holds()
            if found:
                return found
        time.sleep(0.05)
    raise SystemExit(f"FAILED: {what} did not happen within {PATIENCE:.0f} s")


def expect(what: str, found, wanted):
    if found != wanted:
        raise SystemExit(f"FAILED: {what}: {found!r}, expected {wanted!r}")
    print(f"ok: {what}: {found}")


class Bench:
    def __init__(self, directory: str, tagship: str, config: str):
        self.home, self.tagship = Path(directory), tagship
        self.clone = self.home / "clone"
        self.processes: list[subprocess.Popen] = []
        keep = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
        who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
               for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))}
        self.environment = {**keep, **who, "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
        self.git("init", "--quiet", "--bare", "--initial-branch", "main", "origin.git", at=self.home)
        self.git("clone", "--quiet", "origin.git", "clone", at=self.home)
        (self.clone / ".gitignore").write_text(".tagship/\n")
        (self.clone / "tagship.yml").write_text(config)

    def git(self, *words: str, at=None) -> str:
        done = subprocess.run(["git", *words], cwd=at or self.clone, env=self.environment, check=True,
                              capture_output=True, text=True)
        return done.stdout

    def release(self, variant: str) -> str:
        """Commits a fixture model and releases it; answers its version."""
        (self.clone / "models").mkdir(exist_ok=True)
        (self.clone / "reports").mkdir(exist_ok=True)
        for name in ("model.onnx", "golden.json"):
            shutil.copyfile(FIXTURES / variant / name, self.clone / "models" / name)
        shutil.copyfile(FIXTURES / variant / "metrics.json", self.clone / "reports" / "metrics.json")
        for report in (FIXTURES / variant / "reports").iterdir():
            shutil.copyfile(report, self.clone / "reports" / report.name)
        before = set(self.versions())
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Bring {variant}")
        self.git("push", "--quiet", "origin", "HEAD:main")
        for verb in ("validate", "gate", "release"):
            self.run(0, verb)
        (new,) = set(self.versions()) - before
        return new

    def versions(self) -> list[str]:
        return [tag.split("@")[1] for tag in self.git("tag", "--list", "churn@*").split()]

    def run(self, code: int, *words: str, patience: float = 300) -> str:
        """Runs tagship, which must end with this code; answers everything that it printed."""
        done = subprocess.run([self.tagship, *words], cwd=self.clone, env=self.environment, capture_output=True,
                              text=True, timeout=patience)
        if done.returncode != code:
            said = done.stdout + done.stderr
            raise SystemExit(f"FAILED: tagship {' '.join(words)} ended with {done.returncode}, not {code}:\n{said}")
        return done.stdout + done.stderr

    def step(self, *words: str) -> int:
        """Runs tagship, whatever comes of it; answers its exit code."""
        return subprocess.run([self.tagship, *words], cwd=self.clone, env=self.environment, capture_output=True,
                              timeout=300).returncode

    def state(self) -> dict:
        """The newest state in the journal."""
        return json.loads(self.git("show", "refs/tagship/rollouts/production/churn:rollout.json"))

    def start(self, *words: str, **more) -> subprocess.Popen:
        log = open(self.home / f"{len(self.processes)}.log", "wb")
        process = subprocess.Popen(list(words), stdin=subprocess.DEVNULL, stdout=log, stderr=log, **more)
        self.processes.append(process)
        return process

    def serve(self) -> dict:
        """Starts a model server; answers its addresses."""
        addresses = self.home / "addresses.json"
        self.start(f"{self.tagship}-serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
                   "--state", str(self.home / "serve"), "--addresses-file", str(addresses),
                   env={**self.environment, "TAGSHIP_SERVE_TOKEN": self.environment["TOKEN"]})
        return wait_for("the model server", lambda: json.loads(addresses.read_text()))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def a_case() -> dict:
    """The inputs of a golden case, as a request."""
    golden = json.loads((FIXTURES / "v1" / "golden.json").read_text())
    return {"inputs": golden["cases"][0]["inputs"]}


class Meanwhile:
    """Does something over and over for as long as this lasts."""

    def __init__(self, count: int = 1):
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.repeat, args=(n,), daemon=True) for n in range(count)]

    def repeat(self, number: int):
        while not self.over.is_set():
            self.act(number)

    def act(self, number: int):
        raise NotImplementedError

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(20)


class Clients(Meanwhile):
    """Clients that ask a model server, and after `delay` seconds send back whether the answer was right: of a version's
    answers this share is wrong."""

    def __init__(self, url: str, wrong: dict, count: int = 2, delay: float = 0):
        super().__init__(count)
        self.url, self.wrong, self.delay, self.asked = url, wrong, delay, 0
        self.body, self.turns, self.labels = json.dumps(a_case()).encode(), list(range(count)), deque()

    def act(self, number: int):
        with contextlib.suppress(OSError, ValueError):
            answer = request(f"{self.url}/v2/models/churn/infer", self.body)
            self.turns[number] += 1
            # Every so many answers, and not at random: the same in every run of the test.
            every = self.wrong.get(answer["model_version"], 0)
            correct = not (every and self.turns[number] % every == 0)
            self.labels.append((time.monotonic() + self.delay, {"model": "churn", "id": answer["id"], "correct": correct}))
            self.asked += 1
            self.send_labels()

    def send_labels(self):
        with contextlib.suppress(IndexError):
            while self.labels[0][0] <= time.monotonic():
                request(f"{self.url}/feedback", self.labels.popleft()[1])


def run_with_bench(play):
    """The whole of a test whose arguments are the program and a directory."""
    tagship, directory = sys.argv[1:]
    with Bench(directory, tagship, "") as bench:
        try:
            play(bench, Path(directory))
        except BaseException as error:
            fail_with_logs(bench, error)


def fail_with_logs(bench: Bench, error: BaseException, more=()):
    for log in [*sorted(bench.home.glob("*.log")), *more]:
        sys.stderr.write(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}\n")
    raise error
