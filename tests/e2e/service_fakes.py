#!/usr/bin/env python3
"""Stand-ins for services: as much of their interfaces as the hooks use, written from the published descriptions. What
takes long there takes a few questions here.

As a program it is the AWS CLI, or with `gcloud` as its second word the gcloud CLI: service_fakes.py DIRECTORY [gcloud] WORDS...
"""

import http.server
import json
import shutil
import sys
import threading
from pathlib import Path


class Fake(http.server.ThreadingHTTPServer):
    """An HTTP interface on this machine: `answer(method, path, body)` gives a code and an object."""

    daemon_threads = True

    def __init__(self):
        fake, self.turn = self, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def act(self):
                length = int(self.headers.get("content-length", 0))
                body = json.loads(self.rfile.read(length) or b"{}")
                with fake.turn:
                    code, said = fake.answer(self.command, self.path, body)
                text = json.dumps(said).encode()
                self.send_response(code)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_DELETE = act

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()

    def handle_error(self, *_):
        """A hook that is killed part way leaves its request: that is part of the check."""


class FakeTriton(Fake):
    """Explicit model control over a repository; of each model the highest number is served."""

    def __init__(self, repository: Path):
        super().__init__()
        self.repository, self.loaded, self.broken, self.gaps = repository, {}, set(), 0

    def answer(self, method: str, path: str, body: dict) -> tuple:
        words = path.strip("/").split("/")
        if words[:3] == ["v2", "repository", "models"] and method == "POST":
            return self.control(words[3], words[4])
        if words[:2] == ["v2", "models"] and words[-1] == "ready":
            number = int(words[4]) if words[3] == "versions" else None
            there = self.loaded.get(words[2])
            return (200 if there is not None and number in (None, there) else 400), {}
        return 404, {"error": f"no {path}"}

    def control(self, name: str, verb: str) -> tuple:
        if verb == "unload":
            self.loaded.pop(name, None)
            return 200, {}
        numbers = [int(entry.name) for entry in (self.repository / name).glob("[0-9]*") if any(entry.iterdir())]
        if name in self.broken or not numbers:
            return 400, {"error": f"cannot load {name}"}
        if self.loaded.get(name) not in (None, *numbers):
            self.gaps += 1
        self.loaded[name] = max(numbers)
        return 200, {}


class FakeVertex(Fake):
    """One endpoint. An operation is done after it was looked for three times."""

    def __init__(self, place: str):
        super().__init__()
        self.place, self.location = place, place.rsplit("/endpoints/", 1)[0]
        self.endpoint = {"name": place, "etag": "1", "labels": {}, "deployedModels": [], "trafficSplit": {}}
        self.models, self.running, self.counter, self.change_before_patch = {}, [], 0, False

    def answer(self, method: str, path: str, body: dict) -> tuple:
        path, _, query = path.lstrip("/").partition("?")
        if path == self.place and method == "GET":
            return 200, {key: value for key, value in self.endpoint.items() if value}
        if path == self.place and method == "PATCH":
            return self.patch(body)
        if path == f"{self.place}/operations":
            return 200, self.operations()
        if path in (f"{self.place}:deployModel", f"{self.place}:undeployModel"):
            if self.running:
                return 400, {"error": {"message": "another operation runs"}}
            self.running.append([2, path, body])
            return 200, {"name": "operations/1"}
        if path == f"{self.location}/models:upload":
            self.counter += 1
            name = f"{self.location}/models/{self.counter}"
            self.models[name] = {"name": name, **body["model"]}
            return 200, {"name": "operations/2", "done": True, "response": {"model": name}}
        if path == f"{self.location}/models":
            labels = dict(part.removeprefix("labels.").split("%3D") for part in query.removeprefix("filter=").split("%20AND%20"))
            return 200, {"models": [model for model in self.models.values() if model["labels"] == labels]}
        if path in self.models and method == "DELETE":
            del self.models[path]
            return 200, {"name": "operations/3"}
        return 404, {"error": {"message": f"no {method} {path}"}}

    def patch(self, body: dict) -> tuple:
        if self.change_before_patch:
            self.endpoint["etag"] = "changed by others"
        if body["etag"] != self.endpoint["etag"]:
            return 409, {"error": {"message": "etag does not match", "status": "ABORTED"}}
        split, ids = body["trafficSplit"], {deployed["id"] for deployed in self.endpoint["deployedModels"]}
        if split and (sum(split.values()) != 100 or not set(split) <= ids):
            return 400, {"error": {"message": f"trafficSplit {split} must sum to 100 over deployed models {ids}"}}
        self.endpoint.update(labels=body["labels"], trafficSplit=split, etag=str(int(self.endpoint["etag"]) + 1))
        return 200, self.endpoint

    def operations(self) -> dict:
        for operation in list(self.running):
            operation[0] -= 1
            if operation[0] <= 0:
                self.running.remove(operation)
                self.finish(*operation[1:])
        return {"operations": [{"name": "operations/1"} for _ in self.running]}

    def finish(self, path: str, body: dict):
        deployed = self.endpoint["deployedModels"]
        if path.endswith(":deployModel"):
            self.counter += 1
            deployed.append({"id": str(self.counter), **body["deployedModel"]})
        else:
            self.endpoint["deployedModels"] = [one for one in deployed if one["id"] != body["deployedModelId"]]
        self.endpoint["etag"] = str(int(self.endpoint["etag"]) + 1)


