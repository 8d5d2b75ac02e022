#!/usr/bin/env python3
"""The whole loop on real servers: a model server under load, a Prometheus that scrapes it, an Alertmanager, and a GitHub. A version
that turns bad after it was promoted is one alert and one issue, and goes back within its guard; recovery ends both. Then Prometheus
and node_exporter stop: no data is told as such, nothing is called well, and nothing is closed.

usage: monitor_loop.py TAGSHIP GITHUB DIRECTORY
"""

import json
import signal
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

from rollout_bench import Bench, Clients, a_case, expect, fail_with_logs, free_ports, is_free, request, wait_for

CONFIG = """version: 1
models:
  churn:
    artifact: models/model.onnx
    reports: { junit: ["reports/*.xml"], metrics: reports/metrics.json }
    gate: { rules: [{ name: floor, expr: metrics.accuracy >= 0.5 }] }
    environments:
      production:
        target: { local: { url: "http://INFERENCE", admin-url: "http://ADMIN", token-env: TOKEN } }
        guard: 1h
    monitor:
      slo:
        - name: wrong
          at-most: 0.25
          over: 10s
          severity: page
          source: { prometheus: { url: "http://PROMETHEUS", step: 1s, query: 'sum(increase(tagship_feedback_total{version="{{arm}}",outcome="incorrect"}[10s])) / sum(increase(tagship_feedback_total{version="{{arm}}"}[10s]))' } }
        - name: memory
          at-least: 1
          over: 10s
          source: { prometheus: { url: "http://PROMETHEUS", step: 1s, query: 'sum(node_memory_MemAvailable_bytes)' } }
      alerts: { to: [github-issue, { alertmanager: { url-env: ALERTMANAGER_URL } }], runbook: "https://wiki.example.org/churn" }
"""
# What the load says of answers: every twentieth is wrong, or every second.
GOOD, BAD = 20, 2


