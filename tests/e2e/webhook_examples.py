#!/usr/bin/env python3
"""Feeds published webhook payloads through `tagship decide` and checks that each gets an answer.

    webhook_examples.py TAGSHIP EXAMPLES

EXAMPLES is a file or directory of the npm package @octokit/webhooks-examples (`package/` of the tarball; version 7.6.1
was tried): `index.json` files, each a list of `{"name": ..., "examples": [...]}`. Every payload of every event goes
through the program, those of events that tagship reads and those that it does not. Expected is exit 0, one JSON document
on standard output with a known action and a reason, the subject commit of the payload, and nothing that looks like a
crash. A payload may be refused (exit 2) only where the field that the message names is missing in it; a merge queue's commit that is
not checked out ends with 3.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

# Where the subject's commit stands in the payload, for events that are about one.
SUBJECT = {
    "pull_request": ["pull_request", "head", "sha"],
    "pull_request_target": ["pull_request", "head", "sha"],
    "merge_group": ["merge_group", "head_sha"],
    "workflow_run": ["workflow_run", "head_sha"],
    "check_suite": ["check_suite", "head_sha"],
    "check_run": ["check_run", "head_sha"],
    "deployment_status": ["deployment", "sha"],
}
READ = {
    *SUBJECT,
    "push",
    "release",
    "registry_package",
    "repository_dispatch",
    "workflow_dispatch",
    "issue_comment",
    "schedule",
}
# Events that the package lacks and whose payload is that of another one: (name, from, field renamed to).
SAME = [
    ("pull_request_target", "pull_request", None),
    ("registry_package", "package", ("package", "registry_package")),
]
CONFIG = """version: 1
models:
  hello-world-npm:
    artifact: model.onnx
    environments:
      production:
        target: { local: { url: "http://127.0.0.1:9", admin-url: "http://127.0.0.1:9", token-env: TOKEN } }
"""
ACTIONS = {"skip", "validate-only", "tick", "deploy"}


def at(payload, path):
    for key in path:
        payload = payload.get(key) if isinstance(payload, dict) else None
    return payload


def examples(root):
    """(where, event name, payload) of every example, and of the events that share a payload."""
    files = [root] if root.is_file() else sorted(root.rglob("index.json"))
    for file in files:
        for event in json.loads(file.read_text()):
            for number, payload in enumerate(event["examples"]):
                where = f"{file.parent.name}/{event['name']}[{number}]"
                yield where, event["name"], payload
                for name, source, renamed in SAME:
                    if source == event["name"]:
                        payload = dict(payload)
                        if renamed:
                            payload[renamed[1]] = payload.pop(renamed[0])
                        yield f"{where} as {name}", name, payload
    yield "schedule", "schedule", {"schedule": "*/15 * * * *"}


def repository(directory):
    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True)

    git("init", "--quiet", "--initial-branch", "main")
    git("config", "user.name", "Test")
    git("config", "user.email", "test@example.com")
    (directory / "tagship.yml").write_text(CONFIG)
    (directory / "model.onnx").write_bytes(b"bytes")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Start")


def problem(name, payload, done):
    """What is wrong with an answer, or None."""
    if "panicked" in done.stderr or done.returncode < 0 or done.returncode > 6:
        return f"it crashed ({done.returncode}): {done.stderr}"
    if done.returncode == 2:
        missing = re.search(r"payload has no ([\w.]+) that is", done.stderr)
        if missing and at(payload, missing[1].split(".")) is None:
            return None
        return f"it was refused: {done.stderr}"
    # A merge queue must not take "not checked out" for a yes.
    unjudged = done.returncode == 3 and name == "merge_group"
    if done.returncode != 0 and not unjudged:
        return f"exit {done.returncode}: {done.stderr}"
    decision = json.loads(done.stdout)
    if unjudged and decision["reason_code"] != "merge-not-checked-out":
        return f"exit 3 for {decision['reason_code']}"
    if decision["action"] not in ACTIONS or not decision["reason_code"] or not decision["sentence"]:
        return f"no decision: {done.stdout}"
    if name not in READ and decision["reason_code"] != "unknown-event":
        return f"{name} is not read, and was decided as {decision['reason_code']}"
    if name in READ and decision["reason_code"] == "unknown-event":
        return f"{name} is read, and was told to be unknown"
    subject = at(payload, SUBJECT.get(name, []))
    if name in SUBJECT and decision["reason_code"] != "event-ignored" and decision["sha"] != subject:
        return f"it is about {decision['sha']}, not {subject}"
    return None


def main():
    tagship, root = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    count, wrong, reasons = 0, [], {}
    with tempfile.TemporaryDirectory() as scratch:
        directory = pathlib.Path(scratch)
        repository(directory)
        event = directory / ".git" / "event.json"
        for where, name, payload in examples(root):
            count += 1
            event.write_text(json.dumps(payload))
            command = [tagship, "decide", "--event-name", name, "--event-path", event, "--format", "json"]
            environment = {"PATH": "/usr/bin:/bin", "HOME": scratch}
            done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
            why = problem(name, payload, done)
            if why:
                wrong.append(f"{where}: {why}")
            elif name in READ and done.returncode != 2:
                reason = (name, json.loads(done.stdout)["reason_code"])
                reasons[reason] = reasons.get(reason, 0) + 1
    for (name, reason), times in sorted(reasons.items()):
        print(f"{name:22} {reason:22} {times}")
    print(f"{count} payloads, {len(wrong)} wrong")
    for line in wrong:
        print(line)
    missing = READ - {name for name, _ in reasons}
    if missing:
        print(f"no payload of {', '.join(sorted(missing))}")
    return 1 if wrong or missing or count < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
