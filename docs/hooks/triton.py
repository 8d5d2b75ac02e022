#!/usr/bin/env python3
"""Flips a model between versions on Triton Inference Server: a hook for Tagship's target `exec`. Needs tagship_hook.py
beside it.

    target: { exec: { command: ["./deploy/triton.py", "deploy/triton.json"] } }
    strategy: { blue-green: {} }

Settings:

    "directory": "/srv/tagship",             where state is kept
    "repository": "/srv/models",             the model repository, as this machine sees it
    "url": "http://127.0.0.1:8000",          Triton, started with --model-control-mode=explicit
    "config": "deploy/config.pbtxt",         optional; a configuration without `name`, for every version
    "file": "model.onnx"                     optional; the name of the file in the repository

Triton shares no traffic between versions, and this hook says so: `weights` is false, a share is refused with 13, and a plan
needs blue-green without hold-back. For canaries put a router in front of two servers (nginx.py, haproxy.py, envoy.py).

A version is loaded beside the others as model `churn.v1.4.0`, where golden cases reach it. Promotion puts its bytes under
the next number into model `churn`, which clients ask, and loads that: Triton goes on with the old number until the new one is
ready. Should that fail, the old one stays.
"""

import json
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tagship_hook import FAILED, PENDING, Answer, Hook, main

# How long Triton may take to load before the answer is that it is under way.
PATIENCE = 40


class Triton(Hook):
    weights = False

    def beside(self, version: str) -> str:
        """The model as which a version is loaded that does not serve."""
        return f"{self.name}.{version}"

    def prepare(self, version: str, digest: str, source: Path) -> int | None:
        if self.is_ready(self.beside(version)) and version in self.arms:
            return None
        self.put(source, self.beside(version), 1)
        self.arms.setdefault(version, {"digest": digest, "weight": 0})
        self.save()
        return self.control(self.beside(version), "load")

    def apply(self) -> int | None:
        wanted = next((version for version, arm in self.arms.items() if arm["weight"]), None)
        if wanted == self.state.get("served"):
            return None
        numbers = self.numbers()
        if wanted is None:
            self.control(self.name, "unload")
            for old in numbers:
                shutil.rmtree(self.home_of(self.name) / str(old))
        else:
            number = max(numbers, default=0) + 1
            self.put(self.home_of(self.beside(wanted)) / "1", self.name, number)
            if self.control(self.name, "load") == PENDING:
                return PENDING
            if not self.is_ready(f"{self.name}/versions/{number}"):
                shutil.rmtree(self.home_of(self.name) / str(number))
                raise Answer(FAILED, f"Triton did not load {wanted}; its log says why")
            for old in numbers:
                shutil.rmtree(self.home_of(self.name) / str(old))
        self.state["served"] = wanted
        self.save()
        return None

    def unload(self, version: str, arm: dict) -> int | None:
        self.control(self.beside(version), "unload")
        shutil.rmtree(self.home_of(self.beside(version)), ignore_errors=True)

    def arm(self, version: str, arm: dict) -> dict:
        return {
            "ready": self.is_ready(self.beside(version)),
            "weight": 100 if self.state.get("served") == version else 0,
            "endpoint": f"{self.settings['url']}/v2/models/{self.beside(version)}",
        }

    def home_of(self, name: str) -> Path:
        return Path(self.settings["repository"]) / name

    def numbers(self) -> list[int]:
        home = self.home_of(self.name)
        return [int(entry.name) for entry in home.iterdir() if entry.name.isdigit()] if home.exists() else []

    def put(self, source: Path, name: str, number: int) -> None:
        """Puts bytes into the repository: a number is there as a whole or not at all."""
        home = self.home_of(name)
        new = home / ".new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        if source.is_dir():
            shutil.copytree(source, new, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, new / self.settings.get("file", source.name))
        if "config" in self.settings:
            shutil.copyfile(self.settings["config"], home / "config.pbtxt")
        shutil.rmtree(home / str(number), ignore_errors=True)
        new.rename(home / str(number))

    def control(self, name: str, verb: str) -> int | None:
        """Loads or unloads a model; Triton answers when it is done, and goes on where nobody waits."""
        address = f"{self.settings['url']}/v2/repository/models/{name}/{verb}"
        request = urllib.request.Request(address, data=b"{}", method="POST")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE):
                return None
        except TimeoutError:
            return PENDING
        except urllib.error.HTTPError as error:
            raise Answer(FAILED, f"Triton refused to {verb} {name}: {said(error)}") from None

    def is_ready(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(f"{self.settings['url']}/v2/models/{path}/ready", timeout=5) as answer:
                return answer.status == 200
        except urllib.error.HTTPError:
            return False


def said(error: urllib.error.HTTPError) -> str:
    text = error.read(2000).decode(errors="replace")
    try:
        return json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {text}"


if __name__ == "__main__":
    sys.exit(main(Triton))
