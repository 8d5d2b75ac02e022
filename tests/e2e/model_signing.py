"""Signatures of `model-signing` are believed by Tagship, Tagship's by it, and what is wrong by neither; a release's bill of
materials is valid by CycloneDX's own schema.

    python model_signing.py TAGSHIP DEMO

DEMO is what `tagship demo --keep` left. Needs model-signing, pyopenssl, cyclonedx-python-lib and jsonschema.
"""

import base64
import copy
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import cyclonedx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jsonschema import Draft7Validator
from referencing import Registry, Resource

TAGSHIP, DEMO = map(pathlib.Path, sys.argv[1:3])
REFERENCE = pathlib.Path(sys.executable).parent / "model_signing"
CURVES = {
    "P-256": (ec.SECP256R1(), hashes.SHA256()),
    "P-384": (ec.SECP384R1(), hashes.SHA384()),
    "P-521": (ec.SECP521R1(), hashes.SHA512()),
}
FILES = {
    "B.txt": b"B\n",
    "a/x.txt": b"ax\n",
    "a/.hidden": b"h\n",
    "a b/\u00e9t\u00e9.txt": b"e\n",
    "a-b/x.txt": b"abx\n",
    "a.txt": b"a\n",
    "empty.bin": b"",
    "weights.bin": bytes(range(256)) * 40,
    ".gitattributes": b"* text\n",
}
passed = 0


def check(what, holds, told=""):
    global passed
    if not holds:
        sys.exit(f"{what}: FAILED\n{told}")
    passed += 1


def run(*command, **variables):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env={**os.environ, **variables}
    )
    return done.returncode, done.stdout + done.stderr


class Key:
    """A key pair in files, and what signs with it."""

    def __init__(self, directory, name, curve):
        self.key, self.hash = ec.generate_private_key(CURVES[curve][0]), CURVES[curve][1]
        self.text = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        self.private, self.public = directory / f"{name}.pem", directory / f"{name}.pub.pem"
        self.private.write_text(self.text)
        public = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public.write_bytes(public)

    def sign(self, payload, bundle):
        """The bundle around another statement."""
        kind = bundle["dsseEnvelope"]["payloadType"].encode()
        message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
        signature = self.key.sign(message, ec.ECDSA(self.hash))
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(signature).decode()


def ours_signs(model, key, out):
    return run(TAGSHIP, "sign", model, "--key-env", "KEY", "--out", out, "--force", KEY=key.text)


def ours(model, signature, key):
    return run(TAGSHIP, "verify", model, "--bundle", signature, "--key", key.public)


def theirs_signs(model, key, out, *more):
    return run(REFERENCE, "sign", "key", model, "--signature", out, "--private_key", key.private, *more)


def theirs(model, signature, key):
    return run(REFERENCE, "verify", "key", model, "--signature", signature, "--public_key", key.public)


def build(directory):
    shutil.rmtree(directory, ignore_errors=True)
    for path, content in FILES.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)


def both_ways(scratch):
    model, signature = scratch / "model", scratch / "model.sig.json"
    for curve in CURVES:
        key, other = Key(scratch, curve, curve), Key(scratch, f"other-{curve}", curve)
        for signer in (ours_signs, theirs_signs):
            build(model)
            name = f"{curve}, {signer.__name__}"
            code, told = signer(model, key, signature)
            check(f"{name}: signs", code == 0, told)
            for verifier in (ours, theirs):
                what = f"{name}, {verifier.__name__}"
                code, told = verifier(model, signature, key)
                check(f"{what}: verifies", code == 0, told)
                check(f"{what}: another key", verifier(model, signature, other)[0] == 1)
            changes = {
                "changed": lambda: (model / "a.txt").write_bytes(b"A\n"),
                "missing": lambda: (model / "a/x.txt").unlink(),
                "extra": lambda: (model / "extra").write_bytes(b""),
                "renamed": lambda: (model / "a.txt").rename(model / "a.txx"),
                "link": lambda: (model / "link").symlink_to("a.txt"),
            }
            for change, apply in changes.items():
                build(model)
                apply()
                for verifier in (ours, theirs):
                    code, told = verifier(model, signature, key)
                    check(f"{name}, {verifier.__name__}: {change}", code not in (0, 2, 101), told)
    build(model)
    one = scratch / "one.bin"
    one.write_bytes(b"one file")
    for signer in (ours_signs, theirs_signs):
        check(f"one file: {signer.__name__}", signer(one, key, signature)[0] == 0)
        for verifier in (ours, theirs):
            code, told = verifier(one, signature, key)
            check(f"one file: {signer.__name__}, {verifier.__name__}", code == 0, told)


def statements(scratch):
    """Statements that are signed well and say what they must not: the reference believes some of them."""
    model, signature, key = scratch / "model", scratch / "stated.sig.json", Key(scratch, "stated", "P-256")
    build(model)
    theirs_signs(model, key, signature)
    bundle = json.loads(signature.read_text())
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))

    def restate(change):
        stated, around = copy.deepcopy(statement), copy.deepcopy(bundle)
        change(stated, stated["predicate"]["resources"])
        digests = b"".join(bytes.fromhex(one["digest"]) for one in stated["predicate"]["resources"])
        stated["subject"][0]["digest"]["sha256"] = hashlib.sha256(digests).hexdigest()
        key.sign(json.dumps(stated).encode(), around)
        signature.write_text(json.dumps(around))

    restate(lambda stated, resources: stated["subject"][0].update(name="churn@v1.4.0"))
    for verifier in (ours, theirs):
        code, told = verifier(model, signature, key)
        check(f"the name of a release as subject: {verifier.__name__}", code == 0, told)
    for what, change in {
        "reordered": lambda stated, resources: resources.reverse(),
        "repeated": lambda stated, resources: resources.append(resources[-1]),
        "outside": lambda stated, resources: resources[0].update(name="../B.txt"),
        "legacy": lambda stated, resources: stated.update(
            predicateType="https://model_signing/Digests/v0.1"
        ),
    }.items():
        restate(change)
        code, told = ours(model, signature, key)
        check(f"{what}: refused", code == 1, told)
    bundle["dsseEnvelope"]["signatures"] *= 2
    signature.write_text(json.dumps(bundle))
    check("two signatures: refused", ours(model, signature, key)[0] == 1)


def bills_of_materials():
    schemas = pathlib.Path(cyclonedx.__file__).parent / "schema" / "_res"
    load = lambda name: json.loads((schemas / f"{name}.SNAPSHOT.schema.json").read_text())
    resources = []
    for name in ("spdx", "jsf-0.82"):
        schema = load(name)
        resources.append((f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", Resource.from_contents(schema)))
        resources.append((schema["$id"], Resource.from_contents(schema)))
    validator = Draft7Validator(load("bom-1.6"), registry=Registry().with_resources(resources))
    found = 0
    for blob in (DEMO / "clone/.tagship/store").rglob("*"):
        if not blob.is_file() or blob.read_bytes()[:40].find(b'"bomFormat"') < 0:
            continue
        bom = json.loads(blob.read_text())
        errors = [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(bom)]
        check(f"{bom['metadata']['component']['bom-ref']}: valid", not errors, "\n".join(errors))
        found += 1
        broken = copy.deepcopy(bom)
        broken["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"][0]["value"] = 1
        check("a number where text is wanted is noticed", list(validator.iter_errors(broken)))
    check("the demo's releases have bills of materials", found >= 2, f"{found} found")


with tempfile.TemporaryDirectory() as directory:
    both_ways(pathlib.Path(directory))
    statements(pathlib.Path(directory))
bills_of_materials()
print(f"{passed} checks passed")
