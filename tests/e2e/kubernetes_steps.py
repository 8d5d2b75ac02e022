"""What is known of each command of the guide to the targets on Kubernetes: what it needs, what a reader does before, and
whether the guide's promise came true."""

import json
import re
import subprocess

import kubernetes_guide
import kubernetes_manifests
from kubernetes_clusters import INSTALLS, MACHINES, Played
from kubernetes_reader import MISCONFIGURED, ROLLED_BACK, WAITS_FOR_A_PERSON, Reader, Step
from rollout_bench import expect, wait_for

RELEASE, ROLLOUT = "tagship validate && tagship gate && tagship release", "tagship rollout --wait"
PROMOTE = "tagship rollout --promote --wait"


def kserve_repository(reader: Reader):
    reader.save("tagship.yml", reader.section.file("version: 1"))
    reader.save("deploy/churn.yaml", reader.guide["With KServe on Kubernetes"].file("apiVersion: serving"))
    reader.commit_a_model()


def argo_repository(reader: Reader):
    """The same with the target that the text names."""
    (target,) = re.findall(r"`(target: \{ argo-rollouts: [^`]*\})`", reader.section.prose)
    told = reader.guide["Trying it on kind"].file("version: 1")
    reader.save("tagship.yml", re.sub(r"target: .*", target, told))
    reader.save("deploy/churn.yaml", reader.guide["With Argo Rollouts on Kubernetes"].file("apiVersion: argoproj"))
    reader.commit_a_model()


def gateway_repository(reader: Reader):
    """A namespace, and the same with the environments that this section shows."""
    reader.shell("kubectl create namespace ml && kubectl create serviceaccount tagship -n ml")
    before, after = reader.guide["Trying it on kind"].file("version: 1").split("    environments:\n")
    (strategy,) = [line for line in after.splitlines() if "strategy:" in line]
    shown = "".join(f"    {line}\n" for line in reader.section.file("environments:").splitlines())
    reader.save("tagship.yml", f"{before}{shown}{strategy}\n")
    reader.save("deploy/churn.yaml", reader.section.file("apiVersion: apps"))
    reader.commit_a_model()


def modelcars_are_on(reader: Reader, _: str):
    words = ["kubectl", "get", "configmap", "inferenceservice-config", "-n", "kserve", "-o", "jsonpath={.data.storageInitializer}"]
    told = subprocess.run(words, env=reader.bench.environment, capture_output=True, text=True, check=True).stdout
    expect("KServe reads images", json.loads(told)["enableModelcar"], True)


def traffic(reader: Reader) -> list[int]:
    status = reader.object("inferenceservice", "churn")["status"]
    return sorted(share["percent"] for share in status["components"]["predictor"]["traffic"] if share["percent"])


def kserve_serves_one(reader: Reader, _: str = ""):
    expect("one version has all traffic", traffic(reader), [100])


def kserve_shows_it(_: Reader, printed: str):
    expect("it is there", [line.split()[0] for line in printed.splitlines()], ["NAME", "churn"])


def kserve_shows_shares(_: Reader, printed: str):
    expect("the shares that are printed", sorted(share["percent"] for share in json.loads(printed)), [25, 75])


def another(reader: Reader):
    """"Commit another model and do the same": the rollout stops for a person."""
    reader.commit_a_model()
    reader.do_the_same(RELEASE, ROLLOUT, last=WAITS_FOR_A_PERSON)


def argo_shares(reader: Reader) -> tuple[str, int]:
    status = reader.object("rollout", "churn")["status"]
    return status["phase"], status["canary"]["weights"]["canary"]["weight"]


def argo_serves_one(reader: Reader, _: str = ""):
    wait_for("the Rollout to be healthy", lambda: argo_shares(reader) == ("Healthy", 0))


def argo_shows_shares(_: Reader, printed: str):
    phase, weights = printed.split(" ", 1)
    expect("the phase that is printed", phase, "Healthy")
    expect("and the shares", json.loads(weights)["canary"]["weight"], 0)


def instead(serves_one):
    """What a comment offers instead of the command that was just run, with a model of its own."""
    def take(reader: Reader, _: str):
        serves_one(reader)
        (command,) = [command for command in reader.section.commands if "# or: " in command]
        before = image(reader)
        another(reader)
        offered = kubernetes_guide.alternative(command)
        reader.shell(offered, ROLLED_BACK, "RUN")
        reader.instead.append(offered)
        serves_one(reader)
        expect("the version before is back", image(reader), before)
    return take


def image(reader: Reader) -> str:
    """What serves, as the target's object has it."""
    kind = "rollout" if "Argo" in reader.section.title else "inferenceservice"
    spec = reader.object(kind, "churn")["spec"]
    return spec["predictor"]["model"]["storageUri"] if "predictor" in spec else str(spec["template"]["spec"]["containers"][0]["args"])


