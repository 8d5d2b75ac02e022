#!/usr/bin/env python3
"""Random histories of a registry, written by GTO and tagship in turns and read by both.

    gto_histories.py TAGSHIP [--histories N] [--seed S]

Every operation is one that both know: register, deregister, assign, unassign, deprecate. Which of the two performs it is
random, too. Numbers are prereleases at times, and commits change `artifacts.yaml`. After each history `show`, `show MODEL`, `history MODEL` and `check-ref TAG` of both must print the same JSON,
and what one refuses the other must refuse as well. Events lie a second apart at least: within one second GTO guesses.

Needs PyPI gto 1.10.1 in the interpreter that runs this.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest.mock

from click.testing import CliRunner
from gto.cli import app

MODELS = ["churn", "team/fraud", "sub/dir:lead"]
STAGES = ["staging", "prod", "eu/west"]
OPERATIONS = ["register"] * 4 + ["assign"] * 4 + ["unassign"] * 2 + ["deregister", "deprecate"]
STEPS = 9
PRERELEASES = ["-rc.1", "-rc.2", "-alpha", "-0.beta.11"]
# What a commit may say about models; the last name is one that has no tags.
DESCRIPTIONS = [
    "{}",
    "{type: model, path: m.pkl, labels: [b, a], description: 'a: \u00e9', custom: {z: 1, a: [1.5, null, true]}}",
    "{virtual: 'no', type: null, owner: nobody, custom: [x, {y: z}]}",
    "{virtual: true, description: '', custom: 'text'}",
]
DESCRIBED = ["churn", "team/fraud", "zeta"]
# Where GTO begins to count seconds: in the future, for tagship dates an event after the newest one and so follows.
BEGINNING = 2_500_000_000
# Commits are older than every event: to GTO they are events, too.
BEFORE = 2_000_000_000


class Both:
    """One repository and the two tools."""

    def __init__(self, path, tagship, clock):
        self.path, self.tagship, self.clock = path, tagship, clock
        self.runner, self.reason = CliRunner(), ""
        self.git("init", "--quiet", "--initial-branch", "main")

    def git(self, *words):
        done = subprocess.run(["git", *words], cwd=self.path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def tick(self, before=0):
        self.clock += 2
        for who in ("AUTHOR", "COMMITTER"):
            os.environ[f"GIT_{who}_DATE"] = f"{self.clock - before} +0100"

    def commit(self, rng):
        self.tick(BEFORE)
        if rng.random() < 0.5:
            names = rng.sample(DESCRIBED, rng.randrange(1, len(DESCRIBED) + 1))
            text = "".join(f"{name}: {rng.choice(DESCRIPTIONS)}\n" for name in names)
            with open(os.path.join(self.path, "artifacts.yaml"), "w", encoding="utf8") as file:
                file.write(text)
            self.git("add", "artifacts.yaml")
        self.git("commit", "--quiet", "--allow-empty", "--message", f"Train at {self.clock}")

    def theirs(self, *words):
        """What GTO prints, or None where it refuses."""
        # Its git library asks no variable for the time of a tag.
        with unittest.mock.patch("time.time", return_value=float(self.clock)):
            done = self.runner.invoke(app, [*words, "--repo", self.path])
        self.reason = done.output + repr(done.exception)
        return done.stdout if done.exit_code == 0 else None

    def ours(self, *words):
        """What tagship prints, or None where it refuses."""
        command = [self.tagship, "registry", *words, "--format", "json"]
        done = subprocess.run(command, cwd=self.path, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 2):
            sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
        return done.stdout if done.returncode == 0 else None


def versions(both, model):
    shown = both.ours("show", model)
    return [entry["version"] for entry in json.loads(shown) if not entry["discovered"]] if shown else []


def perform(both, rng):
    """One operation by one of the two; answers how it reads."""
    operation, model, stage = rng.choice(OPERATIONS), rng.choice(MODELS), rng.choice(STAGES)
    known = versions(both, model)
    if not known:
        operation = "register"
    version = rng.choice(known) if known else "v1.0.0"
    if operation == "register":
        both.commit(rng)
    both.tick()
    by_gto = rng.random() < 0.5
    named = f"{model}@{version}"
    if operation == "assign" and holder(both, model, stage) == version:
        return None  # GTO wants --force, to tagship it is done already.
    if operation == "unassign" and not holds(both, model, version, stage):
        return None  # GTO refuses, to tagship it is done already.
    number = f"v{both.clock - BEGINNING}.{rng.randrange(3)}.0"
    if rng.random() < 0.3:
        number += rng.choice(PRERELEASES)
    theirs, ours, tag = {
        "register": (("register", model, "--version", number), (model, "--version", number), f"@{number}"),
        "deregister": (("deprecate", model, version), (named,), f"@{version}!"),
        "assign": (("assign", model, "--version", version, "--stage", stage), (named, stage), None),
        "unassign": (("deprecate", model, version, stage), (named, stage), None),
        "deprecate": (("deprecate", model), (model,), "@deprecated"),
    }[operation]
    if tag and model.replace(":", "=") + tag in both.git("tag", "--list").split():
        by_gto = False  # Its name is taken: GTO has no second one.
    done = both.theirs(*theirs) if by_gto else both.ours(operation, *ours)
    who = "gto" if by_gto else "tagship"
    if done is None:
        sys.exit(f"{who} refuses {operation} {named} {stage}, which is legal: {both.reason}")
    return f"{who} {operation} {named} {stage}"


def holder(both, model, stage):
    shown = json.loads(both.ours("show")).get(model, {"stage": {}})
    return shown["stage"].get(stage)


def holds(both, model, version, stage):
    """Whether the version's newest event of the stage is an assignment."""
    events = json.loads(both.ours("history", model))
    mine = [event for event in events if event["version"] == version and event["stage"] == stage]
    return bool(mine) and mine[0]["event"] == "assignment"


def compare(both, story):
    """Asks both everything; answers how many answers there were."""
    tags = both.git("tag", "--list").split()
    questions = [("show",)]
    for model in json.loads(both.ours("show")):
        questions += [("show", model), ("history", model)]
    asked = 0
    for words in questions:
        expected, got = both.theirs(*words, "--json"), both.ours(*words)
        asked += 1
        if expected != got:
            sys.exit("\n".join([*story, f"{' '.join(words)} differs; GTO says:", str(expected), "tagship says:", str(got)]))
    for tag in tags:
        expected, got = both.theirs("check-ref", tag, "--json"), both.ours("check", tag)
        asked += 1
        if expected != got:
            sys.exit("\n".join([*story, f"check {tag} differs; GTO says:", str(expected), "tagship says:", str(got)]))
    return asked


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tagship")
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    for who in ("AUTHOR", "COMMITTER"):
        os.environ[f"GIT_{who}_NAME"], os.environ[f"GIT_{who}_EMAIL"] = "Ann", "ann@example.org"
    done = asked = 0
    for _ in range(options.histories):
        with tempfile.TemporaryDirectory() as path:
            both = Both(path, os.path.abspath(options.tagship), BEGINNING)
            both.commit(rng)
            story = [step for step in (perform(both, rng) for _ in range(STEPS)) if step]
            done += len(story)
            asked += compare(both, story)
    print(f"{options.histories} histories, {done} operations, {asked} questions, all answered alike")


if __name__ == "__main__":
    main()
