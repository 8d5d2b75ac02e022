#!/usr/bin/env python3
"""The rules that Tagship writes for Prometheus judge as Tagship does: the same series go through `tagship monitor slo`, which asks a
real Prometheus, and through `promtool`, which evaluates the rules; and the unit tests that are written with them pass.

The dashboard that is written beside them is one by the types of Grafana's own package.

usage: monitor_rules.py TAGSHIP PACKAGES DIRECTORY
"""

import json
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

from rollout_bench import Bench, expect, free_port, request, run_with_bench, wait_for

CONFIG = """version: 1
models:
  churn:
    artifact: models/model.onnx
    reports: { junit: ["reports/*.xml"], metrics: reports/metrics.json }
    gate: { rules: [{ name: floor, expr: metrics.accuracy >= 0.5 }] }
    environments:
      production:
        target: { local: { url: "http://INFERENCE", admin-url: "http://ADMIN", token-env: TOKEN } }
    monitor:
      slo: [OBJECTIVES]
      alerts: { runbook: "https://wiki.example.org/churn?a={{b}}" }
"""
SCHEMA = Path(__file__).parent / "grafana_dashboard.ts"
STEP, MINUTES = 150, 75 * 60
TARGET, BUDGET = "99%", 0.01
# Requests of a step, and minutes before the end: the pace of bad ones from then on.
SHARES = {
    "good": (600, {MINUTES: 0.1}),
    "fast": (600, {MINUTES: 0.1, 70: 20}),
    "slow": (600, {MINUTES: 1.5}),
    "recovered": (600, {MINUTES: 0.1, 100: 50, 40: 0}),
    "quiet": (1, {MINUTES: 50}),
    "faultless": (1, {MINUTES: 0}),
    "six-hours": (600, {MINUTES: 0.1, 380: 8}),
    "day": (600, {MINUTES: 0.1, 25 * 60: 4}),
    "restarted": (600, {MINUTES: 0.1, 70: 20}),
    "missed": (600, {MINUTES: 0.1}),
    "born": (600, {MINUTES: 0, 50: 30}),
    "buckets": (600, {MINUTES: 0.1, 70: 20}),
}