def become_the_account(reader: Reader, token: str):
    """Whoever has this kubeconfig is the account `tagship`, with the printed rights and no other."""
    words = ["kubectl", "config", "view", "--raw", "--minify", "--flatten", "-o", "json"]
    config = json.loads(subprocess.run(words, env=reader.bench.environment, capture_output=True, check=True).stdout)
    config["users"][0]["user"] = {"token": token.strip()}
    place = reader.bench.home / "account"
    place.write_text(json.dumps(config))
    reader.bench.environment["KUBECONFIG"] = str(place)
    denied = subprocess.run(["kubectl", "get", "secrets", "-n", "ml"], env=reader.bench.environment, capture_output=True, text=True)
    expect("the account reads no secrets", (denied.returncode, "is forbidden" in denied.stderr), (1, True))


def refused_without_rights(reader: Reader):
    """Before it has the printed rights, the account begins no rollout, and is told what it lacks."""
    administrator = reader.bench.environment["KUBECONFIG"]
    become_the_account(reader, reader.shell("kubectl create token tagship -n ml"))
    reader.commit_a_model()
    reader.do_the_same(RELEASE)
    said = reader.shell(ROLLOUT, MISCONFIGURED)
    expect("what the account lacks is named", "the account may not" in said, True)
    reader.bench.environment["KUBECONFIG"] = administrator


def under_the_account(serves_one):
    """A model comes and is promoted under the printed rights alone."""
    def take(reader: Reader, token: str):
        administrator = reader.bench.environment["KUBECONFIG"]
        become_the_account(reader, token)
        another(reader)
        reader.do_the_same(PROMOTE)
        reader.bench.environment["KUBECONFIG"] = administrator
        serves_one(reader)
    return take


def gateway_under_the_account(reader: Reader, _: str):
    """Two models under the printed rights alone, where gateways and pods are played."""
    administrator = reader.bench.environment["KUBECONFIG"]
    if isinstance(reader.cluster, Played):
        become_the_account(reader, reader.shell("kubectl create token tagship -n ml"))
        for command in (RELEASE, ROLLOUT):
            reader.shell(command)
        reader.commit_a_model()
        reader.shell(RELEASE)
        reader.shell(ROLLOUT, WAITS_FOR_A_PERSON)
        reader.bench.environment["KUBECONFIG"] = administrator
        kubernetes_manifests.check(reader, "gateway-api", ["deployment", "service", "httproute"])


def kserve_manifests(reader: Reader):
    kubernetes_manifests.check(reader, "kserve", ["inferenceservice", "configmap"])


def argo_manifests(reader: Reader):
    kubernetes_manifests.check(reader, "argo-rollouts", ["rollout", "service"])


SECTIONS = [
    ("gateway", "Behind a gateway on Kubernetes", [
        Step("tagship init --target gateway-api --rbac", before=gateway_repository, after=gateway_under_the_account),
    ]),
    ("kserve", "Trying it on kind", [
        Step("kind create cluster --name tagship", MACHINES),
        Step("curl -s https://raw.githubusercontent.com/kserve/kserve/", INSTALLS),
        Step("kubectl create namespace ml"),
        Step("kubectl get configmap inferenceservice-config", after=modelcars_are_on),
        Step("kubectl rollout restart deployment kserve-controller-manager"),
        Step("kubectl rollout status deployment kserve-controller-manager"),
        Step("export REGISTRY_USER"),
        Step(RELEASE, before=kserve_repository),
        Step(ROLLOUT, after=kserve_serves_one),
        Step("kubectl get inferenceservice churn", after=kserve_shows_it),
        Step("kubectl get inferenceservice churn -n ml -o jsonpath", before=another, after=kserve_shows_shares),
        Step(PROMOTE, after=instead(kserve_serves_one)),
        Step("kubectl create serviceaccount tagship"),
        Step("tagship init --target kserve --rbac", before=refused_without_rights),
        Step("kubectl create token tagship", after=under_the_account(kserve_serves_one)),
        Step("kind delete cluster --name tagship", MACHINES, before=kserve_manifests),
    ]),
    ("argo-rollouts", "Trying Argo Rollouts on kind", [
        Step("kind create cluster --name tagship", MACHINES),
        Step("kubectl create namespace argo-rollouts"),
        Step("kubectl apply -n argo-rollouts --server-side", INSTALLS),
        Step("kubectl rollout status deployment argo-rollouts"),
        Step("kubectl apply -f https://raw.githubusercontent.com/kubernetes/ingress-nginx/", INSTALLS),
        Step("kubectl wait -n ingress-nginx"),
        Step("kubectl create namespace ml"),
        Step("kubectl create ingress churn"),
        Step("export REGISTRY_USER"),
        Step(RELEASE, before=argo_repository),
        Step(ROLLOUT, after=argo_serves_one),
        Step("kubectl get rollout churn", after=argo_shows_shares),
        Step(PROMOTE, before=another, after=instead(argo_serves_one)),
        Step("kubectl create serviceaccount tagship"),
        Step("tagship init --target argo-rollouts --rbac", before=refused_without_rights),
        Step("kubectl create token tagship", after=under_the_account(argo_serves_one)),
        Step("kind delete cluster --name tagship", MACHINES, before=argo_manifests),
    ]),
]
