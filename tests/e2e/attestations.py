#!/usr/bin/env python3
"""GitHub's client `gh` judges attestations with the arguments that Tagship gives it: what is genuine passes, whatever is not is
refused. Certificates, timestamps and roots of trust are made here, of the kind that GitHub makes for private repositories.

usage: attestations.py GH CARGO DIRECTORY
"""

import base64
import copy
import hashlib
import json
import os
import shlex
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

ROOT = Path(__file__).parent.parent.parent
TEST = "attestation_verifiers::gh::tests::the_real_gh_judges_what_was_made_here"
# The client takes the kind of proof that it wants from the issuer's organisation; this one wants a timestamp.
ORGANISATION = "GitHub, Inc."
HOST = "https://github.com"
ISSUER = "https://token.actions.githubusercontent.com"
PROVENANCE = "https://slsa.dev/provenance/v1"
PAYLOAD = "application/vnd.in-toto+json"
# What the test in Rust expects of a genuine one.
REPOSITORY = "acme/models.v2"
WORKFLOW = f"{REPOSITORY}/.github/workflows/release.yml@refs/heads/main"
COMMIT = "0f1c3eb" * 5 + "0f1c3"
SUBJECT = b"the listing\n"
NOW = datetime.now(timezone.utc)
TIMESTAMPS = """[tsa]
default_tsa = here
[here]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
"""


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Authority:
    """A root, and below it who certifies workflows and who tells the time."""

    def __init__(self, directory: Path):
        self.directory = directory
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
        self.root_key, self.signer_key, clock_key = keys
        self.root = certificate("root", self.root_key, None, self.root_key, None)
        self.signer = certificate("workflows", self.signer_key, self.root, self.root_key, None,
                                  (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False))
        self.clock = certificate("time", clock_key, self.root, self.root_key, timedelta(days=10),
                                 (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True))
        plain = serialization.NoEncryption()
        key = clock_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        (directory / "clock.key").write_bytes(key)
        (directory / "clock.pem").write_bytes(self.clock.public_bytes(serialization.Encoding.PEM))
        (directory / "timestamps.cnf").write_text(TIMESTAMPS)
        (directory / "serial").write_text("01\n")

    def roots(self) -> str:
        """What `gh attestation trusted-root` prints."""
        def chain(*certificates):
            start = (NOW - timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
            raw = [{"rawBytes": text(one.public_bytes(serialization.Encoding.DER))} for one in certificates]
            return {"subject": {"organization": ORGANISATION, "commonName": "here"}, "uri": "https://example.org",
                    "certChain": {"certificates": raw}, "validFor": {"start": start}}
        return json.dumps({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "tlogs": [], "ctlogs": [],
            "certificateAuthorities": [chain(self.signer, self.root)],
            "timestampAuthorities": [chain(self.clock, self.root)],
        }) + "\n"

    def timestamp(self, data: bytes) -> bytes:
        (self.directory / "data").write_bytes(data)
        for words in (["-query", "-data", "data", "-sha256", "-cert", "-out", "query"],
                      ["-reply", "-config", "timestamps.cnf", "-queryfile", "query", "-signer", "clock.pem",
                       "-inkey", "clock.key", "-out", "reply"]):
            subprocess.run(["openssl", "ts", *words], cwd=self.directory, check=True, capture_output=True)
        return (self.directory / "reply").read_bytes()

    def attest(self, digest=None, repository=REPOSITORY, workflow=WORKFLOW, kind=PROVENANCE, issuer=ISSUER):
        """A bundle as `actions/attest` keeps it."""
        key = ec.generate_private_key(ec.SECP256R1())
        # github.com/sigstore/fulcio, docs/oid-info.md
        told = {8: issuer, 9: f"{HOST}/{workflow}", 10: COMMIT, 11: "github-hosted", 12: f"{HOST}/{repository}", 13: COMMIT,
                14: "refs/heads/main", 15: "1", 16: f"{HOST}/{repository.split('/')[0]}", 17: "2",
                18: f"{HOST}/{workflow}", 19: COMMIT, 20: "push", 21: f"{HOST}/{repository}/actions/runs/7/attempts/1",
                22: "private"}
        extensions = [(x509.UnrecognizedExtension(oid(number), utf8(value)), False) for number, value in told.items()]
        extensions += [
            (x509.UnrecognizedExtension(oid(1), issuer.encode()), False),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False),
            (x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"{HOST}/{workflow}")]), True),
        ]
        leaf = certificate(None, key, self.signer, self.signer_key, timedelta(minutes=9), *extensions)
        statement = json.dumps({
            "_type": "https://in-toto.io/Statement/v1", "predicateType": kind, "predicate": {},
            "subject": [{"name": "churn", "digest": {"sha256": digest or hashlib.sha256(SUBJECT).hexdigest()}}],
        }).encode()
        signed = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(statement), statement)
        signature = key.sign(signed, ec.ECDSA(hashes.SHA256()))
        time = {"rfc3161Timestamps": [{"signedTimestamp": text(self.timestamp(signature))}]}
        raw = text(leaf.public_bytes(serialization.Encoding.DER))
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"certificate": {"rawBytes": raw}, "timestampVerificationData": time, "tlogEntries": []},
            "dsseEnvelope": {"payload": text(statement), "payloadType": PAYLOAD, "signatures": [{"sig": text(signature)}]},
        }


