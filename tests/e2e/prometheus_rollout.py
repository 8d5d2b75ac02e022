#!/usr/bin/env python3
"""Canaries judged by a real Prometheus that scrapes a real model server and asks for a password: one is promoted, one
goes back on labels that come late, one on a value; a wrong password and a dead Prometheus are never a pass.

usage: prometheus_rollout.py TAGSHIP DIRECTORY
"""

import base64
import json
import time
import urllib.parse
import urllib.request
from pathlib import Path

from rollout_bench import Bench, Clients, expect, free_port, run_with_bench, wait_for

SERIES = '{model="churn",version="{{arm}}",route="weighted"%s}'
PASSWORD = "a-password-of-this-test"
# The same with bcrypt, at the lowest cost, for a value that protects nothing.
HASHED = "$2y$04$abcdefghijklmnopqrstuu4PjS.6bR4mrb9uvSnT58J85kaMhkZqq"
LOGIN = "user-env: PROM_USER, password-env: PROM_PASSWORD"
CONFIG = """version: 1
models:
  churn:
    artifact: models/model.onnx
    reports: { junit: ["reports/*.xml"], metrics: reports/metrics.json }
    gate: { rules: [{ name: floor, expr: metrics.accuracy >= 0.5 }] }
    environments:
      production:
        target: { local: { url: "http://INFERENCE", admin-url: "http://ADMIN", token-env: TOKEN } }
        strategy: { canary: { steps: [ { set-weight: 50 }, { pause: 4s } ] } }
        hold-back: 5%
        bake: 2s
        analysis:
          interval: 2s
          max-wait: 3m
          metrics:
            - name: errors
              kind: error-ratio
              promote-margin: { absolute: 5% }
              source: { prometheus: { url: "http://PROMETHEUS", LOGIN, bad: 'tagship_errors_totalALL', total: 'tagship_requests_totalALL' } }
            - name: latency
              kind: latency
              tolerance: 4
              promote-margin: { ratio: 8 }
              source: { prometheus: { url: "http://PROMETHEUS", LOGIN, buckets: 'tagship_request_duration_seconds_bucketALL' } }
            - name: accuracy
              kind: labelled-accuracy
              promote-margin: { absolute: 6% }
              source: { prometheus: { url: "http://PROMETHEUS", LOGIN, bad: 'tagship_feedback_totalWRONG', total: 'tagship_feedback_totalALL' } }
            - name: failures
              kind: value
              success: result <= MOST && result <= stable + 1
              source: { prometheus: { url: "http://PROMETHEUS", LOGIN, step: 1s, query: 'sum(increase(tagship_errors_totalALL[10s])) / sum(increase(tagship_requests_totalALL[10s]))' } }
"""


