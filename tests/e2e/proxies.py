"""Real proxies in front of models, each with the settings of its hook: what proxy_rollout.py drives."""

import json
import math
import subprocess
from pathlib import Path

from rollout_bench import Bench, free_port, request, wait_for

MODELS = ("churn", "tagship-check")


class Proxy:
    # Whether of a hundred requests every version gets exactly its share.
    exact = True

    def __init__(self, bench: Bench, program: str, hooks: Path):
        self.bench, self.program, self.hooks = bench, program, hooks
        self.home, self.state = bench.home, bench.home / "state"
        self.ports = {model: free_port() for model in MODELS}
        self.state.mkdir()

    def url(self, model: str = "churn") -> str:
        return f"http://127.0.0.1:{self.ports[model]}/v2/models/{model}/infer"

    def settings(self) -> dict:
        """What the hook needs to know about the proxy."""
        raise NotImplementedError

    def start(self):
        raise NotImplementedError

    def restart(self):
        """Ends the proxy and starts it anew, where it can keep what it was told."""


class Nginx(Proxy):
    def settings(self) -> dict:
        return {"reload": [*self.words(), "-s", "reload"], "match": True}

    def words(self) -> list:
        return [self.program, "-c", str(self.home / "nginx.conf"), "-p", str(self.home)]

    def start(self):
        for model in MODELS:
            (self.state / model).mkdir()
            variable = f"${model.replace('-', '_')}_route"
            (self.state / model / "upstream.conf").write_text(
                f'upstream {model} {{ server 127.0.0.1:1 down; }}\nmap "" {variable} {{ default {model}; }}\n')
        servers = "".join(f"""
  include {self.state}/{model}/upstream.conf;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://${model.replace("-", "_")}_route; }} }}"""
                          for model, port in self.ports.items())
        (self.home / "nginx.conf").write_text(f"""daemon off; worker_processes 1; pid {self.home}/nginx.pid; error_log stderr;
events {{ }}
http {{
  access_log off; client_body_temp_path {self.home}/body; proxy_temp_path {self.home}/proxy;
  fastcgi_temp_path {self.home}/f; uwsgi_temp_path {self.home}/u; scgi_temp_path {self.home}/s;{servers}
}}
""")
        server = self.bench.start(*self.words())
        wait_for("nginx", lambda: (self.home / "nginx.pid").read_text().strip() == str(server.pid))


class HAProxy(Proxy):
    headers = {"churn": "x-cohort", "tagship-check": "x-tagship-check"}

    def settings(self) -> dict:
        return {"socket": str(self.home / "ha.sock"), "match": self.headers}

    def start(self):
        for model in MODELS:
            (self.state / model).mkdir(exist_ok=True)
            (self.state / model / "match.map").touch()
        parts = "".join(f"""
frontend in-{model}
  bind 127.0.0.1:{port}
  default_backend {model}
backend {model}
  balance roundrobin
  load-server-state-from-file local
  server-state-file-name {model}/servers.state
  use-server %[req.fhdr({header}),map({self.state}/{model}/match.map)] if {{ req.fhdr_cnt({header}) eq 1 }}
  server-template slot 1-4 127.0.0.1:1 disabled
""" for model, port in self.ports.items() for header in [self.headers[model]])
        (self.home / "haproxy.cfg").write_text(f"""global
  stats socket {self.home}/ha.sock level admin
  server-state-base {self.state}
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
{parts}""")
        self.server = self.bench.start(self.program, "-f", str(self.home / "haproxy.cfg"), "-db")
        wait_for("haproxy", lambda: (self.home / "ha.sock").exists())

    def restart(self):
        self.server.terminate()
        self.server.wait(10)
        (self.home / "ha.sock").unlink(missing_ok=True)
        self.start()
        return True


class Envoy(Proxy):
    exact = False

    def settings(self) -> dict:
        self.admin = free_port()
        return {"admin": f"http://127.0.0.1:{self.admin}"}

    def start(self):
        for model in MODELS:
            subprocess.run([self.hooks / "envoy.py", self.bench.clone / "hook.json", "init", model], check=True)
        http = "type.googleapis.com/envoy.extensions.filters"
        listeners = [{
            "name": model,
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
            "filter_chains": [{"filters": [{
                "name": "http",
                "typed_config": {
                    "@type": f"{http}.network.http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": model,
                    "rds": {"route_config_name": model, "config_source": {
                        "path_config_source": {"path": str(self.state / model / "rds.json")}}},
                    "http_filters": [{"name": "router",
                                      "typed_config": {"@type": f"{http}.http.router.v3.Router"}}],
                },
            }]}],
        } for model, port in self.ports.items()]
        (self.home / "envoy.json").write_text(json.dumps({
            "node": {"id": "test", "cluster": "test"},
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": self.admin}}},
            "dynamic_resources": {"cds_config": {"path_config_source": {"path": str(self.state / "cds.json")}}},
            "static_resources": {"listeners": listeners},
        }))
        self.server = self.bench.start(self.program, "-c", str(self.home / "envoy.json"), "--concurrency", "2",
                                       "--use-dynamic-base-id", "--log-level", "warning")
        wait_for("envoy", lambda: request(f"http://127.0.0.1:{self.admin}/stats?format=json&filter=server.live"))

    def restart(self):
        self.server.terminate()
        self.server.wait(10)
        self.start()
        return True


KINDS = {"nginx": Nginx, "haproxy": HAProxy, "envoy": Envoy}


def bounds(n: int, share: float, confidence: float = 0.9999) -> tuple:
    """The counts of `n` draws that are seen with this probability where each draw hits with `share`."""
    if share in (0.0, 1.0):
        return n * share, n * share
    tail, below, low, high = (1 - confidence) / 2, 0.0, 0, n
    for count in range(n + 1):
        logarithm = (math.lgamma(n + 1) - math.lgamma(count + 1) - math.lgamma(n - count + 1)
                     + count * math.log(share) + (n - count) * math.log1p(-share))
        below += math.exp(logarithm)
        if below < tail:
            low = count + 1
        if below >= 1 - tail:
            high = count
            break
    return low, high
