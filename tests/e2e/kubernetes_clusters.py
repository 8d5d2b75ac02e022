"""Clusters to follow the guide on: one that `kind` makes, one that somebody has, and a bare API server whose controllers,
pods and installed parts are played."""

import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import kube_apiserver
from rollout_bench import Bench, wait_for
from stores import Registry

# What commands need that is not there on every cluster.
MACHINES, INSTALLS = "machines", "installs"


def named(kind: str, namespace: str, name: str, labels: dict, **rest) -> dict:
    version = "apps/v1" if kind == "Deployment" else "v1"
    metadata = {"name": name, "labels": labels} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}


def deployment(namespace: str, name: str) -> dict:
    labels = {"app.kubernetes.io/name": name}
    pods = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "manager", "image": "registry.example.org/manager:1"}]}}
    return named("Deployment", namespace, name, labels, spec={"selector": {"matchLabels": labels}, "template": pods})


STORAGE = json.dumps({"image": "kserve/storage-initializer:v0.15.2", "enableModelcar": False, "memoryLimit": "1Gi"})
INGRESS = {"app.kubernetes.io/component": "controller"}
READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
# By a part of the command that installs it.
INSTALLED = {
    "/kserve/kserve/": [
        named("Namespace", "", "kserve", {}),
        named("ConfigMap", "kserve", "inferenceservice-config", {}, data={"storageInitializer": STORAGE, "deploy": "{}"}),
        deployment("kserve", "kserve-controller-manager"),
    ],
    "/argoproj/argo-rollouts/": [deployment("argo-rollouts", "argo-rollouts")],
    "/kubernetes/ingress-nginx/": [
        named("Namespace", "", "ingress-nginx", {}),
        named("Pod", "ingress-nginx", "controller", INGRESS, spec={"containers": [{"name": "controller", "image": "ingress:1"}]}),
    ],
}


class Given:
    """A cluster with everything on it that the guide installs."""

    name = "a cluster that is given"
    missing = {MACHINES: "the cluster is given", INSTALLS: "what it installs is on the cluster that is given"}

    def __init__(self, bench: Bench, place: str, kubeconfig: str):
        bench.environment["KUBECONFIG"] = kubeconfig
        # As whoever may do all, whatever account the reader has become.
        self.environment = dict(bench.environment)
        bench.environment.update({name: demanded(name) for name in ("REGISTRY_USER", "REGISTRY_PASSWORD")})
        # Versions of one section are none of another one.
        self.repository = f"{demanded('TAGSHIP_WALK_REPOSITORY')}-{place}"
        self.base, self.image = demanded("TAGSHIP_WALK_BASE"), demanded("TAGSHIP_WALK_IMAGE")

    def begin(self, commands: list[str]):
        """Before the first of a section's commands."""

    def stand_in(self, command: str):
        """Nothing: what is not run here has been done before."""

    def end(self):
        subprocess.run(["kubectl", "delete", "namespace", "ml", "--ignore-not-found"], env=self.environment, check=True)

    close = end


class Kind(Given):
    """A cluster by the guide's own commands."""

    name = "a cluster of kind"
    missing: dict[str, str] = {}

    def __init__(self, bench: Bench, place: str):
        for program in ("docker", "kind", "kubectl", "helm", "jq"):
            if not shutil.which(program):
                raise SystemExit(f"FAILED: a cluster of kind needs {program}, which is not there")
        super().__init__(bench, place, str(bench.home / "kubeconfig"))

    def begin(self, commands: list[str]):
        if not any(command.startswith("kind create cluster") for command in commands):
            subprocess.run(["kind", "create", "cluster", "--name", "tagship"], env=self.environment, check=True)

    def end(self):
        # The guide's last command has done it, unless something failed before, or there is none.
        subprocess.run(["kind", "delete", "cluster", "--name", "tagship"], env=self.environment, check=True)

    close = end


