#!/usr/bin/env python3
"""Moves a model's traffic between production variants of a SageMaker endpoint: a hook for Tagship's target `exec`. Needs
tagship_hook.py beside it, and the AWS CLI (version 2) with rights to the endpoint and the bucket.

    target: { exec: { command: ["./deploy/sagemaker.py", "deploy/sagemaker.json"], timeout: 5m,
                      env: [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN] } }

Settings:

    "aws": ["aws", "--region", "eu-central-1"],        the CLI
    "endpoints": { "churn": "churn-production" },      the endpoint of each model; it is made where it is not there
    "bucket": "our-models", "prefix": "tagship",       where bytes and the hook's state lie
    "role": "arn:aws:iam::...:role/...",               with which SageMaker runs the model
    "image": "...dkr.ecr...amazonaws.com/...",         the container that serves it
    "instance-type": "ml.m5.large", "instances": 1     of each variant

A version is a variant, its share a weight. What is asked for is kept in the bucket and written only over what was read, so that
of two runs one is told to ask again; then each run brings the endpoint one change closer and answers that it is under way
while SageMaker works. An endpoint takes no orders while it is `Updating`, also no rollback: that waits until it is done.
With no version that serves there is no endpoint. It names no endpoint by version, so releases with golden cases need
`model-url` or another way to be tried, and it counts nothing by version: use a metric source on CloudWatch.

Tried against a stand-in for the CLI, not against SageMaker.
"""

import hashlib
import json
import re
import sys
import tempfile
from pathlib import Path

from tagship_hook import FAILED, PENDING, UNSUPPORTED, Answer, CallFailed, Hook, call, main

SETTLED = "InService"
INSTALL = "install the AWS CLI, version 2"


