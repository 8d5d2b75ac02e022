#!/usr/bin/env python3
"""Starts etcd and kube-apiserver on this machine alone, and runs a command that finds their kubeconfig in
TAGSHIP_TEST_KUBECONFIG and KUBECONFIG. Both end with it.

usage: kube_apiserver.py TOOLS DIRECTORY COMMAND...
"""

import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

TOKEN = "a-token-of-this-test"
# Seconds until the server must be ready; it makes its own roles first.
START = 120


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def start(command: list[str], log: Path) -> subprocess.Popen:
    print("+", command[0], "with its log in", log, flush=True)
    with log.open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)


def etcd(tools: Path, home: Path) -> tuple[subprocess.Popen, str]:
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    command = [str(tools / "etcd"), "--data-dir", str(home / "etcd"), "--unsafe-no-fsync"]
    command += ["--listen-client-urls", client, "--advertise-client-urls", client]
    command += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
    command += ["--initial-cluster", f"default={peer}"]
    return start(command, home / "etcd.log"), client


def api_server(tools: Path, home: Path, store: str) -> tuple[subprocess.Popen, str]:
    port = free_port()
    key, tokens = home / "accounts.key", home / "tokens.csv"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    tokens.write_text(f"{TOKEN},tests,tests,system:masters\n")
    command = [str(tools / "kube-apiserver"), "--etcd-servers", store, "--secure-port", str(port)]
    command += ["--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1"]
    command += ["--endpoint-reconciler-type", "none", "--service-cluster-ip-range", "10.0.0.0/20"]
    command += ["--cert-dir", str(home / "certificates"), "--token-auth-file", str(tokens)]
    command += ["--authorization-mode", "RBAC", "--disable-admission-plugins", "ServiceAccount"]
    command += ["--service-account-issuer", "https://kubernetes.default.svc"]
    command += ["--service-account-key-file", str(key), "--service-account-signing-key-file", str(key)]
    return start(command, home / "kube-apiserver.log"), f"https://127.0.0.1:{port}"


def wait_until_ready(server: subprocess.Popen, url: str, log: Path):
    # The server makes its own certificate as it starts; it listens on this machine alone.
    trusting = ssl._create_unverified_context()
    for _ in range(START * 2):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{url}/readyz"), context=trusting) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.5)
    sys.exit(f"kube-apiserver is not ready:\n{log.read_text()[-4000:]}")


def kubeconfig(url: str) -> str:
    def named(what: str, value: dict) -> list[dict]:
        return [{"name": "test", what: value}]

    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": named("cluster", {"server": url, "insecure-skip-tls-verify": True}),
        "users": named("user", {"token": TOKEN}),
        "contexts": named("context", {"cluster": "test", "user": "test"}),
    })


def main():
    tools, home, command = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    running = []
    try:
        process, store = etcd(tools, home)
        running.append(process)
        process, url = api_server(tools, home, store)
        running.append(process)
        wait_until_ready(process, url, home / "kube-apiserver.log")
        config = home / "kubeconfig"
        config.write_text(kubeconfig(url))
        environment = dict(os.environ, TAGSHIP_TEST_KUBECONFIG=str(config), KUBECONFIG=str(config))
        sys.exit(subprocess.run(command, env=environment).returncode)
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait()


if __name__ == "__main__":
    main()
