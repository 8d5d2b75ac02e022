#!/usr/bin/env python3
"""Turns webhooks of MLflow into events of a repository on GitHub. Needs Python 3.9 and nothing else.

A webhook is believed only if its signature is right, it is fresh, and it was not delivered before. All that goes on to the
repository is that a model has a new version; which bytes that are, the workflow asks MLflow itself.

environment:
  MLFLOW_WEBHOOK_SECRET  the secret that the webhook was created with
  GITHUB_TOKEN           a fine-grained token for the one repository, with the permission "Contents: write"
  GITHUB_REPOSITORY      OWNER/NAME
  GITHUB_API_URL         https://api.github.com where it is not set
  RELAY_MODELS           MLflow's names and those in tagship.yml, e.g. `churn-eu=churn,fraud=fraud`; any, unchanged, where it is
                         not set
  RELAY_LISTEN           HOST:PORT, 127.0.0.1:8787 where it is not set; put a proxy with TLS before it
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import sys
import threading
import time
import urllib.request
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FRESH = 300  # seconds that a webhook may be old, or ahead by another clock
LARGEST = 256 * 1024  # bytes of a webhook
REMEMBERED = 10_000  # deliveries
LONGEST_TIME = 12  # digits of a time in seconds
NEWS = {("model_version", "created"), ("model_version_alias", "created")}


class Refused(Exception):
    pass


class Deliveries:
    """Those that were passed on, so that none is replayed while it is fresh."""

    def __init__(self):
        self.lock, self.known = threading.Lock(), OrderedDict()

    def begin(self, delivery: str) -> bool:
        with self.lock:
            if delivery in self.known:
                return False
            self.known[delivery] = None
            while len(self.known) > REMEMBERED:
                self.known.popitem(last=False)
            return True

    def forget(self, delivery: str):
        """What could not be passed on may come again."""
        with self.lock:
            self.known.pop(delivery, None)


def verify(secret: bytes, headers, body: bytes, now: float) -> str:
    """Answers the id of the delivery, or says why it is not believed."""
    delivery, sent = headers.get("X-MLflow-Delivery-Id"), headers.get("X-MLflow-Timestamp")
    signature = headers.get("X-MLflow-Signature")
    if not (delivery and sent and signature):
        raise Refused("it is not signed")
    if not sent.isascii() or not sent.isdigit() or len(sent) > LONGEST_TIME or abs(now - int(sent)) > FRESH:
        raise Refused("it is not fresh")
    signed = b".".join((delivery.encode(), sent.encode(), body))
    wanted = b"v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest())
    if not hmac.compare_digest(wanted, signature.encode()):
        raise Refused("its signature is wrong")
    return delivery


def payload(body: bytes, models) -> "dict | None":
    """What the repository is told; nothing where the webhook is about something else."""
    try:
        document = json.loads(body)
        data = document["data"]
        if (document["entity"], document["action"]) not in NEWS:
            return None
        name, version = str(data["name"]), str(data["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"it is no webhook of a model registry: {error}") from error
    model = name if models is None else models.get(name)
    return None if model is None else {"model": model, "version": version, "uri": f"models:/{name}/{version}"}


def dispatch(told: dict):
    base = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
    body = json.dumps({"event_type": "model-version-created", "client_payload": told}).encode()
    asked = urllib.request.Request(f"{base}/repos/{os.environ['GITHUB_REPOSITORY']}/dispatches", data=body, method="POST")
    asked.add_header("accept", "application/vnd.github+json")
    asked.add_header("authorization", f"Bearer {os.environ['GITHUB_TOKEN']}")
    asked.add_header("content-type", "application/json")
    asked.add_header("user-agent", "tagship-mlflow-relay")
    urllib.request.urlopen(asked, timeout=20).close()


def relay(secret: bytes, models, deliveries: Deliveries):
    class Relay(BaseHTTPRequestHandler):
        timeout = 20

        def do_POST(self):
            status, said = self.outcome()
            print(f"{status} {said}", file=sys.stderr, flush=True)
            text = (said + "\n").encode()
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def outcome(self):
            length = self.headers.get("content-length", "")
            if not (length.isascii() and length.isdigit()) or int(length) > LARGEST:
                return 413, "its length is missing or too large"
            body = self.rfile.read(int(length))
            try:
                delivery = verify(secret, self.headers, body, time.time())
                told = payload(body, models)
            except Refused as refused:
                return 401, str(refused)
            if told is None:
                return 200, "nothing to pass on"
            if not deliveries.begin(delivery):
                return 200, "it was passed on before"
            try:
                dispatch(told)
            except (OSError, http.client.HTTPException) as error:
                deliveries.forget(delivery)
                # MLflow sends it again.
                return 502, f"GitHub could not be told: {error}"
            return 202, f"passed on {told['uri']}"

        def log_message(self, *_):
            pass

    return Relay


def main():
    missing = [name for name in ("MLFLOW_WEBHOOK_SECRET", "GITHUB_TOKEN", "GITHUB_REPOSITORY") if not os.environ.get(name)]
    if missing:
        raise SystemExit(f"set {', '.join(missing)}; see the head of this file")
    named = os.environ.get("RELAY_MODELS")
    models = dict(pair.strip().split("=", 1) for pair in named.split(",")) if named else None
    host, port = (os.environ.get("RELAY_LISTEN") or "127.0.0.1:8787").rsplit(":", 1)
    handler = relay(os.environ["MLFLOW_WEBHOOK_SECRET"].encode(), models, Deliveries())
    ThreadingHTTPServer((host, int(port)), handler).serve_forever()


if __name__ == "__main__":
    main()
