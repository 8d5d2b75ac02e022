#!/usr/bin/env python3
"""Compares what GTO and tagship say about one repository, byte by byte.

    gto_compare.py REPOSITORY TAGSHIP [--gto GTO]

TAGSHIP is the tagship binary and GTO the `gto` program (PyPI gto 1.10.1; default: the one on the PATH). The exit code
is 1 when any output differs and 2 when a program fails. Repositories with two events of one model in the same second
are out of scope: there tagship goes by the counters, GTO does not.
"""

import argparse
import difflib
import json
import subprocess
import sys


def run(command, repository):
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}", file=sys.stderr)
        sys.exit(2)
    return done.stdout


def selectors(repository, gto):
    """Every model, and every shortcut that names something."""
    for model, summary in json.loads(run([gto, "show", "--json"], repository)).items():
        yield model
        yield f"{model}@latest"
        if summary["version"]:
            yield f"{model}@{summary['version']}"
        for stage, version in summary["stage"].items():
            if version:
                yield f"{model}#{stage}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository")
    parser.add_argument("tagship")
    parser.add_argument("--gto", default="gto")
    options = parser.parse_args()

    def ours(*words):
        return run([options.tagship, "registry", *words, "--format", "json"], options.repository)

    def theirs(*words):
        return run([options.gto, *words, "--json"], options.repository)

    questions = [("show",)]
    for selector in selectors(options.repository, options.gto):
        questions.append(("show", selector))
        if not set("@#") & set(selector):
            questions.append(("history", selector))
    different = 0
    for question in questions:
        expected, got = theirs(*question), ours(*question)
        if expected != got:
            different += 1
            lines = difflib.unified_diff(
                expected.splitlines(), got.splitlines(), "gto", "tagship", lineterm="", n=2
            )
            print(f"{' '.join(question)} differs:", *list(lines)[:60], sep="\n")
    print(f"{len(questions)} questions, {different} answered differently")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
