//! Settings of signatures: what they are, and each mistake with its answer.

use super::{brief, model};
use crate::{Config, KeySource};

#[test]
fn keys_are_files_or_variables() {
    let text = model(
        "    release: { sign: { key-env: SIGNING_KEY } }\n    verify: { keys: [keys/a.pem, { key-env: TRUSTED }] }\n    \
         environments: { production: { target: local, require-signature: true } }\n",
    );
    let config = Config::parse("tagship.yml", &text).unwrap();
    let model = config.models.values().next().unwrap();
    assert_eq!(model.release.sign_key_env.as_deref(), Some("SIGNING_KEY"));
    let file = KeySource::File("keys/a.pem".parse().unwrap());
    assert_eq!(model.trusted_keys, [file, KeySource::Env("TRUSTED".to_owned())]);
    assert!(model.environments.values().all(|environment| environment.require_signature));
}

#[test]
fn every_mistake_has_its_answer() {
    let mut wrong = vec![];
    for (body, expected) in MISTAKES {
        let found = brief(&model(&format!("    {body}\n"))).join("\n");
        if found != *expected {
            wrong.push(format!("{body}\nexpected {expected}\nfound    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

const MISTAKES: &[(&str, &str)] = &[
    (
        "environments: { p: { target: local, require-signature: true } }",
        "5:60 models.m.environments.p.require-signature: a signature is required, and no key is trusted | name the public key of the model, e.g. `verify: { keys: [keys/release.pub.pem] }` beside `environments`",
    ),
    (
        "verify: { keys: [] }",
        "5:15 models.m.verify.keys: a list of no keys trusts nobody | name the file of a public key, e.g. `keys: [keys/release.pub.pem]`",
    ),
    ("verify: {}", "5:5 models.m.verify: the key `keys` is missing"),
    (
        "verify: { keys: [/etc/key.pem] }",
        "5:22 models.m.verify.keys[0]: path \"/etc/key.pem\" is absolute; write it relative to the root of the repository",
    ),
    (
        "verify: { keys: [{ env: KEY }] }",
        "5:22 models.m.verify.keys[0]: expected the path of a public key, or `{ key-env: NAME }`",
    ),
    (
        "release: { sign: { key-env: \"-----BEGIN PRIVATE KEY-----\" } }",
        "5:33 models.m.release.sign.key-env: expected the name of an environment variable | write the name alone, e.g. `TAGSHIP_SIGNING_KEY`, and keep the key out of this file",
    ),
    ("release: { sign: true }", "5:22 models.m.release.sign: expected a mapping, found `true`"),
];
