#!/usr/bin/env python3
"""Every ready-made query, asked of a real Prometheus that scrapes series with the names and labels that their programs write:
each counts its own version, a version without requests has zeros, and a server without the program has no answer.

usage: ready_queries.py TOOL DIRECTORY
"""

import http.server
import json
import subprocess
import sys
import threading
from pathlib import Path

from rollout_bench import expect, free_port, request, wait_for

# Of each backend: requests that were good and bad, and how long they took.
SERVED = {"churn-aaaaaaaa": (90, 10), "churn-bbbbbbbb": (7, 0)}
BOUNDS = {"seconds": ["0.1", "0.5", "+Inf"], "milliseconds": ["100", "500", "+Inf"]}


def page() -> str:
    lines = []

    def count(series: str, labels: str, value: int):
        lines.append(f"{series}{{{labels}}} {value}")

    def durations(series: str, labels: str, requests: int, unit: str):
        # One of them took longer than all bounds.
        for bound, number in zip(BOUNDS[unit], [requests - 2, requests - 1, requests], strict=True):
            count(series, f'{labels},le="{bound}"', number)

    for backend, (good, bad) in SERVED.items():
        everything = [("200", good)] + ([("503", bad)] if bad else [])
        pod = f"{backend}-5d4f8-x2x2x"
        source = f'destination_service_name="{backend}",destination_service_namespace="ml"'
        pushed = f'k8s_namespace_name="ml",kn_revision_name="{backend}"'
        scraped = f'namespace="ml",pod="{backend}-deployment-5d4f8-x2x2x"'
        knative = pushed if bad else scraped
        for code, number in everything:
            # Both ends of one request report it, with the same names.
            count("istio_requests_total", f'reporter="source",{source},response_code="{code}"', number)
            count("istio_requests_total", f'reporter="destination",{source},namespace="ml",pod="{pod}",response_code="{code}"', number)
            count("kn_serving_invocation_duration_seconds_count", f'{knative},http_response_status_code="{code}"', number)
            revision = f'namespace_name="ml",revision_name="{backend}",response_code="{code}"'
            count("revision_app_request_count", f'{revision},response_code_class="{code[0]}xx"', number)
            peer = f'nginx_peer_address="10.0.0.7:8080",nginx_upstream_name="ml_{backend}_80"'
            count("nginx_http_upstream_peer_responses_total", f'{peer},nginx_status_range="{code[0]}xx"', number)
        count("nginx_http_upstream_peer_requests_total", peer, good + bad + 3)
        count("nginx_http_upstream_peer_fails_attempts_total", peer, 3)
        durations("istio_request_duration_milliseconds_bucket", f'reporter="source",{source}', good + bad, "milliseconds")
        durations("istio_request_duration_milliseconds_bucket", f'reporter="destination",{source},namespace="ml",pod="{pod}"', good + bad, "milliseconds")
        durations("kn_serving_invocation_duration_seconds_bucket", knative, good + bad, "seconds")
        durations("revision_app_request_latencies_bucket", f'namespace_name="ml",revision_name="{backend}"', good + bad, "milliseconds")
        durations("request_predict_seconds_bucket", f'model_name="churn",namespace="ml",pod="{pod}"', good + bad, "seconds")
    return "\n".join(lines) + "\n"


class Exporter(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(page().encode())

    def log_message(self, *_):
        pass


def wanted(backend: str) -> dict:
    good, bad = SERVED.get(backend, (0, 0))
    everything = good + bad

    durations = {"bounds": [100.0, 500.0], "counts": [everything - 2, 1, 1] if everything else [0, 0, 0]}
    names = ["istio", "istio-pods", "knative", "knative-opencensus"]
    return {
        **{f"{name} error-ratio": [bad, everything] for name in names},
        **{f"{name} latency": durations for name in [*names, "kserve-python"]},
        "nginx-gateway-fabric-plus error-ratio": [bad + 3, everything + 3] if everything else [0, 0],
    }


def ask(tool: str, address: str, namespace: str, backend: str) -> dict:
    return json.loads(subprocess.run([tool, address, namespace, backend], check=True, capture_output=True).stdout)


def started(home: Path, targets: list[str]) -> tuple[subprocess.Popen, str]:
    port = free_port()
    home.mkdir()
    (home / "prometheus.yml").write_text(f"""global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs: [{{ job_name: series, static_configs: [{{ targets: {json.dumps(targets)} }}] }}]
""")
    words = [f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/tsdb", f"--web.listen-address=127.0.0.1:{port}"]
    return subprocess.Popen(["prometheus", *words], stderr=subprocess.DEVNULL), f"http://127.0.0.1:{port}"


def main():
    tool, home = sys.argv[1], Path(sys.argv[2])
    exporter = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Exporter)
    threading.Thread(target=exporter.serve_forever, daemon=True).start()
    full, address = started(home / "full", [f"127.0.0.1:{exporter.server_port}"])
    empty, nothing = started(home / "empty", [])
    try:
        def scraped() -> list:
            return request(f"{address}/api/v1/query?query=istio_requests_total")["data"]["result"]

        wait_for("series of the exporter", scraped)
        wait_for("a server without any", lambda: request(f"{nothing}/api/v1/query?query=vector(1)"))
        for backend in [*SERVED, "churn-cccccccc"]:
            expect(f"what {backend} was counted", ask(tool, address, "ml", backend), wanted(backend))
        expect("the same name in another namespace", ask(tool, address, "other", "churn-aaaaaaaa"), wanted(""))
        for name, said in ask(tool, nothing, "ml", "churn-aaaaaaaa").items():
            expect(f"{name} of a program that is not scraped", isinstance(said, str) and "no series matches" in said, True)
    finally:
        for server in [full, empty]:
            server.kill()


main()
