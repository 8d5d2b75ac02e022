"""Somebody who follows the guide: one shell, in which commands are run or told as not run, and the files of a repository."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import kubernetes_guide
from rollout_bench import Bench, expect

# Seconds of one command; images come over the network.
PATIENCE = 900
# Codes of `tagship rollout` (docs/reference/exit-codes.md).
DECIDED, ROLLED_BACK, MISCONFIGURED, WAITS_FOR_A_PERSON = 0, 1, 2, 4
# What the guide has its reader put something else for.
USER, REPOSITORY = "REGISTRY_USER=acme REGISTRY_PASSWORD=...", "ghcr.io/acme/churn"
BASE, IMAGE = "docker.io/library/busybox@sha256:...", "registry.example.org/server:1"
PLACES = (USER, REPOSITORY, BASE, IMAGE)


@dataclass
class Step:
    """What is known of one command of the guide."""

    beginning: str
    needs: str = ""
    code: int = DECIDED
    # What the guide has its reader do before, in words.
    before: Callable[["Reader"], None] | None = None
    # Whether the guide's promise came true; gets what the command printed.
    after: Callable[["Reader", str], None] | None = None


def matched(section: kubernetes_guide.Section, steps: list[Step]) -> list[tuple[str, Step]]:
    """Every command of a section with what is known of it; an error where one lacks the other."""
    place = f"the guide's section {section.title!r}"
    for command, step in zip(section.commands, steps, strict=False):
        if not command.startswith(step.beginning):
            raise SystemExit(f"FAILED: {place} has {command!r} where kubernetes_steps.py expects {step.beginning!r}")
    for unknown in section.commands[len(steps):]:
        raise SystemExit(f"FAILED: {place} has a command that kubernetes_steps.py does not know: {unknown!r}")
    for step in steps[len(section.commands):]:
        raise SystemExit(f"FAILED: {place} has no command any more that begins with {step.beginning!r}")
    return list(zip(section.commands, steps, strict=True))


class Reader:
    """Somebody with one shell who follows a section."""

    def __init__(self, bench: Bench, cluster, title: str):
        self.bench, self.cluster = bench, cluster
        self.taken: list[str] = []
        self.instead: list[str] = []
        self.not_run: list[tuple[str, str]] = []
        self.models = 0
        self.guide = kubernetes_guide.sections()
        self.section = self.guide[title]

    def follow(self, steps: list[Step]):
        print(f"\n--- {self.section.title}, on {self.cluster.name}")
        for command, step in matched(self.section, steps):
            self.take(command, step)

    def take(self, command: str, step: Step):
        if step.before:
            step.before(self)
        why = self.cluster.missing.get(step.needs)
        if why:
            self.check_unrun(command)
            self.cluster.stand_in(command)
            self.not_run.append((command, why))
            print(f"NOT RUN $ {command}\n        {why}", flush=True)
            return
        printed = self.shell(command, step.code, "RUN")
        self.taken.append(command)
        if step.after:
            step.after(self, printed)

    def do_the_same(self, *beginnings: str, last: int = DECIDED):
        """The guide's own commands once more; the last of them ends with this code."""
        for beginning in beginnings:
            (command,) = [command for command in self.section.commands if command.startswith(beginning)]
            self.shell(command, last if beginning == beginnings[-1] else DECIDED)

    def shell(self, command: str, code: int = DECIDED, shown: str = "besides") -> str:
        """Runs a command as in one shell that stays open: what it exports is there for the next one. Only those that are
        shown as run are the guide's in their turn."""
        print(f"{shown:7} $ {command}", flush=True)
        kept = self.bench.home / "environment"
        script = f"set -o pipefail\n{filled(command, self.fillings())}\nended=$?; env -0 >'{kept}'; exit $ended"
        done = subprocess.run(["bash", "-c", script], cwd=self.bench.clone, env=self.bench.environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)
        if done.returncode != code:
            raise SystemExit(f"FAILED: {command!r} ended with {done.returncode}, not {code}:\n{done.stdout}")
        pairs = (pair.split("=", 1) for pair in kept.read_text().split("\0") if "=" in pair)
        self.bench.environment = dict(pairs)
        return done.stdout

    def check_unrun(self, command: str):
        """What can be said of a command without running it: the shell takes it, and what it fetches comes by https. What
        kubectl would be given from the network it is given from here, for a server that judges and keeps nothing."""
        subprocess.run(["bash", "-n", "-c", command], check=True)
        for url in re.findall(r"\w+://[^\s|]+", command):
            expect("fetched by https", bool(re.fullmatch(r"https://[a-z.]+/[\w./-]+", url)), True)
            if command.startswith("kubectl "):
                stand_in = self.bench.home / "stand-in.yaml"
                stand_in.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: stand-in }\n")
                self.shell(command.replace(url, f"{stand_in} --dry-run=server"))

    def fillings(self) -> dict[str, str]:
        """What the guide has its reader put in."""
        environment = self.bench.environment
        user, password = (shlex.quote(environment[name]) for name in ("REGISTRY_USER", "REGISTRY_PASSWORD"))
        login = f"REGISTRY_USER={user} REGISTRY_PASSWORD={password}"
        return {USER: login, REPOSITORY: self.cluster.repository, BASE: self.cluster.base, IMAGE: self.cluster.image}

    def save(self, path: str, text: str):
        file = self.bench.clone / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(filled(text, self.fillings()))

    def commit_a_model(self):
        """Another model each time: its one split lies elsewhere."""
        self.models += 1
        self.save("models/churn/model.json", json.dumps(model(self.models)))
        self.bench.git("add", "--all")
        self.bench.git("commit", "--quiet", "--message", f"Bring model {self.models}")
        self.bench.git("push", "--quiet", "origin", "HEAD:main")

    def object(self, kind: str, name: str) -> dict:
        words = ["kubectl", "get", kind, name, "-n", "ml", "-o", "json"]
        done = subprocess.run(words, env=self.bench.environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)


def filled(text: str, fillings: dict[str, str]) -> str:
    for place, value in fillings.items():
        text = text.replace(place, value)
    return text


def model(number: int) -> dict:
    """A whole XGBoost model of one tree."""
    tree = {
        "base_weights": [0.0, -1.0, 1.0], "categories": [], "categories_nodes": [], "categories_segments": [],
        "categories_sizes": [], "default_left": [0, 0, 0], "id": 0, "left_children": [1, -1, -1], "loss_changes": [1.0, 0.0, 0.0],
        "parents": [2147483647, 0, 0], "right_children": [2, -1, -1], "split_conditions": [number / 10, -1.0, 1.0],
        "split_indices": [0, 0, 0], "split_type": [0, 0, 0], "sum_hessian": [2.0, 1.0, 1.0],
        "tree_param": {"num_deleted": "0", "num_feature": "2", "num_nodes": "3", "size_leaf_vector": "1"},
    }
    booster = {"gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "1"}, "iteration_indptr": [0, 1], "tree_info": [0], "trees": [tree]}
    return {"learner": {
        "attributes": {}, "feature_names": [], "feature_types": [], "gradient_booster": {"model": booster, "name": "gbtree"},
        "learner_model_param": {"base_score": "5E-1", "boost_from_average": "1", "num_class": "0", "num_feature": "2", "num_target": "1"},
        "objective": {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}},
    }, "version": [2, 0, 0]}