class SageMaker(Hook):
    endpoints = False
    etag: str | None = None
    endpoint: dict | None = None

    def __init__(self, settings: dict, model: str):
        if model not in settings["endpoints"]:
            raise Answer(UNSUPPORTED, f"no endpoint is named for {model} in the settings")
        self.place = settings["endpoints"][model]
        super().__init__(settings, model)
        # Versions that are taken away, until the endpoint has let them go.
        self.gone = self.state.setdefault("gone", {})

    # --- State lies in the bucket.

    def key(self, name: str) -> str:
        return f"{self.settings['prefix']}/{self.place}/{name}"

    def load(self) -> dict | None:
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "state.json"
            try:
                self.etag = self.aws("s3api", "get-object", "--bucket", self.settings["bucket"], "--key",
                                     self.key("state.json"), str(file))["ETag"]
            except CallFailed as error:
                if "NoSuchKey" in error.message:
                    return None
                raise
            self.kept = file.read_text()
        return json.loads(self.kept)

    kept: str | None = None

    def save(self) -> None:
        text = json.dumps(self.state, indent=2)
        if text == self.kept:
            return
        only = ["--if-match", self.etag] if self.etag else ["--if-none-match", "*"]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(text)
            file.flush()
            try:
                self.etag = self.aws("s3api", "put-object", "--bucket", self.settings["bucket"], "--key",
                                     self.key("state.json"), "--body", file.name, *only)["ETag"]
            except CallFailed as error:
                if "PreconditionFailed" in error.message or "ConditionalRequestConflict" in error.message:
                    raise Answer(FAILED, "another run was faster; asked again it sees what that did") from None
                raise
        self.kept = text

    # --- Orders.

    def prepare(self, version: str, digest: str, source: Path) -> int | None:
        arm = self.arms.get(version)
        if arm is None:
            short = digest.removeprefix("sha256:")[:8]
            variant = re.sub("[^a-zA-Z0-9]+", "-", f"{version}-{short}")
            self.upload(source, variant)
            self.arms[version] = {"digest": digest, "weight": 0, "variant": variant}
            self.gone.pop(version, None)
        return None

    def upload(self, source: Path, variant: str) -> None:
        uri = f"s3://{self.settings['bucket']}/{self.key(variant)}/"
        if source.is_dir():
            self.aws("s3", "cp", "--only-show-errors", "--recursive", str(source), uri)
        else:
            self.aws("s3", "cp", "--only-show-errors", str(source), uri)
        data = {"S3DataSource": {"S3Uri": uri, "S3DataType": "S3Prefix", "CompressionType": "None"}}
        container = {"Image": self.settings["image"], "ModelDataSource": data}
        self.unless_there("create-model", "--model-name", f"{self.place}-{variant}", "--execution-role-arn",
                          self.settings["role"], "--primary-container", json.dumps(container))

    def order_rollback(self, ask: dict) -> None:
        super().order_rollback(ask)
        if ask["to"] is None:
            # An endpoint always gives its traffic to somebody.
            self.gone.update(self.arms)
            self.arms.clear()

    def unload(self, version: str, arm: dict) -> int | None:
        self.gone[version] = arm

    def apply(self) -> int | None:
        """One change of the endpoint, where it takes one."""
        self.look()
        endpoint, variants = self.endpoint, {arm["variant"]: arm["weight"] for arm in self.arms.values()}
        if endpoint is None:
            if variants:
                self.sagemaker("create-endpoint", "--endpoint-name", self.place, "--endpoint-config-name",
                               self.config(variants))
                return PENDING
            return self.forget()
        if endpoint["EndpointStatus"] == "Failed":
            raise Answer(FAILED, f"endpoint {self.place} has failed: {endpoint.get('FailureReason', 'no reason given')}")
        if endpoint["EndpointStatus"] != SETTLED:
            return PENDING
        if not variants:
            self.sagemaker("delete-endpoint", "--endpoint-name", self.place)
            return PENDING
        there = {variant["VariantName"]: variant["CurrentWeight"] for variant in endpoint["ProductionVariants"]}
        if set(there) != set(variants):
            # Scaling and shares of those that stay are theirs.
            self.sagemaker("update-endpoint", "--endpoint-name", self.place, "--retain-all-variant-properties",
                           "--endpoint-config-name", self.config(variants))
            return PENDING
        if there != variants and any(variants.values()):
            shares = [f"VariantName={name},DesiredWeight={weight}" for name, weight in variants.items()]
            self.sagemaker("update-endpoint-weights-and-capacities", "--endpoint-name", self.place,
                           "--desired-weights-and-capacities", *shares)
            return PENDING
        return self.forget()

    def config(self, variants: dict) -> str:
        """A configuration with these variants; the same ones have the same name."""
        parts = [{"VariantName": name, "ModelName": f"{self.place}-{name}", "InitialVariantWeight": weight,
                  "InitialInstanceCount": self.settings["instances"], "InstanceType": self.settings["instance-type"]}
                 for name, weight in sorted(variants.items())]
        text = json.dumps(parts)
        name = f"{self.place}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        self.unless_there("create-endpoint-config", "--endpoint-config-name", name, "--production-variants", text)
        return name

    def forget(self) -> None:
        """Deletes models that no variant uses any more."""
        for version, arm in list(self.gone.items()):
            name = f"{self.place}-{arm['variant']}"
            try:
                self.sagemaker("delete-model", "--model-name", name)
            except CallFailed as error:
                if "Could not find" not in error.message:
                    raise
            del self.gone[version]
        self.save()

    # --- What there is.

    def look(self) -> None:
        try:
            self.endpoint = self.sagemaker("describe-endpoint", "--endpoint-name", self.place)
        except CallFailed as error:
            if "Could not find" not in error.message:
                raise
            self.endpoint = None

    def variants(self) -> dict:
        parts = (self.endpoint or {}).get("ProductionVariants", [])
        return {variant["VariantName"]: variant for variant in parts}

    def shown(self) -> dict:
        there = self.variants()
        return {**{version: arm for version, arm in self.gone.items() if arm["variant"] in there}, **self.arms}

    def arm(self, version: str, arm: dict) -> dict:
        there = self.variants()
        whole = sum(variant["CurrentWeight"] for variant in there.values())
        variant = there.get(arm["variant"])
        if variant is None:
            return {"ready": False, "weight": 0}
        settled = self.endpoint["EndpointStatus"] == SETTLED
        return {"ready": settled and variant["CurrentInstanceCount"] > 0,
                "weight": round(100 * variant["CurrentWeight"] / whole) if whole else 0}

    # --- The CLI.

    def sagemaker(self, *words: str) -> dict:
        return self.aws("sagemaker", *words)

    def unless_there(self, *words: str) -> None:
        try:
            self.sagemaker(*words)
        except CallFailed as error:
            if "already existing" not in error.message:
                raise

    def aws(self, *words: str) -> dict:
        said = call([*self.settings["aws"], *words, *([] if words[0] == "s3" else ["--output", "json"])], INSTALL)
        return json.loads(said) if said.strip() else {}


if __name__ == "__main__":
    sys.exit(main(SageMaker))
