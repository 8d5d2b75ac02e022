"""Canaries behind a real proxy, judged by a real Prometheus that scrapes the servers behind it: one is promoted, one that has
become slow goes back, and one that nobody asks waits for a person."""

import contextlib
import json
import os
import signal
import time
import urllib.parse
from pathlib import Path

from rollout_bench import Bench, Meanwhile, a_case, expect, free_port, request, wait_for

REQUESTS = 'tagship_requests_total{model="churn"}'
SERIES = '{model="churn",version="{{arm}}"}'
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
        strategy: { canary: { steps: [ { set-weight: 50 }, { pause: 3s } ] } }
        hold-back: 5%
        bake: 2s
        analysis:
          interval: 2s
          max-wait: MAX-WAIT
          metrics:
            - name: errors
              kind: error-ratio
              promote-margin: { absolute: 5% }
              source: { prometheus: { url: "ADDRESS", bad: 'tagship_errors_totalSERIES or 0 * tagship_requests_totalSERIES', total: 'tagship_requests_totalSERIES' } }
            - name: latency
              kind: latency
              tolerance: 4
              promote-margin: { ratio: 8 }
              source: { prometheus: { url: "ADDRESS", buckets: 'tagship_request_duration_seconds_bucketSERIES' } }
"""


def play(bench: Bench, url: str, state: Path, hook: str, ports: range):
    """Leads rollouts through a proxy at `url` to servers on `ports`, which the hook keeps in `state`."""
    address = prometheus(bench, ports)

    def asked(query: str) -> list:
        return request(f"{address}/api/v1/query?query={urllib.parse.quote(query)}")["data"]["result"]

    wait_for("series of the servers", lambda: asked(REQUESTS))
    config = CONFIG.replace("HOOK", hook).replace("ADDRESS", address).replace("SERIES", SERIES)
    (bench.clone / "tagship.yml").write_text(config.replace("MAX-WAIT", "2m"))

    good = bench.release("v4")
    with Clients(url):
        bench.run(0, "rollout")
    told(bench, "Succeeded", "Completed", good, 50)

    slow = bench.release("v3")
    with Clients(url), Throttle(state, slow):
        bench.run(1, "rollout")
    ended = told(bench, "RolledBack", "AnalysisFailed", slow, 10)
    expect("what was wrong", ended["judges"]["latency"]["phase"], "Failed")

    # A look that still saw the last of those requests arrive would be one that had data.
    recent = f"sum(increase({REQUESTS}[6s]))"
    wait_for("Prometheus knows of no recent request", lambda: [one["value"][1] for one in asked(recent)] == ["0"])
    (bench.clone / "tagship.yml").write_text(config.replace("MAX-WAIT", "4s"))
    bench.run(4, "rollout", "--retry")
    waits = bench.state()
    expect("a candidate that nobody asks", (waits["phase"], waits["reason"]), ("Paused", "NoData"))
    bench.run(1, "rollout", "--abort")


def prometheus(bench: Bench, ports: range) -> str:
    port, home = free_port(), bench.home
    targets = json.dumps([f"127.0.0.1:{server}" for server in ports])
    (home / "prometheus.yml").write_text(f"""global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: models
    static_configs: [{{ targets: {targets} }}]
""")
    bench.start("prometheus", f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/tsdb",
                f"--web.listen-address=127.0.0.1:{port}")
    return f"http://127.0.0.1:{port}"


def told(bench: Bench, phase: str, reason: str, version: str, least: int) -> dict:
    state = bench.state()
    expect("how it ended", (state["candidate"]["version"], state["phase"], state["reason"]), (version, phase, reason))
    for name, judge in state["judges"].items():
        print(f"ok: {name}: {judge['message']}")
    measured = state["judges"]["latency"]["measurement"]["n"]
    expect("latency was measured on both sides", min(measured) >= least, True)
    return state


class Clients(Meanwhile):
    """Clients that ask, and do not mind an error."""

    def __init__(self, url: str):
        super().__init__(4)
        self.url, self.body = url, json.dumps(a_case()).encode()

    def act(self, _: int):
        with contextlib.suppress(OSError, ValueError):
            request(self.url, self.body)
        time.sleep(0.002)


class Throttle(Meanwhile):
    """Makes the server of a version slow, as a machine that is too busy does: it runs for a millisecond at a time, so that the
    end comes in the middle of many answers."""

    def __init__(self, state: Path, version: str):
        super().__init__()
        self.state, self.version = state / "churn" / "state.json", version

    def act(self, _: int):
        with contextlib.suppress(OSError, ValueError, KeyError):
            arm = json.loads(self.state.read_text())["arms"][self.version]
            # Until its golden cases have run it is as fast as the others.
            if arm["weight"]:
                os.killpg(arm["pid"], signal.SIGSTOP)
                time.sleep(0.025)
                os.killpg(arm["pid"], signal.SIGCONT)
        time.sleep(0.001)
