#!/usr/bin/env python3
"""Canaries judged by a real Prometheus that scrapes a real model server: one is promoted, one goes back.

usage: prometheus_rollout.py TAGSHIP DIRECTORY
"""

import sys
import urllib.parse
from pathlib import Path

from rollout_bench import Bench, Clients, expect, fail_with_logs, free_port, request, wait_for

SERIES = '{model="churn",version="{{arm}}",route="weighted"%s}'
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
              source: { prometheus: { url: "http://PROMETHEUS", bad: 'tagship_errors_totalALL', total: 'tagship_requests_totalALL' } }
            - name: latency
              kind: latency
              tolerance: 4
              promote-margin: { ratio: 8 }
              source: { prometheus: { url: "http://PROMETHEUS", buckets: 'tagship_request_duration_seconds_bucketALL' } }
            - name: accuracy
              kind: labelled-accuracy
              promote-margin: { absolute: 6% }
              source: { prometheus: { url: "http://PROMETHEUS", bad: 'tagship_feedback_totalWRONG', total: 'tagship_feedback_totalALL' } }
"""


def main():
    tagship, directory = sys.argv[1:]
    with Bench(directory, tagship, "") as bench:
        try:
            play(bench, Path(directory))
        except BaseException as error:
            fail_with_logs(bench, error)


def play(bench: Bench, home: Path):
    bench.environment.update(TOKEN="a-token-of-this-test")
    addresses = bench.serve()
    port = free_port()
    (home / "prom.yml").write_text(f"""global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: models
    static_configs: [{{ targets: ["{addresses['inference']}"] }}]
""")
    prometheus = f"http://127.0.0.1:{port}"
    bench.start("prometheus", f"--config.file={home}/prom.yml", f"--storage.tsdb.path={home}/tsdb",
                f"--web.listen-address=127.0.0.1:{port}")
    wait_for("Prometheus", lambda: request(f"{prometheus}/api/v1/query?query=1"))
    config = CONFIG.replace("", "")
    config = CONFIG.replace("INFERENCE", addresses["inference"]).replace("ADMIN", addresses["admin"])
    config = config.replace("http://PROMETHEUS", prometheus)
    config = config.replace("ALL", SERIES % "").replace("WRONG", SERIES % ',outcome="incorrect"')
    (bench.clone / "tagship.yml").write_text(config)

    def scraped(version: str):
        query = urllib.parse.quote(f'tagship_feedback_total{{version="{version}",outcome="incorrect"}}')
        return request(f"{prometheus}/api/v1/query?query={query}")["data"]["result"]

    url = f"http://{addresses['inference']}"
    one = bench.release("v1")
    bench.run(0, "rollout")
    with Clients(url, {one: 20}) as clients:
        wait_for("series of the first version", lambda: clients.asked > 50 and scraped(one))
        two = bench.release("v2")
        clients.wrong[two] = 20
        print(bench.run(0, "rollout"))
        judged(bench, "Succeeded", two, ("errors", "latency", "accuracy"))

        three = bench.release("v4")
        clients.wrong[three] = 3
        print(bench.run(1, "rollout"))
        # The others may begin to count a scrape later than the one that failed.
        state = judged(bench, "RolledBack", three, ("accuracy",))
        expect("what went wrong", (state["reason"], state["judges"]["accuracy"]["phase"]), ("AnalysisFailed", "Failed"))

    # What the source cannot answer is an error with its words, and never a pass.
    broken = config.replace("tagship_errors_total{", "tagship_eror_total{")
    (bench.clone / "tagship.yml").write_text(broken.replace("kind: error-ratio", "kind: error-ratio\n              consecutive-error-limit: 0"))
    with Clients(url, {two: 20, three: 20}):
        bench.run(1, "rollout", "--retry")
    state = bench.state()
    expect("a source without series", (state["phase"], state["reason"]), ("RolledBack", "AnalysisError"))
    cause = state["cause"]
    expect("is told in its words", "no series matches `tagship_eror_total{" in cause and "or vector(0)" in cause, True)


def judged(bench: Bench, phase: str, version: str, metrics: tuple) -> dict:
    state = bench.state()
    expect("how it ended", (state["candidate"]["version"], state["phase"]), (version, phase))
    for name in metrics:
        n = state["judges"][name]["measurement"]["n"]
        print(f"ok: {name}: {state['judges'][name]['message']}")
        expect(f"{name} was counted on both sides", min(n) > 50, True)
    return state


main()