class Played:
    """A real API server. What stands around it on a cluster is played: the controllers by the tests' own, all pods by one
    server, and what installations leave by the objects that the guide's commands change."""

    name = "a real API server, with played controllers and pods"
    missing = {
        MACHINES: "no cluster is made here; a fresh API server stands in",
        INSTALLS: "it brings controllers and pods from the network; played ones stand in",
    }
    image = "registry.example.org/server:1"

    def __init__(self, bench: Bench, tools: Path, controllers: Path):
        self.bench, self.tools, self.controllers = bench, tools, controllers
        self.running: list[subprocess.Popen] = []
        self.player = None
        registry = Registry("docker-registry")
        registry.start(bench)
        self.repository, self.base = f"127.0.0.1:{registry.port}/churn", registry.base
        # The registry asks for no password; the guide's are sent all the same.
        bench.environment.update(REGISTRY_USER="acme", REGISTRY_PASSWORD="a-password-of-this-test")
        self.pods = http.server.ThreadingHTTPServer((own_address(), 0), Pods)
        threading.Thread(target=self.pods.serve_forever, daemon=True).start()

    def begin(self, _: list[str]):
        home = self.bench.home / f"cluster{len(list(self.bench.home.glob('cluster*')))}"
        home.mkdir()
        process, store = kube_apiserver.etcd(self.tools, home)
        self.running.append(process)
        process, url = kube_apiserver.api_server(self.tools, home, store)
        self.running.append(process)
        kube_apiserver.wait_until_ready(process, url, home / "kube-apiserver.log")
        config = home / "kubeconfig"
        config.write_text(kube_apiserver.kubeconfig(url))
        self.bench.environment["KUBECONFIG"] = str(config)
        environment = {**os.environ, "TAGSHIP_TEST_KUBECONFIG": str(config)}
        address, port = self.pods.server_address
        command = [str(self.controllers), str(address), str(port), "ml", "kserve", "argo-rollouts"]
        self.player = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
        wait_for("the kinds of the tests", lambda: self.knows("rollouts,inferenceservices,httproutes,revisions"))

    def stand_in(self, command: str):
        """Makes what a command that is not run here would leave, as far as the commands after it meet that."""
        for place, objects in INSTALLED.items():
            if place in command:
                self.kubectl("create", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
                for pod in (there for there in objects if there["kind"] == "Pod"):
                    named = ("pod", pod["metadata"]["name"], "-n", pod["metadata"]["namespace"])
                    self.kubectl("patch", *named, "--subresource=status", "--type=merge", "-p", json.dumps(READY))

    def kubectl(self, *words: str, given: str = ""):
        subprocess.run(["kubectl", *words], env=self.bench.environment, input=given, stdout=subprocess.DEVNULL, text=True, check=True)

    def knows(self, kinds: str) -> bool:
        words = ["kubectl", "get", kinds, "--all-namespaces"]
        return subprocess.run(words, env=self.bench.environment, capture_output=True).returncode == 0

    def end(self):
        if self.player:
            self.player.stdin.close()
            code = self.player.wait(60)
            self.player = None
            if code:
                raise SystemExit(f"FAILED: the played controllers ended with {code}")
        for process in reversed(self.running):
            process.terminate()
        while self.running:
            self.running.pop().wait()

    def close(self):
        for process in (self.player, *self.running):
            if process:
                process.kill()
                process.wait()
        self.pods.shutdown()


class Pods(http.server.BaseHTTPRequestHandler):
    """The model server of every pod: every model is loaded."""

    def do_GET(self):  # noqa: N802, the name that the library calls
        body = b'{"ready": true}' if self.path.endswith("/ready") else b"{}"
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def demanded(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise SystemExit(f"FAILED: a cluster with nothing played needs {variable}; CONTRIBUTING.md says what it is")
    return value


def own_address() -> str:
    """An address of this machine that API servers lead requests to: they refuse 127.0.0.0/8."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent; this asks the system for the address that it would send from.
            probe.connect(("198.51.100.1", 9))
        except OSError as error:
            raise SystemExit(f"FAILED: this machine has no address but 127.0.0.1, where pods could be played: {error}")
        return probe.getsockname()[0]
