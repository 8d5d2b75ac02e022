#!/usr/bin/env python3
"""A look puts its metrics on a real Pushgateway, and a real Prometheus scrapes them there: each model and environment has a group of its
own that the next look replaces, whatever its name holds; a gateway that is gone ends no look.

usage: monitor_pushgateway.py TAGSHIP DIRECTORY
"""

import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

from rollout_bench import Bench, expect, free_ports, request, run_with_bench, wait_for

# A name with a `/` cannot stand in the path of a group as it is.
ENVIRONMENTS = ("production", "production/eu")
CONFIG = """version: 1
models:
  churn:
    artifact: models/model.onnx
    reports: { junit: ["reports/*.xml"], metrics: reports/metrics.json }
    gate: { rules: [{ name: floor, expr: metrics.accuracy >= 0.5 }] }
    environments:
ENVIRONMENTS
    monitor:
      drift: { reference: reference.csv, current: today.csv }
      export: { pushgateway: { url: "http://127.0.0.1:GATEWAY", timeout: 5s } }
"""


def rows(larger: int) -> str:
    """Rows whose columns are so much larger."""
    lines = [f"{at * 37 % 101 + larger},{at * 53 % 89 + larger}" for at in range(400)]
    return "\n".join(["amount,weight", *lines, ""])


def play(bench: Bench, home: Path):
    bench.environment.update(TOKEN="a-token-of-this-test")
    gateway_port, prometheus_port, admin = free_ports(3)
    named = "\n".join(f'      {name}: {{ target: {{ local: {{ url: "http://127.0.0.1:{admin + at}", admin-url: "http://127.0.0.1:{admin}" }} }} }}'
                      for at, name in enumerate(ENVIRONMENTS))
    (bench.clone / "tagship.yml").write_text(CONFIG.replace("ENVIRONMENTS", named).replace("GATEWAY", str(gateway_port)))
    (bench.clone / "reference.csv").write_text(rows(0))
    bench.git("add", "--all")
    bench.git("commit", "--quiet", "--message", "Watch a table")
    # Debian's keeps what was pushed where the next one finds it.
    gateway = bench.start("prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{gateway_port}",
                          f"--persistence.file={home}/pushed.db")
    address = f"http://127.0.0.1:{gateway_port}"
    wait_for("the gateway", lambda: request(f"{address}/api/v1/status"))
    (home / "prom.yml").write_text(f"""global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: pushed
    honor_labels: true
    static_configs: [{{ targets: ["127.0.0.1:{gateway_port}"] }}]
""")
    bench.start("prometheus", f"--config.file={home}/prom.yml", f"--storage.tsdb.path={home}/tsdb",
                f"--web.listen-address=127.0.0.1:{prometheus_port}")

    def value(name: str, environment: str):
        query = f'{name}{{job="tagship",model="churn",environment="{environment}"}}'
        found = request(f"http://127.0.0.1:{prometheus_port}/api/v1/query?query={urllib.parse.quote(query)}")["data"]["result"]
        return [one["value"][1] for one in found]

    def look(environment: str, larger: int, code: int = 0) -> str:
        (bench.clone / "today.csv").write_text(rows(larger))
        return bench.run(code, "monitor", "check", "--environment", environment)

    # Another program has pushed a series of the same name with another type: the gateway refuses ours, and says so.
    other = f"{address}/metrics/job/another"
    asked(other, "PUT", b"# TYPE tagship_monitor_good counter\ntagship_monitor_good 1\n")
    said = look("production", 0)
    expect("a refusal is told", "did not take the metrics (HTTP 400)" in said and "an earlier look" in said, True)
    asked(other, "DELETE")

    for environment in ENVIRONMENTS:
        look(environment, 0)
    for environment in ENVIRONMENTS:
        wait_for(f"the look at {environment}", lambda: value("tagship_monitor_good", environment) == ["1"])
        print(f"ok: Prometheus has the look at {environment}")
    groups = {(group["labels"]["model"], group["labels"]["environment"]) for group in request(f"{address}/api/v1/metrics")["data"]}
    expect("groups of the gateway", groups, {("churn", name) for name in ENVIRONMENTS})

    # The next look replaces its group, and leaves the other one alone; an incident that is over has no series any more.
    look("production/eu", 60)
    wait_for("the bad look", lambda: value("tagship_monitor_good", "production/eu") == ["0"])
    expect("an incident is open there", value("tagship_monitor_incident_open", "production/eu"), ["1"])
    expect("and not here", (value("tagship_monitor_good", "production"), value("tagship_monitor_incident_open", "production")), (["1"], []))
    look("production/eu", 0)
    look("production/eu", 0)
    wait_for("its end", lambda: value("tagship_monitor_incident_open", "production/eu") == [])
    print("ok: the series of an incident that is over is gone")

    with urllib.request.urlopen(f"{address}/metrics", timeout=10) as page:
        pushed = page.read()
    done = subprocess.run(["promtool", "check", "metrics"], input=pushed, capture_output=True)
    complaints = [line for line in done.stderr.decode().splitlines() if "tagship" in line]
    expect("promtool check metrics of what is pushed", complaints, [])

    gateway.terminate()
    gateway.wait(20)
    said = look("production", 0)
    expect("a gateway that is gone ends no look, and is told", "leave metrics of churn" in said and "an earlier look" in said, True)


def asked(url: str, method: str, body: bytes | None = None):
    request = urllib.request.Request(url, data=body, method=method, headers={"content-type": "text/plain"})
    urllib.request.urlopen(request, timeout=10).close()


run_with_bench(play)
