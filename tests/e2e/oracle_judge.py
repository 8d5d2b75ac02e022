"""Asks Tagship about many files at once, and collects where it and an oracle disagree."""

import json
import os
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

# Files per run of the program: far below what a command line may hold.
BATCH = 400
SHOWN = int(os.environ.get("ORACLE_SHOW", "12"))


def reports(tagship: str, paths: list[Path]) -> list[dict]:
    """The reports on files, in their order."""
    answers = []
    for at in range(0, len(paths), BATCH):
        names = [path.name for path in paths[at : at + BATCH]]
        done = subprocess.run(
            [tagship, "validate", "--format", "json", *names], cwd=paths[at].parent, capture_output=True, check=False
        )
        if done.returncode not in (0, 1, 3):
            raise SystemExit(f"tagship validate ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
        artifacts = json.loads(done.stdout)["artifacts"]
        if [artifact["path"] for artifact in artifacts] != names:
            raise SystemExit("tagship did not answer for every file in its place")
        answers.extend(artifacts)
    return answers


def is_pass(report: dict) -> bool:
    """Judged to the last byte, and nothing against it."""
    return report["status"] == "complete" and report["verdict"] == "pass"


def is_damaged(report: dict) -> bool:
    return report["status"] == "error"


def rules(report: dict) -> list[str]:
    return sorted({finding["rule"] for finding in report["findings"]})


class Comparison:
    """Cases of one format, and what came out."""

    def __init__(self, tagship: str, name: str, extension: str):
        self.tagship, self.name, self.extension = tagship, name, extension
        self.counts: Counter = Counter()
        self.complaints: list[str] = []
        self.kept = os.environ.get("ORACLE_KEEP")

    def judge(self, cases: list) -> list[tuple]:
        """Pairs of a case, which has `label` and `data`, and its report."""
        with tempfile.TemporaryDirectory() as directory:
            paths = []
            for at, case in enumerate(cases):
                path = Path(directory) / f"{at:06}.{self.extension}"
                path.write_bytes(case.data)
                paths.append(path)
            return list(zip(cases, reports(self.tagship, paths)))

    def count(self, what: str):
        self.counts[what] += 1

    def complain(self, case, report: dict, why: str):
        told = "; ".join(f"{f['rule']} {f.get('target') or f['message']}" for f in report["findings"][:4])
        self.complaints.append(f"{case.label}: {why} [{report['format']} {report['status']} {report['verdict']}: {told}]")
        if self.kept:
            name = "".join(letter if letter.isalnum() else "-" for letter in case.label)
            Path(self.kept, f"{self.name}-{name}.{self.extension}").write_bytes(case.data)

    def finish(self) -> bool:
        """Prints the outcome; whether there was nothing to complain about."""
        counts = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        print(f"{self.name}: {counts}; {len(self.complaints)} disagreements", flush=True)
        for complaint in self.complaints[:SHOWN]:
            print(f"  {complaint}")
        return not self.complaints
