#!/usr/bin/env python3
"""The hooks of services that cannot be had here, against small stand-ins of their interfaces: every rule of the protocol is
checked, and what the hooks made of the service is looked at.

usage: service_hooks.py TAGSHIP HOOKS DIRECTORY
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from rollout_bench import expect
from service_fakes import FakeTriton, FakeVertex

HERE = Path(__file__).parent
MODEL = "tagship-check"


def main():
    tagship, hooks, directory = sys.argv[1:]
    home = Path(directory)
    for service in (triton, sagemaker, vertex):
        place = home / service.__name__
        place.mkdir()
        service(Play(tagship, Path(hooks) / f"{service.__name__}.py", place))


class Play:
    def __init__(self, tagship: str, hook: Path, home: Path):
        self.tagship, self.hook, self.home = tagship, hook, home

    def settings(self, **settings):
        (self.home / "hook.json").write_text(json.dumps({"directory": str(self.home / "state"), **settings}))

    def check(self):
        words = [self.tagship, "target", "check", "--patience", "30s", "--", str(self.hook), "hook.json"]
        done = subprocess.run(words, cwd=self.home, capture_output=True, text=True, timeout=900)
        if done.returncode:
            raise SystemExit(f"FAILED: {self.hook.name} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        print(f"ok: {self.hook.name} keeps every rule: {sum(' ✔ ' in line for line in done.stdout.splitlines())} apply")

    def ask(self, verb: str, **more) -> tuple:
        question = {"schema": "tagship/hook/v1", "verb": verb, "model": MODEL, **more}
        done = subprocess.run([str(self.hook), "hook.json"], cwd=self.home, input=json.dumps(question),
                              capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout or "{}")


def triton(play: Play):
    repository = play.home / "models"
    with FakeTriton(repository) as service:
        play.settings(repository=str(repository), url=service.url)
        play.check()
        expect("nothing is loaded any more", (service.loaded, sorted(repository.glob("*/[0-9]*/*"))), ({}, []))
        expect("clients met the model while it was flipped", service.gaps, 0)
        code, said = play.ask("set-weight", fence=1000, version="v9.0.0", weight=10)
        expect("a share is refused with what to do", (code, "blue-green" in said["message"]), (13, True))
        # What cannot be loaded leaves what served.
        for version, digest in (("v1.0.0", "1"), ("v2.0.0", "2")):
            bytes_ = play.home / "model.onnx"
            bytes_.write_text(version)
            play.ask("prepare", fence=1001, version=version, digest=f"sha256:{digest * 64}", bytes=str(bytes_))
        expect("the first is promoted", play.ask("promote", fence=1002, version="v1.0.0")[0], 0)
        service.broken.add(MODEL)
        code, said = play.ask("promote", fence=1003, version="v2.0.0")
        expect("a failed load is told", (code, "cannot load" in said["message"]), (1, True))
        arms = {arm["version"]: arm["weight"] for arm in play.ask("observe")[1]["arms"]}
        expect("and the version before serves", arms, {"v1.0.0": 100, "v2.0.0": 0})
        service.broken.clear()
        expect("the way back works", play.ask("rollback", fence=1004, to="v1.0.0")[0] in (0, 10), True)


def sagemaker(play: Play):
    settings = dict(endpoints={MODEL: "check"}, bucket="models", prefix="tagship", role="arn:aws:iam::1:role/x",
                    image="image", instances=1)
    settings["instance-type"] = "ml.m5.large"
    world = play.home / "world"
    os.environ["FAKE_AWS"] = str(world)
    aws = [sys.executable, str(HERE / "service_fakes.py"), str(world)]
    play.settings(aws=aws, **settings)
    play.check()
    left = json.loads((world / "world.json").read_text())
    expect("no endpoint and no model is left", (left["endpoints"], left["models"]), ({}, {}))
    expect("bytes were uploaded as they are", len(list((world / "s3").rglob("model.bin"))), 2)
    expect("another model is refused", play.ask("observe", model="other")[0], 13)
    play.settings(aws=["no-such-aws"], **settings)
    code, said = play.ask("observe")
    expect("a missing CLI is told", (code, "install the AWS CLI" in said["message"]), (1, True))


def vertex(play: Play):
    place = "projects/p/locations/europe-west4/endpoints/1"
    with FakeVertex(place) as service:
        gcloud = [sys.executable, str(HERE / "service_fakes.py"), str(play.home / "world"), "gcloud"]
        settings = dict(endpoints={MODEL: place}, bucket="gs://models/tagship", api=service.url,
                        container={"imageUri": "image"}, resources={"machineSpec": {"machineType": "n1-standard-2"}})
        play.settings(gcloud=gcloud, **settings)
        play.check()
        expect("nothing is deployed any more", service.endpoint["deployedModels"], [])
        expect("models of versions that are gone are deleted", len(service.models) <= 1, True)
        service.change_before_patch = True
        code, said = play.ask("rollback", fence=10**6, to=None)
        expect("whoever changed the endpoint first wins", (code, "409" in said["message"]), (1, True))
        play.settings(gcloud=["no-such-gcloud"], **settings)
        code, said = play.ask("observe")
        expect("a missing CLI is told", (code, "install the Google Cloud CLI" in said["message"]), (1, True))


main()
