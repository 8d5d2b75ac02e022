#!/usr/bin/env python3
"""Moves a model's traffic between clusters of Envoy: a hook for Tagship's target `exec`. Needs tagship_hook.py beside it.

    target: { exec: { command: ["./deploy/envoy.py", "deploy/envoy.json"] } }

Settings are those of `Backends` in tagship_hook.py, and

    "admin": "http://127.0.0.1:9901"         Envoy's admin interface

Envoy reads clusters and routes from files, which are replaced as a whole: directory/cds.json has a cluster per version,
directory/<model>/rds.json the shares. Run `./envoy.py envoy.json init churn` once, so that they are there when Envoy starts,
and name them in its configuration:

    dynamic_resources: { cds_config: { path_config_source: { path: /srv/models/cds.json } } }
    ... http_connection_manager: rds: { route_config_name: churn,
                                        config_source: { path_config_source: { path: /srv/models/churn/rds.json } } }

An A/B test by `match` needs nothing more: the route of a header with its exact value stands before the one that shares.

Envoy draws a version at random for each request, so shares are met within chance. The hook says what Envoy has taken over, not
what it was told: an order is under way until the admin interface shows it. Envoy counts requests and errors by cluster, so
that error ratios need no other source.
"""

import hashlib
import json
import sys
import time
import urllib.request
from pathlib import Path

from tagship_hook import PENDING, Backends, main, replace

# How long a change is waited for before the answer is that it is under way.
PATIENCE = 3.0
KINDS = "type.googleapis.com/envoy"


class Envoy(Backends):
    counters, matches, matches_by_setting = True, True, False
    # Shares by cluster that Envoy has taken over, and its counters.
    routed: dict = {}
    counted: dict = {}

    def cluster(self, version: str) -> str:
        return f"{self.name}-{version}"

    def apply(self) -> int | None:
        """Clusters before the routes that lead to them: a request to a cluster that is not there is lost."""
        clusters = Path(self.settings["directory"]) / "cds.json"
        states = Path(self.settings["directory"]).glob("*/state.json")
        wanted = [self.static_cluster(f"{state.parent.name}-{version}", arm["port"])
                  for state in sorted(states) for version, arm in json.loads(state.read_text())["arms"].items()]
        self.publish(clusters, wanted)
        served = {self.cluster(version): arm["weight"] for version, arm in self.arms.items() if arm["weight"]}
        matched = self.match and {**self.match, "cluster": self.cluster(self.match["version"])}
        needed = {*served, *([matched["cluster"]] if matched else [])}
        if not self.comes(lambda: needed <= self.clusters()):
            return PENDING
        self.home.mkdir(parents=True, exist_ok=True)
        wanted = self.route(served, matched)
        self.publish(self.home / "rds.json", [wanted])
        leads = [header_of(route) for route in wanted["virtual_hosts"][0]["routes"]]
        return None if self.comes(lambda: (self.routes(), self.leads()) == (served, leads)) else PENDING

    def publish(self, path: Path, resources: list) -> None:
        """A file that Envoy reads, unless it says so already. Its version is what it says."""
        text = json.dumps(resources, indent=1, sort_keys=True)
        version = hashlib.sha256(text.encode()).hexdigest()[:16]
        whole = json.dumps({"version_info": version, "resources": resources}, indent=1)
        if not path.exists() or path.read_text() != whole:
            replace(path, whole)

    def static_cluster(self, name: str, port: int) -> dict:
        address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
        endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
        return {"@type": f"{KINDS}.config.cluster.v3.Cluster", "name": name, "type": "STATIC", "connect_timeout": "2s",
                "load_assignment": {"cluster_name": name, "endpoints": endpoints}}

    def route(self, served: dict, matched: dict | None = None) -> dict:
        shares = [{"name": name, "weight": weight} for name, weight in sorted(served.items())]
        action = ({"route": {"weighted_clusters": {"clusters": shares}, "timeout": "60s"}} if shares
                  else {"direct_response": {"status": 503, "body": {"inline_string": "no version serves"}}})
        routes = [{"match": {"prefix": "/"}, **action}]
        if matched:
            header = {"name": matched["header"], "string_match": {"exact": matched["exact"]}}
            routes.insert(0, {"match": {"prefix": "/", "headers": [header]},
                              "route": {"cluster": matched["cluster"], "timeout": "60s"}})
        host = {"name": self.name, "domains": ["*"], "routes": routes}
        return {"@type": f"{KINDS}.config.route.v3.RouteConfiguration", "name": self.name, "virtual_hosts": [host]}

    def comes(self, holds) -> bool:
        """Waits for Envoy; where it cannot be asked, or has no listener for the model, there is nothing to wait for."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                if holds():
                    return True
            except OSError:
                pass
            if time.monotonic() > until:
                return False
            time.sleep(0.02)

    def clusters(self) -> set:
        return {cluster["name"] for cluster in self.ask("clusters?format=json").get("cluster_statuses", [])}

    def routes(self) -> dict:
        """Shares by cluster as Envoy has taken them over: by the last route, which takes what no header leads."""
        action = next((route.get("route", {}) for route in reversed(self.taken_over())), {})
        return {share["name"]: share["weight"] for share in action.get("weighted_clusters", {}).get("clusters", [])}

    def leads(self) -> list:
        """Of each route that Envoy has taken over, what `header_of` says."""
        return [header_of(route) for route in self.taken_over()]

    def taken_over(self) -> list:
        for config in self.ask("config_dump?resource=dynamic_route_configs").get("configs", []):
            if config["route_config"]["name"] == self.name:
                return config["route_config"]["virtual_hosts"][0]["routes"]
        return []

    def ask(self, what: str) -> dict:
        with urllib.request.urlopen(f"{self.settings['admin']}/{what}", timeout=5) as answer:
            return json.load(answer)

    def look(self) -> None:
        if self.arms:
            self.routed = self.routes()
            stats = self.ask(f"stats?format=json&filter=%5Ecluster%5C.{self.name}-.*%5C.upstream_rq_(completed|5xx)$")
            self.counted = {stat["name"]: stat["value"] for stat in stats["stats"] if "value" in stat}

    def arm(self, version: str, arm: dict) -> dict:
        name = self.cluster(version)
        count = {what: self.counted.get(f"cluster.{name}.upstream_rq_{what}", 0) for what in ("completed", "5xx")}
        counters = {"requests": count["completed"], "errors": count["5xx"], "correct": 0, "incorrect": 0}
        return {**super().arm(version, arm), "weight": self.routed.get(name, 0), "counters": counters}


def header_of(route: dict) -> tuple | None:
    """Header, value and cluster of a route that takes only requests with a header."""
    headers = route["match"].get("headers")
    return headers and (headers[0]["name"], headers[0]["string_match"]["exact"], route["route"]["cluster"])


def init(settings: dict, model: str) -> int:
    """Writes files without a version where there are none, for an Envoy that is yet to start."""
    hook = Envoy(settings, model)
    if not hook.state["fence"]:
        hook.save()
    clusters = Path(settings["directory"]) / "cds.json"
    for path, resources in ((clusters, []), (hook.home / "rds.json", [hook.route({})])):
        if not path.exists():
            hook.publish(path, resources)
    return 0


if __name__ == "__main__":
    if sys.argv[2:3] == ["init"]:
        sys.exit(init(json.loads(Path(sys.argv[1]).read_text()), sys.argv[3]))
    sys.exit(main(Envoy))