def oid(number: int) -> ObjectIdentifier:
    return ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}")


def utf8(value: str) -> bytes:
    data = value.encode()
    assert len(data) < 256
    return bytes([0x0C, len(data)] if len(data) < 128 else [0x0C, 0x81, len(data)]) + data


def certificate(name, key, above, above_key, lives, *extensions):
    """`lives` is how long; an authority, which signs others, lives for long."""
    def named(common):
        organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION)
        return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, common)])
    signs = lives is None
    builder = x509.CertificateBuilder().subject_name(named(name) if name else x509.Name([]))
    builder = builder.issuer_name(above.subject if above else named(name)).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    begins = NOW - (timedelta(minutes=1) if name is None else timedelta(days=10))
    builder = builder.not_valid_before(begins).not_valid_after(NOW + (lives or timedelta(days=100)))
    usage = x509.KeyUsage(not signs, False, False, False, False, signs, signs, False, False)
    basic = [
        (x509.BasicConstraints(signs, None), True), (usage, True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(above_key.public_key()), False),
    ]
    for extension, critical in [*basic, *extensions]:
        builder = builder.add_extension(extension, critical)
    return builder.sign(above_key, hashes.SHA256())


def main():
    gh, cargo, directory = sys.argv[1:]
    directory = Path(directory)
    made = directory / "made"
    (directory / "work").mkdir()
    (made / "bin").mkdir(parents=True)
    ours = Authority(directory / "work")
    (made / "roots").write_text(ours.roots())
    # The real client, for which only its way to the network is replaced.
    wrapper = made / "bin" / "gh"
    wrapper.write_text(f"#!/bin/sh\n[ \"$2\" = trusted-root ] && exec cat {shlex.quote(str(made / 'roots'))}\n"
                       f"exec {shlex.quote(gh)} \"$@\"\n")
    wrapper.chmod(0o755)
    good = ours.attest()
    forged = copy.deepcopy(good)
    forged["dsseEnvelope"]["payload"] = text(base64.b64decode(good["dsseEnvelope"]["payload"]).replace(b"churn", b"other"))
    mallory = "mallory/models.v2/.github/workflows/release.yml@refs/heads/main"
    cases = {
        "good-one": [good],
        "good-shared-workflow": [ours.attest(workflow="acme/shared/.github/workflows/release.yml@refs/tags/v1")],
        "good-beside-a-forged-one": [good, forged],
        "bad-other-bytes": [ours.attest(digest="0" * 64)],
        "bad-forged": [forged],
        "bad-other-repository": [ours.attest(repository="mallory/models.v2", workflow=mallory)],
        "bad-other-repository-of-the-owner": [ours.attest(repository="acme/models")],
        "bad-other-signer": [ours.attest(workflow=mallory)],
        "bad-owner-of-a-longer-name": [ours.attest(workflow="acmeevil/a/.github/workflows/a.yml@refs/heads/main")],
        "bad-other-kind": [ours.attest(kind="https://cyclonedx.org/bom")],
        "bad-other-issuer": [ours.attest(issuer="https://issuer.example.org")],
        "bad-garbage": [{"a": 1}],
    }
    for name, bundles in cases.items():
        (made / f"{name}.jsonl").write_text("".join(json.dumps(bundle) + "\n" for bundle in bundles))
    # Signed under roots that nobody has heard of.
    (made / "bad-other-roots.jsonl").write_text(json.dumps(Authority(directory / "work").attest()) + "\n")
    words = [cargo, "test", "--locked", "--quiet", "--workspace", "--lib", "--", "--ignored", "--exact", TEST]
    environment = {**os.environ, "TAGSHIP_TEST_ATTESTATIONS": str(made)}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != 0 or "1 passed" not in done.stdout:
        raise SystemExit(f"FAILED: {done.stdout}{done.stderr}")
    print(f"ok: gh judges {len(cases) + 1} attestations as they are")


if __name__ == "__main__":
    main()
