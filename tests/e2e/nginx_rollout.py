#!/usr/bin/env python3
"""A canary through docs/hooks/nginx.py and a real nginx: what clients get is counted, request by request.

usage: nginx_rollout.py TAGSHIP HOOK DIRECTORY
"""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from rollout_bench import Bench, a_case, expect, fail_with_logs, free_port, request, wait_for

CONFIG = """version: 1
models:
  churn:
    artifact: models/model.onnx
    reports: { junit: ["reports/*.xml"], metrics: reports/metrics.json }
    validate: { golden: { cases: models/golden.json, tolerance: 1e-4 } }
    gate: { rules: [{ name: floor, expr: metrics.accuracy >= 0.5 }] }
    environments:
      production:
        target: { exec: { command: ["HOOK", "nginx.json"], timeout: 30s } }
        strategy: { canary: { steps: [ { set-weight: 10 }, { pause: {} }, { set-weight: 50 }, { pause: {} } ] } }
"""


def main():
    tagship, hook, directory = sys.argv[1:]
    home, here = Path(directory), Path(__file__).parent
    with Bench(directory, tagship, CONFIG.replace("HOOK", hook)) as bench:
        try:
            play(bench, home, here)
        except BaseException as error:
            fail_with_logs(bench, error, home.glob("state/versions/*/log.txt"))
        finally:
            stop_backends(home)


def play(bench: Bench, home: Path, here: Path):
    port, first = free_port(), free_port()
    state = home / "state"
    state.mkdir()
    (state / "upstream.conf").write_text("upstream churn { server 127.0.0.1:1 down; }\n")
    (home / "nginx.conf").write_text(f"""daemon off; worker_processes 1; pid {home}/nginx.pid; error_log stderr;
events {{ }}
http {{
  access_log off; client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/f;
  uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;
  include {state}/upstream.conf;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://churn; }} }}
}}
""")
    nginx = ["nginx", "-c", str(home / "nginx.conf"), "-p", str(home)]
    (bench.clone / "nginx.json").write_text(json.dumps({
        "directory": str(state), "upstream": "churn", "ports": [first, first + 20],
        "start": [sys.executable, str(here / "serve_backend.py"), f"{bench.tagship}-serve"],
        "reload": [*nginx, "-s", "reload"],
        "model-path": "/v2/models/churn", "ready-path": "/v2/models/churn/ready",
    }))
    server = bench.start(*nginx)
    wait_for("nginx", lambda: (home / "nginx.pid").read_text().strip() == str(server.pid))

    def shares(what: str, wanted: dict):
        """A hundred requests, shared exactly: workers of before a reload answer the first ones, then none."""
        counted = {}

        def exact():
            nonlocal counted
            body = json.dumps(a_case()).encode()
            answers = (request(f"http://127.0.0.1:{port}/v2/models/churn/infer", body) for _ in range(100))
            counted = dict(Counter(answer["model_version"] for answer in answers))
            return counted == wanted

        try:
            wait_for(what, exact)
        finally:
            expect(what, counted, wanted)

    one = bench.release("v1")
    bench.run(0, "rollout")
    shares("the first version has all traffic", {one: 100})

    two = bench.release("v2")
    bench.run(4, "rollout")
    shares("a tenth for the second version", {one: 90, two: 10})
    late = {"schema": "tagship/hook/v1", "verb": "promote", "model": "churn", "fence": 1, "version": two}
    expect("a late order is refused", ask_hook(bench, late), 14)
    shares("and moved nothing", {one: 90, two: 10})
    bench.run(4, "rollout", "--promote")
    shares("half for the second version", {one: 50, two: 50})
    bench.run(1, "rollout", "--abort")
    shares("all traffic is back", {one: 100})

    bench.run(4, "rollout", "--retry")
    shares("a tenth again", {one: 90, two: 10})
    bench.run(0, "rollout", "--promote-full")
    shares("the second version has all traffic", {two: 100})
    arms = json.loads((state / "state.json").read_text())["arms"]
    expect("the first version is gone", list(arms), [two])
    smoke = bench.state()["judges"]["smoke"]
    expect("golden cases ran against the backend", (smoke["phase"], smoke["n"] > 0), ("Successful", True))
    bench.run(0, "rollback")
    shares("the first version came back", {one: 100})


def ask_hook(bench: Bench, question: dict) -> int:
    done = subprocess.run([sys.argv[2], "nginx.json"], cwd=bench.clone, input=json.dumps(question), text=True,
                          capture_output=True)
    return done.returncode


def stop_backends(home: Path):
    file = home / "state" / "state.json"
    for arm in json.loads(file.read_text())["arms"].values() if file.exists() else []:
        try:
            os.killpg(arm["pid"], signal.SIGTERM)
        except ProcessLookupError:
            pass


main()
