#!/usr/bin/env python3
"""Follows the guide to the targets on Kubernetes: takes every command from the guide, in its order, runs it as a reader
would, and looks whether it did what the guide says. A command that this script does not know, or that the guide no longer
has, is a failure. What cannot be run here is told loudly and never counts as run.

usage: kubernetes_walk.py TAGSHIP TOOLS CONTROLLERS DIRECTORY, or without arguments to compare guide and script alone

On which cluster says TAGSHIP_WALK_CLUSTER: `kind`, or a kubeconfig of a cluster with everything on it that the guide
installs. Either way TAGSHIP_WALK_REPOSITORY names a repository that the cluster pulls from without a password,
REGISTRY_USER and REGISTRY_PASSWORD who may write there, TAGSHIP_WALK_BASE an image by digest with a shell, and
TAGSHIP_WALK_IMAGE a model server. Otherwise the API server in TOOLS is started, and CONTROLLERS play beside it.
"""

import os
import re
import sys
from pathlib import Path

import kubernetes_guide
import kubernetes_steps
from kubernetes_clusters import Given, Kind, Played
from kubernetes_reader import PLACES, Reader, matched
from rollout_bench import Bench, expect, fail_with_logs


def cluster_for(bench: Bench, place: str, tools: Path, controllers: Path):
    chosen = os.environ.get("TAGSHIP_WALK_CLUSTER", "")
    if not chosen:
        return Played(bench, tools, controllers)
    return Kind(bench, place) if chosen == "kind" else Given(bench, place, chosen)


def compare() -> int:
    """Whether every command of the guide that a cluster is for is known here, and there; before anything is started.
    Answers how many there are."""
    guide = kubernetes_guide.sections()
    count = sum(len(matched(guide[title], steps)) for _, title, steps in kubernetes_steps.SECTIONS)
    known = {title for _, title, _ in kubernetes_steps.SECTIONS}
    for section in guide.values():
        for command in section.commands:
            if section.title not in known and re.search(r"\b(kubectl|kind|helm|docker)\b", command):
                raise SystemExit(f"FAILED: the guide has {command!r} in {section.title!r}, which kubernetes_steps.py does not follow")
    for place in PLACES:
        if place not in kubernetes_guide.GUIDE.read_text():
            raise SystemExit(f"FAILED: the guide has no {place!r} any more, in whose place a reader puts something")
    print(f"the guide has {count} commands for a cluster, and every one is known here")
    return count


def main():
    count = compare()
    if len(sys.argv) == 1:
        return
    tagship, tools, controllers, directory = sys.argv[1:]
    taken, instead, not_run = [], [], []
    for place, title, steps in kubernetes_steps.SECTIONS:
        home = Path(directory) / place
        home.mkdir()
        with Bench(str(home), tagship, "") as bench:
            bench.environment["PATH"] = f"{Path(tagship).parent}:{bench.environment['PATH']}"
            cluster = cluster_for(bench, place, Path(tools), Path(controllers))
            reader = Reader(bench, cluster, title)
            try:
                cluster.begin(reader.section.commands)
                reader.follow(steps)
                cluster.end()
            except BaseException as error:
                fail_with_logs(bench, error, sorted(home.glob("cluster*/*.log")))
            finally:
                cluster.close()
            taken += reader.taken
            instead += reader.instead
            not_run += reader.not_run
    expect("every command was run, or told as not run", len(taken) + len(not_run), count)
    print(f"\n{len(taken)} commands of the guide were run, and {len(instead)} that it offers instead; {len(not_run)} were NOT RUN:")
    for command, why in not_run:
        print(f"  $ {command}\n    {why}")


if __name__ == "__main__":
    main()