def series() -> dict:
    """Samples by name of a series; none where it was not there."""
    found = {}
    for name, (each, paces) in SHARES.items():
        total, bad, count, wrong = [], [], 0.0, 0.0
        for at in range(0, MINUTES * 60 // STEP + 1):
            left = MINUTES - at * STEP / 60
            pace = paces[min(minute for minute in paces if minute >= left)]
            count += each
            wrong += each * pace * BUDGET
            if name == "restarted" and left == 30:
                count, wrong = each, each * pace * BUDGET
            total.append(count)
            bad.append(wrong)
        gone = range(len(total) - 27, len(total) - 22) if name == "missed" else ()
        keep = lambda values: [None if at in gone else round(value) for at, value in enumerate(values)]
        labels = f'scenario="{name}",version="VERSION"'
        if name == "buckets":
            fast = [all_ - slow for all_, slow in zip(total, bad)]
            found[f'd_bucket{{{labels},le="0.25"}}'] = keep(fast)
            found[f'd_bucket{{{labels},le="+Inf"}}'] = keep(total)
            continue
        found[f"requests_total{{{labels}}}"] = keep(total)
        # A program that writes its series of errors with the first one.
        found[f"errors_total{{{labels}}}"] = [count or None if name == "born" else count for count in keep(bad)]
        if name == "missed":
            # Another instance was asked all the time.
            found[f'requests_total{{{labels},instance="b"}}'] = [round(value) for value in total]
            found[f'errors_total{{{labels},instance="b"}}'] = [round(value) for value in bad]
    return found


def objectives(url: str, names=tuple(SHARES)) -> str:
    def source(name: str) -> str:
        where = f'{{scenario="{name}",version="{{{{arm}}}}"}}'
        if name == "buckets":
            return f"below: 250ms, source: {{ prometheus: {{ url: \"{url}\", buckets: 'd_bucket{where}' }} }}"
        return (f"source: {{ prometheus: {{ url: \"{url}\", bad: 'errors_total{where} or vector(0)', "
                f"total: 'requests_total{where}' }} }}")

    shares = [f"\n        - {{ name: {name}, target: {TARGET}, {source(name)} }}" for name in names]
    values = [
        f"\n        - {{ name: cpu, at-most: 0.8, over: 10m, severity: page, source: {{ prometheus: {{ url: \"{url}\", step: 1m, query: 'cpu{{version=\"{{{{arm}}}}\"}}' }} }} }}",
        f"\n        - {{ name: free, at-least: 0.1, source: {{ prometheus: {{ url: \"{url}\", query: 'scalar(free)' }} }} }}",
        f"\n        - {{ name: memory, at-most: 2000000000, source: {{ prometheus: {{ url: \"{url}\", query: 'scalar(resident)' }} }} }}",
        # An infinite answer is no value: the judge cannot say, and rules miss it.
        f"\n        - {{ name: endless, at-most: 5, source: {{ prometheus: {{ url: \"{url}\", query: 'time() / 0' }} }} }}",
    ]
    return "".join(shares + values) + "\n      "


def play(bench: Bench, home: Path):
    bench.environment.update(TOKEN="a-token-of-this-test")
    addresses = bench.serve()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    config = CONFIG.replace("INFERENCE", addresses["inference"]).replace("ADMIN", addresses["admin"])
    (bench.clone / "tagship.yml").write_text(config.replace("[OBJECTIVES]", objectives(url)))
    version = bench.release("v1")
    bench.run(0, "rollout")
    samples = {name.replace("VERSION", version): values for name, values in series().items()}
    load(home, samples)
    (home / "prom.yml").write_text("global: {}\n")
    bench.start("prometheus", f"--config.file={home}/prom.yml", f"--storage.tsdb.path={home}/tsdb",
                "--storage.tsdb.retention.time=30d", "--web.enable-lifecycle", f"--web.listen-address=127.0.0.1:{port}")
    wait_for("Prometheus", lambda: request(f"{url}/api/v1/query?query=requests_total")["data"]["result"])

    judged = json.loads(bench.run(0, "monitor", "slo", "--format", "json"))
    judged = {objective["name"]: objective for objective in judged["objectives"]}
    rules = home / "rules.yml"
    bench.run(0, "monitor", "rules", "--output", str(rules))
    expect("the rules are the same again", bench.run(0, "monitor", "rules") == rules.read_text(), True)
    promtool("check", "rules", str(rules))
    evaluated(home, url)
    compare(home, version, samples, judged)

    dashboard(bench, url)
    metrics(bench, home / "churn.prom")

    few = objectives(url, ("buckets",))
    (bench.clone / "tagship.yml").write_text(config.replace("[OBJECTIVES]", few))
    said = bench.run(0, "monitor", "rules", "--output", str(home / "few.yml"), "--tests", str(home / "tests.yml"))
    expect("files are written", said.count("wrote "), 2)
    tested = (home / "tests.yml").read_text().count("alertname: TagshipNobodyLooks")
    expect("looks that go on, that ended, and that are not known are tested", tested, 3)
    promtool("test", "rules", str(home / "tests.yml"))


def dashboard(bench: Bench, url: str):
    """Every query of the dashboard is one."""
    made = json.loads(bench.run(0, "monitor", "grafana"))
    targets = [(panel["title"], target["expr"]) for panel in made["panels"] for target in panel.get("targets", [])]
    targets += [("annotations", entry["target"]["expr"]) for entry in made["annotations"]["list"]]
    expect("the dashboard has queries", len(targets) > len(SHARES), True)
    for title, expr in targets:
        asked = expr.replace("$__rate_interval", "5m").replace("$version", ".+")
        answer = request(f"{url}/api/v1/query?query={urllib.parse.quote(asked)}")
        if answer["status"] != "success":
            raise SystemExit(f"FAILED: the query of {title}: {expr}: {answer}")
    print(f"ok: {len(targets)} queries of the dashboard are answered")
    accepted(made)


def accepted(made: dict):
    """Grafana's own package knows every key and value of the dashboard; one that it does not know is told."""
    strange = {**made, "panels": [{**made["panels"][1], "span": 6}]}
    for name, document, code in (("dashboard", made, 0), ("strange", strange, 2)):
        program = PACKAGES / f"{name}.ts"
        program.write_text(SCHEMA.read_text() + json.dumps(document, indent=1) + ";\n")
        done = subprocess.run(["node", str(PACKAGES / "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck",
                               "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", program.name],
                              cwd=PACKAGES, capture_output=True, text=True)
        if done.returncode != code:
            raise SystemExit(f"FAILED: the types of Grafana and the {name}: {done.returncode}\n{done.stdout}{done.stderr}")
    expect("a key that Grafana does not know is told", '"span"' in done.stdout and "does not exist" in done.stdout, True)
    print("ok: the types of Grafana accept the dashboard")


def metrics(bench: Bench, page: Path):
    """What a look found is a page that promtool finds no fault with."""
    bench.run(0, "monitor", "check", "--dry-run", "--metrics", str(page))
    with open(page, encoding="utf-8") as text:
        done = subprocess.run(["promtool", "check", "metrics"], stdin=text, capture_output=True, text=True)
    expect("promtool check metrics", (done.returncode, done.stderr), (0, ""))
    found = 'tagship_monitor_standing{model="churn",environment="production",topic="slo/fast",standing="bad"} 1'
    expect("a burning objective is bad in the page", found in page.read_text().splitlines(), True)


def load(home: Path, samples: dict):
    """Fills a database with samples whose newest is of just now."""
    end = int(time.time())
    lines = []
    for family in ("requests", "errors", "d"):
        kind = "histogram" if family == "d" else "counter"
        lines.append(f"# TYPE {family} {kind}")
        for name, values in samples.items():
            if name.startswith((f"{family}_total", f"{family}_bucket")):
                start = end - (len(values) - 1) * STEP
                lines += [f"{name} {value} {start + at * STEP}" for at, value in enumerate(values) if value is not None]
    page = home / "samples.txt"
    page.write_text("\n".join([*lines, "# EOF", ""]))
    promtool("tsdb", "create-blocks-from", "openmetrics", str(page), str(home / "tsdb"))


def evaluated(home: Path, url: str):
    """A real server loads the rules and evaluates every one of them."""
    (home / "prom.yml").write_text("global: { evaluation_interval: 1s }\nrule_files: [rules.yml]\n")
    request(f"{url}/-/reload", b"", "POST")

    def all_rules():
        groups = request(f"{url}/api/v1/rules")["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return rules if rules and all(rule["health"] != "unknown" for rule in rules) else None

    rules = wait_for("every rule", all_rules)
    wrong = [rule for rule in rules if rule["health"] != "ok"]
    # No look has ever been told to this server.
    nobody = [rule["state"] for rule in rules if rule["name"] == "TagshipNobodyLooks"]
    expect("a server that knows of no look says so", nobody, ["pending"])
    expect(f"of {len(rules)} rules a server cannot evaluate", wrong, [])
    query = urllib.parse.quote("count(tagship_slo:requests:count == on(scenario, version, instance) requests_total)")
    count = request(f"{url}/api/v1/query?query={query}")["data"]["result"][0]["value"][1]
    expect("counters are recorded as they are", int(count), len(SHARES))
    queries = [urllib.parse.quote('tagship_slo:%s{slo=~".+/endless@.+"}' % name) for name in ("answer", "value")]
    found = [request(f"{url}/api/v1/query?query={query}")["data"]["result"] for query in queries]
    expect("an infinite answer is recorded, and is no value", ([one["value"][1] for one in found[0]], found[1]), (["+Inf"], []))


def compare(home: Path, version: str, samples: dict, judged: dict):
    """What the rules say at the end of the same series, as a test of what the judge says."""
    checks = []

    def holds(expr: str, is_so: bool = True):
        told = "[{ labels: '{}', value: 1 }]" if is_so else "[]"
        checks.append(f"      - {{ eval_time: {MINUTES}m, expr: {json.dumps(expr)}, exp_samples: {told} }}")

    verdicts = {}
    for name in SHARES:
        key = f'slo="churn/production/{name}@{version}"'
        for window in judged[name]["windows"]:
            long, short = window["windows"]
            # Between two looks the judge does not see what a program counted before it began again, nor what an instance that is
            # missing at one of them counted in which window; rules see every sample. What they conclude is the same.
            for length, burn in zip((long, short), window["burn"]):
                if burn is not None and name != "restarted":
                    holds(f"count(abs(tagship_slo:burn_rate:ratio{length}{{{key}}} - {burn}) <= {0.03 * burn + 0.002})")
            if window["burn"][0] is not None and name not in ("restarted", "missed"):
                holds(f"count(abs(tagship_slo:requests:increase{long}{{{key}}} / {window['events']} - 1) <= 0.035)")
            alert = f'ALERTS{{alertname="TagshipErrorBudgetBurn",alertstate="firing",window="{long}",{key}}}'
            holds(f"count({alert})", window["fires"] is True)
            verdicts.setdefault(window["fires"], []).append(f"{name} {long}")
    print(f"judged: { {str(fires): len(windows) for fires, windows in verdicts.items()} }: {verdicts[True]}")
    expect("all verdicts occur", sorted(map(str, verdicts)), ["False", "None", "True"])
    for name, state in (("good", "kept"), ("fast", "burning"), ("slow", "burning"), ("recovered", "kept"),
                        ("restarted", "burning"), ("missed", "kept"), ("born", "burning"), ("buckets", "burning"),
                        ("faultless", "kept"), ("cpu", "no-data"), ("endless", "unknown"), ("quiet", "burning")):
        expect(f"the judge of {name}", judged[name]["state"], state)
    write = lambda values: " ".join("_" if value is None else str(value) for value in values)
    # What queries give is recorded as it is, so the series are put there at once: two evaluations are enough then.
    lines = ["rule_files: [rules.yml]", f"evaluation_interval: {MINUTES}m", "tests:", f"  - interval: {STEP}s", "    input_series:"]
    for name, values in as_recorded(samples, version).items():
        lines += [f"      - series: '{name}'", f"        values: '{write(values)}'"]
    (home / "compared.yml").write_text("\n".join([*lines, "    promql_expr_test:", *checks, ""]))
    promtool("test", "rules", str(home / "compared.yml"))
    print(f"ok: {len(checks)} answers of the judge are those of the rules")


def as_recorded(samples: dict, version: str) -> dict:
    names = {"requests_total": "requests", "errors_total": "bad_requests", "d_bucket": "buckets"}
    found = {}
    for name, values in samples.items():
        family, labels = name.split("{")
        scenario = labels.split('"')[1]
        key = f'slo="churn/production/{scenario}@{version}"'
        found[f"tagship_slo:{names[family]}:count{{{key},{labels}"] = values
        if None in values and scenario == "born":
            # Before the first error `or vector(0)` gave a number without labels.
            found[f'tagship_slo:bad_requests:count{{{key},instance="none"}}'] = [None if value else 0 for value in values]
    return found


def promtool(*words: str):
    began = time.monotonic()
    done = subprocess.run(["promtool", *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"FAILED: promtool {' '.join(words[:2])}:\n{(done.stdout + done.stderr)[-6000:]}")
    print(f"ok: promtool {' '.join(words[:2])} ({time.monotonic() - began:.1f} s)")


PACKAGES = Path(sys.argv.pop(2))
run_with_bench(play)