class Loop(Bench):
    """A repository on GitHub with a model server, and the servers that watch it."""

    def __init__(self, directory: str, tagship: str, github: str):
        super().__init__(directory, tagship, "")
        self.events = self.home / "events"
        self.events.mkdir()
        self.start(github, str(self.home / "origin.git"), env=self.environment)
        log = self.home / "0.log"
        said = wait_for("GitHub", lambda: "GITHUB_TOKEN=" in log.read_text() and log.read_text())
        found = dict(line.split("=", 1) for line in said.splitlines() if line.startswith("GITHUB_"))
        token = found.pop("GITHUB_TOKEN")
        temp = self.home / "temp"
        temp.mkdir()
        self.environment.update(found, TOKEN="a-token-of-this-test", TAGSHIP_GITHUB_TOKEN=token, GITHUB_ACTIONS="true",
                                GITHUB_ACTOR="ada", GITHUB_RUN_ID="1", RUNNER_TEMP=str(temp),
                                GITHUB_OUTPUT=str(self.home / "output"), GITHUB_STEP_SUMMARY=str(self.home / "summary"))
        self.addresses = self.serve()
        self.prometheus_port, self.alertmanager_port, self.node_port = free_ports(3)
        self.prometheus_url = f"http://127.0.0.1:{self.prometheus_port}"
        self.alertmanager_url = f"http://127.0.0.1:{self.alertmanager_port}"
        self.environment.update(ALERTMANAGER_URL=self.alertmanager_url)

    def run(self, code: int, *words: str, patience: float = 300) -> str:
        self.happens("push", {"ref": "refs/heads/main", "after": self.head()})
        return super().run(code, *words, patience=patience)

    def head(self) -> str:
        return self.git("rev-parse", "HEAD").strip()

    def happens(self, event: str, payload: dict):
        """The run is about this event from now on."""
        path = self.events / f"{event}.json"
        path.write_text(json.dumps({**payload, "repository": {"default_branch": "main"}}))
        self.environment.update(GITHUB_EVENT_NAME=event, GITHUB_EVENT_PATH=str(path), GITHUB_SHA=self.head())

    def look(self) -> "Look":
        """A scheduled look; answers what it found."""
        self.happens("schedule", {"schedule": "*/15 * * * *"})
        done = subprocess.run([self.tagship, "monitor", "check", "--format", "json"], cwd=self.clone, env=self.environment,
                              capture_output=True, text=True, timeout=120)
        if done.returncode not in (0, 3):
            raise SystemExit(f"FAILED: a look ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return Look(done.returncode, json.loads(done.stdout), done.stderr)

    def look_until(self, what: str, holds) -> "Look":
        """Looks once a second until this holds."""
        def once():
            look = self.look()
            if not holds(look):
                time.sleep(1)
                return None
            return look
        found = wait_for(what, once)
        print(f"ok: {what}")
        return found

    def is_measured(self, version: str) -> bool:
        """Whether Prometheus has seen right and wrong answers of a version twice, and the node."""
        wrong = f'increase(tagship_feedback_total{{version="{version}",outcome="incorrect"}}[10s]) > 0'
        queries = [urllib.parse.quote(query) for query in (wrong, "node_memory_MemAvailable_bytes")]
        return all(request(f"{self.prometheus_url}/api/v1/query?query={query}")["data"]["result"] for query in queries)

    def issues(self) -> list:
        """Title and state of every issue, the oldest first; pull requests are none."""
        state = request(f"{self.environment['GITHUB_SERVER_URL']}/debug/state")
        found = [one for one in state["issues"].values() if not one.get("pull_request")]
        return [(one["title"].split(" ")[2].rstrip(":"), one["state"]) for one in sorted(found, key=lambda one: one["number"])]

    def alerts(self) -> list:
        """Name and topic of every alert that is active, as its own client tells it."""
        said = subprocess.run(["amtool", f"--alertmanager.url={self.alertmanager_url}", "alert", "query", "--output=json"],
                              capture_output=True, text=True, timeout=30, check=True, env=self.environment)
        labels = [alert["labels"] for alert in json.loads(said.stdout)]
        return sorted((one["alertname"], one["topic"]) for one in labels)

    def serving(self) -> str:
        answer = request(f"http://{self.addresses['inference']}/v2/models/churn/infer", a_case())
        return answer["model_version"]

    def start_prometheus(self) -> subprocess.Popen:
        process = self.start("prometheus", f"--config.file={self.home}/prom.yml", f"--storage.tsdb.path={self.home}/tsdb",
                             f"--web.listen-address=127.0.0.1:{self.prometheus_port}")
        wait_for("Prometheus", lambda: request(f"{self.prometheus_url}/api/v1/query?query=1"))
        return process

    def start_node_exporter(self) -> subprocess.Popen:
        process = self.start("prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{self.node_port}",
                             "--collector.disable-defaults", "--collector.meminfo")
        wait_for("node_exporter", lambda: not is_free(self.node_port))
        return process

    def start_alertmanager(self):
        (self.home / "am.yml").write_text("route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n")
        self.start("prometheus-alertmanager", f"--config.file={self.home}/am.yml", f"--storage.path={self.home}/am",
                   f"--web.listen-address=127.0.0.1:{self.alertmanager_port}", "--cluster.listen-address=")
        wait_for("Alertmanager", lambda: request(f"{self.alertmanager_url}/api/v2/status"))

    def configure(self):
        rules = self.home / "rules.yml"
        rules.write_text("groups: []\n")
        (self.home / "prom.yml").write_text(f"""global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}
rule_files: ["{rules}"]
alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ["127.0.0.1:{self.alertmanager_port}"] }}] }}] }}
scrape_configs:
  - job_name: models
    static_configs: [{{ targets: ["{self.addresses['inference']}"] }}]
  - job_name: node
    static_configs: [{{ targets: ["127.0.0.1:{self.node_port}"] }}]
""")
        config = CONFIG.replace("INFERENCE", self.addresses["inference"]).replace("ADMIN", self.addresses["admin"])
        config = config.replace("http://PROMETHEUS", self.prometheus_url)
        (self.clone / "tagship.yml").write_text(config)


class Look:
    def __init__(self, code: int, report: dict, said: str):
        self.code, self.report, self.said = code, report, said
        self.good = report["good"]
        self.standing = {one["topic"]: one["standing"] for one in report["findings"]}
        self.open = sorted(one["topic"] for one in report["incidents"] if one["phase"] == "open")


def stop(process: subprocess.Popen):
    process.terminate()
    process.wait(20)


def play(loop: Loop):
    loop.configure()
    loop.start_alertmanager()
    node = loop.start_node_exporter()
    prometheus = loop.start_prometheus()
    one = loop.release("v1")
    loop.run(0, "rollout")
    with Clients(f"http://{loop.addresses['inference']}", {one: GOOD}) as clients:
        wait_for("the first version is measured", lambda: loop.is_measured(one))
        loop.look_until("all is well", lambda look: look.good is True and look.code == 0)
        expect("issues and alerts", (loop.issues(), loop.alerts()), ([], []))
        two = regression(loop, prometheus, clients, one)
        recovery(loop, one, two)
        prometheus = outage_of_prometheus(loop, prometheus, clients, one)
        outage_of_node(loop, node)
    expect("Prometheus still runs", prometheus.poll(), None)


def regression(loop: Loop, prometheus: subprocess.Popen, clients: Clients, one: str) -> str:
    """A version that is good while it is rolled out, and then is not."""
    two = loop.release("v2")
    clients.wrong[two] = GOOD
    loop.run(0, "rollout")
    expect("what serves", loop.serving(), two)
    (loop.home / "rules.yml").write_text(rules_of(loop))
    prometheus.send_signal(signal.SIGHUP)
    wait_for("the new version is measured", lambda: loop.is_measured(two))
    loop.look_until("the new version is well", lambda look: look.good is True)
    clients.wrong[two] = BAD
    wait_for("Prometheus alerts by itself", lambda: ("TagshipBoundBroken", "slo/wrong") in loop.alerts())
    print(f"ok: Prometheus alerts by the rules that Tagship wrote: {loop.alerts()}")
    look = loop.look_until("the regression is seen", lambda look: look.standing["slo/wrong"] == "bad")
    expect("what is open", look.open, ["slo/wrong"])
    expect("the guard leads back", loop.serving(), one)
    state = loop.state()
    expect("by a rollback", (state["kind"], state["phase"], state["reason"]), ("rollback", "Succeeded", "GuardFired"))
    expect("one issue", loop.issues(), [("slo/wrong", "open")])
    expect("and one alert", [name for name in loop.alerts() if name[0] == "TagshipIncident"], [("TagshipIncident", "slo/wrong")])
    return two


def rules_of(loop: Loop) -> str:
    path = loop.clone / ".tagship" / "rules.yml"
    loop.run(0, "monitor", "rules", "--output", str(path))
    subprocess.run(["promtool", "check", "rules", "--lint=none", str(path)], check=True, capture_output=True)
    return path.read_text()


def recovery(loop: Loop, one: str, two: str):
    """Two good looks at what serves again end it, everywhere."""
    loop.look_until("the incident is over", lambda look: look.good is True and look.open == [])
    expect("what serves", loop.serving(), one)
    expect("the issue", loop.issues(), [("slo/wrong", "closed")])
    wait_for("no alert is active", lambda: loop.alerts() == [])
    print("ok: no alert is active")


def outage_of_prometheus(loop: Loop, prometheus: subprocess.Popen, clients: Clients, one: str) -> subprocess.Popen:
    """What was bad before nobody answers stays open, though nobody sees it; and nobody is told that all is well."""
    clients.wrong[one] = BAD
    look = loop.look_until("the version before turns bad too", lambda look: look.standing["slo/wrong"] == "bad")
    expect("a rollback is not rolled back", ("left as it is" in look.said, loop.serving()), (True, one))
    stop(prometheus)
    # It recovers while nobody looks.
    clients.wrong[one] = GOOD
    told = [("slo/wrong", "closed"), ("slo/wrong", "open")]
    silent = ["slo/memory/no-data", "slo/wrong", "slo/wrong/no-data"]
    for _ in range(4):
        look = loop.look()
        expect("without Prometheus", (look.code, look.good, set(look.standing.values()), look.open), (3, None, {"no-data"}, silent))
    expect("is told", sorted(loop.issues()), sorted([*told, ("slo/wrong/no-data", "open"), ("slo/memory/no-data", "open")]))
    expect("as alerts too", [name[1] for name in loop.alerts() if name[0] == "TagshipIncident"], silent)
    prometheus = loop.start_prometheus()
    loop.look_until("Prometheus is back, and all is well", lambda look: look.good is True and look.open == [])
    expect("every issue is closed", {state for _, state in loop.issues()}, {"closed"})
    return prometheus


def outage_of_node(loop: Loop, node: subprocess.Popen):
    """One of two things that are watched is gone."""
    stop(node)
    # Its last values are those of the window for as long as that is.
    look = loop.look_until("node_exporter is missed", lambda look: look.standing["slo/memory"] == "no-data")
    expect("one thing has no data", (look.code, look.good, look.standing, look.open),
           (3, None, {"slo/wrong": "good", "slo/memory": "no-data"}, ["slo/memory/no-data"]))
    for _ in range(3):
        look = loop.look()
        expect("nothing is called well, nothing is closed", (look.code, look.good, look.open), (3, None, ["slo/memory/no-data"]))
    expect("the newest issue", loop.issues()[-1], ("slo/memory/no-data", "open"))
    loop.start_node_exporter()
    loop.look_until("it is back", lambda look: look.good is True and look.open == [])
    expect("its issue", loop.issues()[-1], ("slo/memory/no-data", "closed"))


if __name__ == "__main__":
    tagship, github, directory = sys.argv[1:]
    with Loop(directory, tagship, github) as loop:
        try:
            play(loop)
        except BaseException as error:
            fail_with_logs(loop, error)