def play(bench: Bench, home: Path):
    bench.environment.update(TOKEN="a-token-of-this-test")
    addresses = bench.serve()
    port = free_port()
    (home / "prom.yml").write_text(f"""global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: models
    static_configs: [{{ targets: ["{addresses['inference']}"] }}]
""")
    (home / "web.yml").write_text(f"basic_auth_users: {{ reader: '{HASHED}' }}\n")
    prometheus = f"http://127.0.0.1:{port}"
    server = bench.start("prometheus", f"--config.file={home}/prom.yml", f"--storage.tsdb.path={home}/tsdb",
                         f"--web.config.file={home}/web.yml", f"--web.listen-address=127.0.0.1:{port}")

    def query(text: str):
        asked = urllib.request.Request(f"{prometheus}/api/v1/query?query={urllib.parse.quote(text)}")
        asked.add_header("authorization", "Basic " + base64.b64encode(f"reader:{PASSWORD}".encode()).decode())
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.loads(answer.read())["data"]["result"]

    bench.environment.update(PROM_USER="reader", PROM_PASSWORD=PASSWORD)
    wait_for("Prometheus", lambda: query("1"))
    config = CONFIG.replace("MOST", "0.5").replace("LOGIN", LOGIN)
    config = config.replace("INFERENCE", addresses["inference"]).replace("ADMIN", addresses["admin"])
    config = config.replace("http://PROMETHEUS", prometheus)
    config = config.replace("ALL", SERIES % "").replace("WRONG", SERIES % ',outcome="incorrect"')
    (bench.clone / "tagship.yml").write_text(config)

    def scraped(version: str):
        return query(f'tagship_feedback_total{{version="{version}",outcome="incorrect"}}')

    url = f"http://{addresses['inference']}"
    one = bench.release("v1")
    bench.run(0, "rollout")
    with Clients(url, {one: 20}) as clients:
        wait_for("series of the first version", lambda: clients.asked > 50 and scraped(one))
        two = bench.release("v2")
        clients.wrong[two] = 20
        print(bench.run(0, "rollout"))
        judged(bench, "Succeeded", two, ("errors", "latency", "accuracy", "failures"))

    three = bench.release("v4")
    (bench.clone / "tagship.yml").write_text(config.replace("kind: labelled-accuracy", "kind: labelled-accuracy\n              label-delay: 4s"))
    with Clients(url, {two: 20, three: 3}, delay=3):
        print(bench.run(1, "rollout"))
        # The others may begin to count a scrape later than the one that failed.
        state = judged(bench, "RolledBack", three, ("accuracy",))
        expect("what went wrong", (state["reason"], state["judges"]["accuracy"]["phase"]), ("AnalysisFailed", "Failed"))

    (bench.clone / "tagship.yml").write_text(config)

    def told_late():
        """Whether Prometheus has all the feedback that the model server counted: the rest would count in the next rollout."""
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as page:
            lines = [line for line in page.read().decode().splitlines() if line.startswith("tagship_feedback_total{")]
        counted = sum(float(line.split()[-1]) for line in lines)
        return float(query("sum(tagship_feedback_total)")[0]["value"][1]) == counted

    wait_for("late feedback", told_late)

    # What the source cannot answer is an error with its words, and never a pass.
    broken = config.replace("tagship_errors_total{", "tagship_eror_total{")
    (bench.clone / "tagship.yml").write_text(broken.replace("kind: error-ratio", "kind: error-ratio\n              consecutive-error-limit: 0"))
    with Clients(url, {two: 20, three: 20}):
        bench.run(1, "rollout", "--retry")
    state = bench.state()
    expect("a source without series", (state["phase"], state["reason"]), ("RolledBack", "AnalysisError"))
    cause = state["cause"]
    expect("is told in its words", "no series matches `tagship_eror_total{" in cause and "or vector(0)" in cause, True)

    def ends(what: str, reason: str, words: str, text: str):
        (bench.clone / "tagship.yml").write_text(text)
        with Clients(url, {two: 20, three: 20}):
            bench.run(1, "rollout", "--retry")
        state = bench.state()
        expect(what, (state["phase"], state["reason"]), ("RolledBack", reason))
        expect("is told in its words", words in state["cause"], True)

    ends("a value that breaks its condition", "AnalysisFailed", "failures: result is ", config.replace("<= 0.5", "<= -1"))
    bench.environment.update(PROM_PASSWORD="another")
    strict = config.replace("kind: value", "kind: value\n              consecutive-error-limit: 0")
    ends("a wrong password", "AnalysisError", "lets nobody in with these credentials", strict)

    # What nobody answers about waits for a person, and goes back once the errors are more than the plan tolerates.
    bench.environment.update(PROM_PASSWORD=PASSWORD)
    server.kill()
    server.wait()
    (bench.clone / "tagship.yml").write_text(config.replace("max-wait: 3m", "max-wait: 2s"))
    with Clients(url, {two: 20, three: 20}):
        bench.run(4, "rollout", "--retry")
        state = bench.state()
        expect("a dead Prometheus", (state["phase"], state["reason"]), ("Paused", "NoData"))
        until = time.monotonic() + 60
        while bench.state()["phase"] == "Paused" and time.monotonic() < until:
            time.sleep(1)
            bench.step("rollout", "--once")
    state = bench.state()
    expect("and then", (state["phase"], state["reason"]), ("RolledBack", "AnalysisError"))


def judged(bench: Bench, phase: str, version: str, metrics: tuple) -> dict:
    state = bench.state()
    expect("how it ended", (state["candidate"]["version"], state["phase"]), (version, phase))
    for name in metrics:
        n = state["judges"][name]["measurement"]["n"]
        print(f"ok: {name}: {state['judges'][name]['message']}")
        least = 1 if name == "failures" else 50
        expect(f"{name} was measured on both sides", min(n) >= least, True)
    return state


run_with_bench(play)
