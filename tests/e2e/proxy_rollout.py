#!/usr/bin/env python3
"""The hook of a proxy is checked against the protocol; then canaries go through it and a real proxy, and what clients get is
counted, request by request. Then a Prometheus judges them.

usage: proxy_rollout.py TAGSHIP nginx|haproxy|envoy PROGRAM HOOKS DIRECTORY
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import proxied_metrics
from proxies import KINDS, Proxy, bounds
from rollout_bench import FIXTURES, Bench, Meanwhile, a_case, expect, fail_with_logs, free_ports, request, wait_for

CONFIG = """version: 1
models:
  churn:
    artifact: models/model.onnx
    reports: { junit: ["reports/*.xml"], metrics: reports/metrics.json }
    validate: { golden: { cases: models/golden.json, tolerance: 1e-4 } }
    gate: { rules: [{ name: floor, expr: metrics.accuracy >= 0.5 }] }
    environments:
      production:
        target: { exec: { command: ["HOOK", "hook.json"], timeout: 30s } }
        strategy: { canary: { steps: [ { set-weight: 10 }, { pause: {} }, { set-weight: 50 }, { pause: {} } ] } }
"""
# Requests that a random share is told from.
DRAWS = 1000


def main():
    tagship, kind, program, hooks, directory = sys.argv[1:]
    hook = f"{hooks}/{kind}.py"
    with Bench(directory, tagship, CONFIG.replace("HOOK", hook)) as bench:
        proxy = KINDS[kind](bench, program, Path(hooks))
        try:
            ports = play(bench, proxy, hook)
            proxied_metrics.play(bench, proxy.url(), proxy.state, hook, ports)
        except BaseException as error:
            fail_with_logs(bench, error, bench.home.glob("state/*/versions/*/log.txt"))
        finally:
            stop_backends(bench.home)


def play(bench: Bench, proxy: Proxy, hook: str) -> range:
    """Leads rollouts by hand; answers the ports that servers are on."""
    ports = free_ports(21)
    here = Path(__file__).parent
    (bench.clone / "hook.json").write_text(json.dumps({
        "directory": str(proxy.state), "ports": [ports[0], ports[-1]],
        "start": [sys.executable, str(here / "serve_backend.py"), f"{bench.tagship}-serve"],
        "model-path": "/v2/models/{model}", "ready-path": "/v2/models/{model}/ready", **proxy.settings(),
    }))
    proxy.start()

    def shares(what: str, wanted: dict):
        """Requests, shared exactly or within chance."""
        counted, limits = {}, {}
        n = 100 if proxy.exact else DRAWS
        limits = {version: (share, share) if proxy.exact else bounds(n, share / 100)
                  for version, share in wanted.items()}

        def as_wanted():
            nonlocal counted
            body = json.dumps(a_case()).encode()
            counted = Counter(request(proxy.url(), body)["model_version"] for _ in range(n))
            return set(counted) <= set(wanted) and all(low <= counted[version] <= high
                                                       for version, (low, high) in limits.items())

        if proxy.exact:
            # Workers of before a reload may answer the first ones, then none.
            wait_for(f"{what}: {wanted}", as_wanted)
        elif not as_wanted():
            raise SystemExit(f"FAILED: {what}: {dict(counted)}, expected {limits}")
        print(f"ok: {what}: {dict(counted)}" + ("" if proxy.exact else f" within {limits}"))

    one = bench.release("v1")
    bench.run(0, "rollout")
    shares("the first version has all traffic", {one: 100})

    with Load(proxy.url()):
        check(bench, hook)
    shares("checking the hook touched nobody else", {one: 100})

    two = bench.release("v2")
    with Load(proxy.url()):
        bench.run(4, "rollout")
    shares("a tenth for the second version", {one: 90, two: 10})
    late = {"schema": "tagship/hook/v1", "verb": "promote", "model": "churn", "fence": 1, "version": two}
    expect("a late order is refused", ask_hook(bench, hook, late), 14)
    shares("and moved nothing", {one: 90, two: 10})
    with Load(proxy.url()):
        cohort(bench, proxy, hook, one, two)
    shares("and shares stay", {one: 90, two: 10})
    if proxy.restart():
        shares("a restarted proxy goes on as it was", {one: 90, two: 10})
    with Load(proxy.url()):
        bench.run(4, "rollout", "--promote")
    shares("half for the second version", {one: 50, two: 50})
    with Load(proxy.url()):
        bench.run(1, "rollout", "--abort")
    shares("all traffic is back", {one: 100})

    with Load(proxy.url()):
        bench.run(4, "rollout", "--retry")
    shares("a tenth again", {one: 90, two: 10})
    with Load(proxy.url()):
        bench.run(0, "rollout", "--promote-full")
    shares("the second version has all traffic", {two: 100})
    arms = json.loads((proxy.state / "churn" / "state.json").read_text())["arms"]
    expect("the first version is gone", list(arms), [two])
    smoke = bench.state()["judges"]["smoke"]
    expect("golden cases ran against the backend", (smoke["phase"], smoke["n"] > 0), ("Successful", True))
    with Load(proxy.url()):
        bench.run(0, "rollback")
    shares("the first version came back", {one: 100})
    return ports


def cohort(bench: Bench, proxy: Proxy, hook: str, one: str, two: str):
    """The requests with a header go to the second version, all of them and no others."""
    body = json.dumps(a_case()).encode()
    fence = json.loads((proxy.state / "churn" / "state.json").read_text())["fence"]

    def route(match: dict | None):
        order = {"schema": "tagship/hook/v1", "verb": "route", "model": "churn", "fence": fence, "match": match}
        code = ask_hook(bench, hook, order)
        expect(f"route {match}", code in (0, 10, 11), True)

    def answered(value: str) -> Counter:
        requests = (urllib.request.Request(proxy.url(), body, {"content-type": "application/json", "x-cohort": value})
                    for _ in range(60))
        return Counter(json.load(urllib.request.urlopen(asked, timeout=10))["model_version"] for asked in requests)

    match = {"version": two, "header": "x-cohort", "exact": "beta"}
    route(match)
    wait_for("all requests with the header go to the second version", lambda: answered("beta") == {two: 60})
    for value in ("Beta", "beta2", "b"):
        expect(f"requests with {value!r} are shared as ever", answered(value)[one] > 30, True)
    route({**match, "exact": "gamma"})
    wait_for("another value takes its place", lambda: answered("gamma") == {two: 60} and answered("beta")[one] > 30)
    route(None)
    wait_for("no header leads anywhere any more", lambda: answered("gamma")[one] > 30)


class Load(Meanwhile):
    """A client that asks as long as this lasts. Not one of its requests may fail."""

    def __init__(self, url: str):
        super().__init__()
        self.url, self.body, self.answered, self.failed = url, json.dumps(a_case()).encode(), 0, []

    def act(self, _: int):
        try:
            request(self.url, self.body)
            self.answered += 1
        except (OSError, ValueError) as error:
            self.failed.append(repr(error))
        time.sleep(0.005)

    def __exit__(self, kind, *rest):
        super().__exit__(kind, *rest)
        if kind is None:
            expect(f"failed requests, of {self.answered + len(self.failed)}", self.failed[:3], [])


def check(bench: Bench, hook: str):
    """Every rule of the protocol, with real models."""
    artifacts = [word for variant in ("v1", "v2") for word in ("--artifact", str(FIXTURES / variant / "model.onnx"))]
    said = bench.run(0, "target", "check", "--patience", "60s", *artifacts, "--", hook, "hook.json", patience=900)
    print(f"ok: {Path(hook).name} keeps every rule: {sum(' ✔ ' in line for line in said.splitlines())} apply")


def ask_hook(bench: Bench, hook: str, question: dict) -> int:
    done = subprocess.run([hook, "hook.json"], cwd=bench.clone, input=json.dumps(question), text=True, capture_output=True)
    return done.returncode


def stop_backends(home: Path):
    for file in home.glob("state/*/state.json"):
        for arm in json.loads(file.read_text())["arms"].values():
            try:
                os.killpg(arm["pid"], signal.SIGTERM)
            except ProcessLookupError:
                pass


main()
