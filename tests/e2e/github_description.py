#!/usr/bin/env python3
"""Cut GitHub's published description to what Tagship calls, and close the bodies of requests.

usage: github_description.py api.github.com.json OUT.json

The whole description takes a validating proxy half a minute and a third of a gigabyte. In what is left, an unknown
field at the top of a request's JSON body is an error. Answers are judged as they are described; that any request may
be refused is added.
"""

import json
import re
import sys

REPOSITORY = "/repos/{owner}/{repo}"
# Below the repository; a path counts when one of these matches all of it.
CALLED = [
    r"",
    r"/releases(/\{release_id\}(/assets)?|/assets/\{asset_id\})?",
    r"/git/(refs|ref|matching-refs)(/\{ref\})?",
    r"/git/(tags|commits|trees|blobs)(/\{[a-z_]+\})?",
    r"/issues(/\{issue_number\}(/comments)?)?",
    r"/issues/comments/\{comment_id\}(/reactions)?",
    r"/attestations/\{subject_digest\}",
    r"/check-runs(/\{check_run_id\})?",
    r"/commits/\{ref\}(/check-runs|/status)?",
    r"/commits/\{commit_sha\}/pulls",
    r"/statuses/\{sha\}",
    r"/deployments(/\{deployment_id\}(/statuses)?)?",
    r"/contents/\{path\}",
    r"/pulls/\{pull_number\}",
    r"/collaborators/\{username\}/permission",
    r"/dispatches",
    r"/actions/workflows/\{workflow_id\}/dispatches",
    r"/actions/runs(/\{run_id\}/pending_deployments)?",
]


def is_called(path):
    below = path[len(REPOSITORY) :] if path.startswith(REPOSITORY) else None
    return below is not None and any(re.fullmatch(pattern, below) for pattern in CALLED)


def referenced(paths, components):
    """Every component that the paths lead to."""
    kept, todo = {}, [paths]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo.extend(node)
        elif isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/components/"):
                _, _, section, name = reference.split("/", 3)
                if name not in kept.setdefault(section, {}):
                    kept[section][name] = components[section][name]
                    todo.append(kept[section][name])
            todo.extend(node.values())
    return kept


def allow_refusals(paths):
    """Describes what the host answers to any request, and the description tells of some only."""
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/basic-error"}}}
    for operations in paths.values():
        for method in {"get", "post", "put", "patch", "delete"} & operations.keys():
            responses = operations[method]["responses"]
            for status in ("401", "403", "404", "429", "500", "502"):
                responses.setdefault(status, {"description": "Refused", "content": error})
            if method == "get":
                responses.setdefault("304", {"description": "Not modified"})


def close_bodies(paths):
    """Refuses unknown fields in bodies that are plain objects, and answers how many those are."""
    closed = 0
    for operations in paths.values():
        for method in {"post", "put", "patch"} & operations.keys():
            content = operations[method].get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            if "properties" in schema and not {"oneOf", "anyOf"} & schema.keys():
                schema.setdefault("additionalProperties", False)
                closed += 1
    return closed


def main(source, target):
    with open(source, encoding="utf-8") as file:
        description = json.load(file)
    paths = {path: item for path, item in description["paths"].items() if is_called(path)}
    allow_refusals(paths)
    components = referenced(paths, description["components"])
    closed = close_bodies(paths)
    unmatched = [pattern for pattern in CALLED if not any(re.fullmatch(pattern, path[len(REPOSITORY) :]) for path in paths)]
    if unmatched:
        sys.exit(f"the description has no path for {unmatched}")
    cut = {"openapi": description["openapi"], "info": description["info"], "paths": paths, "components": components}
    with open(target, "w", encoding="utf-8") as file:
        json.dump(cut, file, separators=(",", ":"))
    print(f"{len(paths)} paths, {closed} closed bodies")


if __name__ == "__main__":
    main(*sys.argv[1:])
