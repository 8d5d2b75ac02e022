"""Everything that Tagship gives to Kubernetes, held against kubectl's own validation and the server's, and each of it once
more with a mistake in it, which both have to refuse."""

import copy
import json
import subprocess

# The field of each kind that gets a value of the wrong type.
MISTAKES = {
    "Role": ("rules", 7), "RoleBinding": ("subjects", 7), "ConfigMap": ("data", 7), "Deployment": ("spec", "replicas", "two"),
    "Service": ("spec", "ports", "http"), "HTTPRoute": ("spec", "rules", 7), "InferenceService": ("spec", "predictor", 7),
    "Rollout": ("spec", "replicas", "two"),
}
# kubectl judges by the descriptions that the server gives of its kinds; the server by itself, on the way to keeping it.
KUBECTL = {"kubectl": ("--dry-run=client", "--validate=strict")}
SERVER = {"the server": ("--dry-run=server", "--validate=ignore")}
# Since servers can be strict (1.25), kubectl leaves that to them.
STRICT_SERVER = {"the server, strictly": ("--dry-run=server", "--validate=strict")}
UNKNOWN_FIELD = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe", "namespace": "default"}, "unknown": 1}
# What a server adds to an object.
ADDED = ("creationTimestamp", "generation", "managedFields", "ownerReferences", "resourceVersion", "selfLink", "uid")


def check(reader, target: str, kinds: list[str]):
    """The rights that are printed, and the objects that are there: none may be refused, and none with a mistake be taken."""
    environment = reader.bench.environment
    does_kubectl_judge = not judged(environment, UNKNOWN_FIELD, KUBECTL["kubectl"])[0]
    judges = SERVER | (KUBECTL if does_kubectl_judge else STRICT_SERVER)
    printed = reader.bench.run(0, "init", "--target", target, "--rbac")
    objects = listed(environment, "create", "--dry-run=client", "--validate=false", "-f", "-", given=printed)
    for kind in kinds:
        found = [clean(there) for there in listed(environment, "get", kind, "-n", "ml", "--show-managed-fields") if is_ours(there)]
        if not found:
            raise SystemExit(f"FAILED: no {kind} of Tagship is there to be judged")
        objects += found
    for there in objects:
        what = f"{target}: {there['kind']} {there['metadata']['name']}"
        wrong = with_mistake(there)
        for judge, words in judges.items():
            taken, said = judged(environment, there, words)
            if not taken:
                raise SystemExit(f"FAILED: {what} is refused by {judge}: {said}")
            taken, said = judged(environment, wrong, words)
            if taken:
                raise SystemExit(f"FAILED: {what} with a mistake is taken by {judge}: {said}")
        print(f"ok: {what}: taken by {' and '.join(judges)}, and refused by both with a mistake in it")


def listed(environment: dict, *words: str, given: str = "") -> list[dict]:
    done = subprocess.run(["kubectl", *words, "-o", "json"], env=environment, input=given, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"FAILED: kubectl {' '.join(words)}: {done.stderr}")
    # Several objects of one command are printed one behind the other.
    found, rest, reads = [], done.stdout.strip(), json.JSONDecoder()
    while rest:
        document, end = reads.raw_decode(rest)
        found += document["items"] if document["kind"] == "List" else [document]
        rest = rest[end:].strip()
    return found


def is_ours(there: dict) -> bool:
    return any(owner["manager"] == "tagship" for owner in there["metadata"].get("managedFields", []))


def clean(there: dict) -> dict:
    """As it was sent, under a name that nothing has, so that a server judges it as a new one."""
    there = {name: value for name, value in there.items() if name != "status"}
    there["metadata"] = {name: value for name, value in there["metadata"].items() if name not in ADDED}
    there["metadata"]["name"] += "-again"
    if there["kind"] == "Service":
        for address in ("clusterIP", "clusterIPs"):
            there["spec"].pop(address, None)
    return there


def with_mistake(there: dict) -> dict:
    wrong = copy.deepcopy(there)
    *path, field, value = MISTAKES[there["kind"]]
    place = wrong
    for part in path:
        place = place[part]
    place[field] = value
    return wrong


def judged(environment: dict, there: dict, words: tuple[str, ...]) -> tuple[bool, str]:
    done = subprocess.run(["kubectl", "apply", *words, "-f", "-"], env=environment, input=json.dumps(there), capture_output=True, text=True)
    return done.returncode == 0, (done.stdout + done.stderr).strip()
