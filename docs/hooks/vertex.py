#!/usr/bin/env python3
"""Moves a model's traffic between deployed models of a Vertex AI endpoint: a hook for Tagship's target `exec`. Needs
tagship_hook.py beside it, and the gcloud CLI, logged in with rights to the endpoint and the bucket.

    target: { exec: { command: ["./deploy/vertex.py", "deploy/vertex.json"], timeout: 5m } }

Settings:

    "gcloud": ["gcloud"],                                                         the CLI
    "endpoints": { "churn": "projects/p/locations/europe-west4/endpoints/123" },  the endpoint of each model, made before
    "bucket": "gs://our-models/tagship",                                          where bytes are put
    "container": { "imageUri": "..." },                                           `containerSpec` of a model
    "resources": { "machineSpec": { "machineType": "n1-standard-2" },             `dedicatedResources` of a deployed model
                   "minReplicaCount": 1, "maxReplicaCount": 1 }

Everything is kept by the endpoint itself: the fence in a label, version and digest in the display name of each deployed model,
shares in `trafficSplit`. Fence and shares are written in one request that counts only if nobody changed the endpoint since it
was read (its etag), so that a run that woke up late moves nothing. Loading and unloading are operations of Vertex: while one
runs, the answer is that it is under way. An empty `trafficSplit` takes the model out of service.

It names no endpoint by version, so releases with golden cases need `model-url` or another way to be tried, and it counts
nothing by version: metrics need a source of their own. The CLI uploads bytes and gives the token; requests follow the
published REST interface, v1.

Tried against a stand-in for the CLI and the interface, not against Vertex AI.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from tagship_hook import CONFLICT, FAILED, PENDING, UNSUPPORTED, Answer, Hook, call, main

FENCE = "tagship-fence"
INSTALL = "install the Google Cloud CLI and log in, e.g. with google-github-actions/auth"
# How long the registration of a model is waited for.
PATIENCE = 40


class Vertex(Hook):
    endpoints = False
    token: str | None = None

    def __init__(self, settings: dict, model: str):
        if model not in settings["endpoints"]:
            raise Answer(UNSUPPORTED, f"no endpoint is named for {model} in the settings")
        self.place = settings["endpoints"][model]
        self.location = self.place.rsplit("/endpoints/", 1)[0]
        super().__init__(settings, model)

    # --- State is what the endpoint says.

    def load(self) -> dict:
        self.endpoint = self.ask("GET", self.place)
        shares, arms = self.endpoint.get("trafficSplit", {}), {}
        for deployed in self.endpoint.get("deployedModels", []):
            version, _, digest = deployed.get("displayName", "").partition(" ")
            if not digest:
                # What other hands deployed is not ours to move.
                raise Answer(CONFLICT, f"{self.place} has a model that Tagship did not deploy: {deployed['id']}")
            # Two runs at once may have deployed it twice: one of them is ended later, never the one that serves.
            if not arms.get(version, {}).get("weight"):
                arms[version] = {"digest": digest, "weight": shares.get(deployed["id"], 0), "id": deployed["id"]}
        return {"fence": int(self.endpoint.get("labels", {}).get(FENCE, 0)), "arms": arms}

    def save(self) -> None:
        """Fence and shares at once, over what was read."""
        deployed = {arm["id"]: arm["weight"] for arm in self.arms.values() if arm["id"]}
        shares = {number: weight for number, weight in deployed.items() if weight}
        labels = {**self.endpoint.get("labels", {}), FENCE: str(self.state["fence"])}
        if shares == self.endpoint.get("trafficSplit", {}) and labels == self.endpoint.get("labels"):
            return
        changed = {"etag": self.endpoint["etag"], "labels": labels, "trafficSplit": shares}
        kept = self.ask("PATCH", f"{self.place}?updateMask=labels,trafficSplit", changed)
        self.endpoint = {**self.endpoint, **changed, **kept}

    def arm(self, version: str, arm: dict) -> dict:
        return {"ready": True}

    # --- Loading and unloading.

    def prepare(self, version: str, digest: str, source: Path) -> int | None:
        if version not in self.arms:
            self.source = source
            self.arms[version] = {"digest": digest, "weight": 0, "id": None}
        return None

    def apply(self) -> int | None:
        there = {deployed["id"] for deployed in self.endpoint.get("deployedModels", [])}
        coming = [(version, arm) for version, arm in self.arms.items() if arm["id"] is None]
        going = there - {arm["id"] for arm in self.arms.values()}
        if not coming and not going:
            return None
        running = self.ask("GET", f"{self.place}/operations?filter=done%3Dfalse").get("operations", [])
        if any(not operation.get("done") for operation in running):
            return PENDING
        if self.ask("GET", self.place).get("deployedModels", []) != self.endpoint.get("deployedModels", []):
            # What ran has ended since the endpoint was read.
            return PENDING
        # One operation at a time: an endpoint takes no second one.
        for version, arm in coming:
            name = self.registered(version, arm["digest"])
            if name:
                deployed = {"model": name, "displayName": f"{version} {arm['digest']}",
                            "dedicatedResources": self.settings["resources"]}
                # Without `trafficSplit` the shares stay as they are.
                self.ask("POST", f"{self.place}:deployModel", {"deployedModel": deployed})
            return PENDING
        self.ask("POST", f"{self.place}:undeployModel", {"deployedModelId": min(going)})
        return PENDING

    def labels(self, version: str) -> dict:
        def plain(text: str) -> str:
            return "".join(c if c.isalnum() else "-" for c in text.lower())[:63]
        return {"tagship-model": plain(self.model), "tagship-version": plain(version)}

    def models(self, version: str) -> list:
        wanted = " AND ".join(f"labels.{name}={value}" for name, value in self.labels(version).items())
        return self.ask("GET", f"{self.location}/models?filter={urllib.parse.quote(wanted)}").get("models", [])

    def registered(self, version: str, digest: str) -> str | None:
        """The model of these bytes; it is uploaded where there is none. None while that goes on."""
        title = f"{self.model} {version} {digest[7:19]}"
        for model in self.models(version):
            if model["displayName"] == title:
                return model["name"]
        uri = f"{self.settings['bucket']}/{digest.removeprefix('sha256:')}/"
        recursive = ["--recursive"] if self.source.is_dir() else []
        call([*self.settings["gcloud"], "storage", "cp", "--quiet", *recursive, str(self.source), uri], INSTALL)
        model = {"displayName": title, "artifactUri": uri, "containerSpec": self.settings["container"],
                 "labels": self.labels(version)}
        operation = self.ask("POST", f"{self.location}/models:upload", {"model": model})
        until = time.monotonic() + PATIENCE
        while not operation.get("done"):
            if time.monotonic() > until:
                return None
            time.sleep(1)
            operation = self.ask("GET", operation["name"])
        if "error" in operation:
            raise Answer(FAILED, f"Vertex AI did not take the model: {operation['error'].get('message')}")
        return operation["response"]["model"]

    def order_cleanup(self, ask: dict) -> int | None:
        if ask["version"] not in self.arms:
            for model in self.models(ask["version"]):
                self.ask("DELETE", model["name"])
        return super().order_cleanup(ask)

    # --- The interface.

    def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        if self.token is None:
            self.token = call([*self.settings["gcloud"], "auth", "print-access-token", "--quiet"], INSTALL).strip()
        region = self.location.rsplit("/", 1)[1]
        base = self.settings.get("api", f"https://{region}-aiplatform.googleapis.com/v1")
        request = urllib.request.Request(f"{base}/{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        request.add_header("authorization", f"Bearer {self.token}")
        request.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            said = error.read(1000).decode(errors="replace")
            raise Answer(FAILED, f"{method} {path.split('?')[0]}: {error.code} {said}") from None


if __name__ == "__main__":
    sys.exit(main(Vertex))