class FakeAws:
    """Objects with conditional writes, and endpoints that are `Updating` for two looks."""

    def __init__(self, home: Path):
        self.home, self.file = home, home / "world.json"
        home.mkdir(exist_ok=True)
        empty = {"endpoints": {}, "configs": {}, "models": {}, "objects": {}}
        self.world = json.loads(self.file.read_text()) if self.file.exists() else empty

    def run(self, words: list) -> int:
        service, verb, *rest = words
        given, name = {}, None
        for word in rest:
            if word.startswith("--"):
                name = word.lstrip("-").replace("-", "_")
                given[name] = []
            elif name:
                given[name].append(word)
            else:
                given.setdefault("words", []).append(word)
        self.given, self.words = given, rest
        try:
            said = getattr(self, f"{service}_{verb}".replace("-", "_"))()
        except LookupError as error:
            print(f"\nAn error occurred ({error.args[0]}) when calling the {verb} operation: {error.args[1]}", file=sys.stderr)
            return 254
        self.file.with_suffix(".new").write_text(json.dumps(self.world))
        self.file.with_suffix(".new").rename(self.file)
        if said is not None:
            print(json.dumps(said))
        return 0

    def one(self, name: str) -> str:
        return self.given[name][0]

    def s3_cp(self):
        source, uri = [word for word in self.words if not word.startswith("--")]
        to = self.home / "s3" / uri.removeprefix("s3://")
        to.mkdir(parents=True, exist_ok=True)
        if Path(source).is_dir():
            shutil.copytree(source, to, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, to / Path(source).name)

    def s3api_get_object(self):
        found = self.world["objects"].get(self.one("key"))
        if found is None:
            raise LookupError("NoSuchKey", "The specified key does not exist.")
        Path(self.words[-3] if self.words[-2] == "--output" else self.words[-1]).write_text(found["text"])
        return {"ETag": found["etag"]}

    def s3api_put_object(self):
        key, found = self.one("key"), self.world["objects"].get(self.one("key"))
        matches = found and found["etag"] == self.given.get("if_match", [None])[0]
        if not (matches or (found is None and "if_none_match" in self.given)):
            raise LookupError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        etag = f'"{int(found["etag"].strip(chr(34))) + 1 if found else 1}"'
        self.world["objects"][key] = {"etag": etag, "text": Path(self.one("body")).read_text()}
        return {"ETag": etag}

    def sagemaker_create_model(self):
        if self.one("model_name") in self.world["models"]:
            raise LookupError("ValidationException", "Cannot create already existing model")
        self.world["models"][self.one("model_name")] = json.loads(self.one("primary_container"))
        return {"ModelArn": "arn"}

    def sagemaker_delete_model(self):
        if self.world["models"].pop(self.one("model_name"), None) is None:
            raise LookupError("ValidationException", "Could not find model")

    def sagemaker_create_endpoint_config(self):
        name, parts = self.one("endpoint_config_name"), json.loads(self.one("production_variants"))
        if name in self.world["configs"]:
            raise LookupError("ValidationException", "Cannot create already existing endpoint configuration")
        for part in parts:
            if part["ModelName"] not in self.world["models"]:
                raise LookupError("ValidationException", f"Could not find model {part['ModelName']}")
        self.world["configs"][name] = parts
        return {"EndpointConfigArn": "arn"}

    def sagemaker_create_endpoint(self):
        self.begin("Creating", self.configured({}))
        return {"EndpointArn": "arn"}

    def sagemaker_update_endpoint(self):
        kept = {one["VariantName"]: one["CurrentWeight"] for one in self.endpoint()["ProductionVariants"]}
        self.begin("Updating", self.configured(kept))
        return {"EndpointArn": "arn"}

    def sagemaker_update_endpoint_weights_and_capacities(self):
        wanted = dict(part.split(",") for part in self.given["desired_weights_and_capacities"])
        weights = {name.removeprefix("VariantName="): int(weight.removeprefix("DesiredWeight="))
                   for name, weight in wanted.items()}
        there = self.endpoint()["ProductionVariants"]
        if {one["VariantName"] for one in there} != set(weights):
            raise LookupError("ValidationException", f"Could not find variants {weights}")
        self.begin("Updating", [{**one, "CurrentWeight": weights[one["VariantName"]]} for one in there])
        return {"EndpointArn": "arn"}

    def sagemaker_delete_endpoint(self):
        self.endpoint()
        self.begin("Deleting", [])

    def sagemaker_describe_endpoint(self):
        endpoint = self.world["endpoints"].get(self.one("endpoint_name"))
        if endpoint is None:
            raise LookupError("ValidationException", "Could not find endpoint")
        if endpoint["EndpointStatus"] != "InService":
            endpoint["looks"] -= 1
            if endpoint["looks"] <= 0 and endpoint["EndpointStatus"] == "Deleting":
                del self.world["endpoints"][self.one("endpoint_name")]
            elif endpoint["looks"] <= 0:
                endpoint.update(EndpointStatus="InService", ProductionVariants=endpoint["next"])
        return endpoint

    def configured(self, kept: dict) -> list:
        parts = self.world["configs"][self.one("endpoint_config_name")]
        return [{"VariantName": part["VariantName"], "CurrentInstanceCount": part["InitialInstanceCount"],
                 "CurrentWeight": kept.get(part["VariantName"], part["InitialVariantWeight"])} for part in parts]

    def endpoint(self) -> dict:
        endpoint = self.world["endpoints"].get(self.one("endpoint_name"))
        if endpoint is None or endpoint["EndpointStatus"] != "InService":
            raise LookupError("ValidationException", "Cannot update in-progress endpoint")
        return endpoint

    def begin(self, status: str, variants: list):
        before = self.world["endpoints"].get(self.one("endpoint_name"), {}).get("ProductionVariants", [])
        self.world["endpoints"][self.one("endpoint_name")] = {
            "EndpointStatus": status, "ProductionVariants": before, "next": variants, "looks": 2}


def gcloud(words: list) -> int:
    if words[:2] == ["auth", "print-access-token"]:
        print("a-token")
    return 0


if __name__ == "__main__":
    home, *words = sys.argv[1:]
    sys.exit(gcloud(words[1:]) if words[0] == "gcloud" else FakeAws(Path(home)).run(words))
