//! Signatures: what is signed is believed, explained and verified; what is not stays out where that is asked.

use std::{fs, path::Path};

use p256::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use serde_json::Value;
use tagship_testkit::Output;

use crate::workbench::{TAGSHIP, Workbench};

/// Name of the variable with the private key.
const VARIABLE: &str = "SIGNING_KEY";

/// A private and a public key as PEM, from a number.
fn keys(number: u8) -> (String, String) {
    let key = p256::SecretKey::from_slice(&[number; 32]).unwrap();
    let public = key.public_key().to_public_key_pem(LineEnding::LF).unwrap();
    (key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string(), public)
}

/// Makes the model's releases signed, and production take no others.
fn demand_signatures(bench: &Workbench, trusted: u8) {
    let config = fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    let signed = format!(
        "    release: {{ sign: {{ key-env: {VARIABLE} }} }}\n    verify: {{ keys: [keys/release.pub.pem] }}\n    environments:"
    );
    let config = config.replace("    environments:", &signed);
    bench.clone.write("tagship.yml", format!("{config}        require-signature: true\n"));
    bench.clone.write("keys/release.pub.pem", keys(trusted).1);
    bench.push("Demand signatures");
}

fn run(bench: &Workbench, arguments: &[&str]) -> Output {
    bench.cli(arguments).env(VARIABLE, keys(7).0).run()
}

fn release(bench: &Workbench) {
    for verb in ["validate", "gate", "release"] {
        run(bench, &[verb]).assert_code(0);
    }
}

fn outcomes(done: &Output) -> Vec<(String, String)> {
    let chain: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(chain["schema"], "tagship/chain/v1");
    let word = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    chain["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (word(check, "link"), word(check, "outcome")))
        .collect()
}

#[test]
fn a_signed_release_is_deployed_explained_and_verified() {
    let bench = Workbench::with_server();
    bench.clone.write("models/churn/README.md", "---\nlicense: mit\n---\nWritten by hand.\n");
    demand_signatures(&bench, 7);
    let without_key = bench.run_push();
    without_key.assert_code(2);
    assert!(without_key.stderr.contains(&format!("{VARIABLE} is not set")), "{}", without_key.stderr);
    assert_eq!(bench.production(), None);
    let done = bench.run_push_with(|cli| cli.env(VARIABLE, keys(7).0));
    done.assert_code(0);
    assert!(!format!("{}{}", done.stdout, done.stderr).contains("PRIVATE KEY"));
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));

    let explained = bench.run(&["registry", "explain", "churn#production"]);
    let text = &explained.assert_code(0).stdout;
    for words in
        ["churn@v0.1.0 in production", "sha256:", "accuracy floor", "by the trusted key", "Succeeded"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let saved = bench.clone.path().join("documents");
    bench.run(&["registry", "explain", "churn@v0.1.0", "--documents", "documents"]).assert_code(0);
    let card = fs::read_to_string(saved.join("model-card.md")).unwrap();
    assert!(card.contains("license: mit\n") && card.contains("Written by hand."), "{card}");
    assert!(card.contains("version: \"v0.1.0\""), "{card}");
    let bom: Value = serde_json::from_slice(&fs::read(saved.join("bom.cdx.json")).unwrap()).unwrap();
    assert_eq!(bom["metadata"]["component"]["licenses"][0]["license"]["name"], "mit");
    // Whoever has the files needs neither the repository nor the store.
    bench.run(&["pull", "churn@v0.1.0", "--output", "pulled"]).assert_code(0);
    let bundle = saved.join("model.sig.json").display().to_string();
    bench
        .run(&["verify", "pulled/model.onnx", "--bundle", &bundle, "--key", "keys/release.pub.pem"])
        .assert_code(0);

    let verified = bench.run(&["verify", "churn#production", "--format", "json"]);
    for (link, outcome) in outcomes(verified.assert_code(0)) {
        assert_eq!(outcome, "holds", "{link}");
    }
    assert_eq!(outcomes(&verified).len(), 8);
    let by_version = bench.run(&["verify", "churn@v0.1.0", "--format", "json"]);
    assert_eq!(outcomes(by_version.assert_code(0)).len(), 7);
    // A key that is given counts instead of the configured one.
    let other = bench.clone.write("other.pub.pem", keys(8).1).display().to_string();
    let refused = bench.run(&["verify", "churn@v0.1.0", "--key", &other, "--format", "json"]);
    assert!(outcomes(refused.assert_code(1)).contains(&("signature".to_owned(), "broken".to_owned())));
}

#[test]
fn a_version_that_nobody_signed_gets_no_traffic() {
    let bench = Workbench::with_server();
    release(&bench);
    demand_signatures(&bench, 7);
    for arguments in [&["rollout"][..], &["rollout", "--once"], &["plan"], &["rollback", "--to", "v0.1.0"]] {
        let refused = run(&bench, arguments);
        refused.assert_code(1);
        let said = refused.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("keep churn@v0.1.0 out of production"), "{arguments:?}: {said}");
        assert!(said.contains("released without a signature"), "{arguments:?}: {said}");
    }
    assert_eq!(bench.production(), None);
    assert!(!bench.published().iter().any(|name| name.contains("rollouts")), "nothing began");
    // It can be verified where no signature is demanded, and its other links hold.
    let verified = bench.run(&["verify", "churn@v0.1.0", "--format", "json"]);
    assert!(
        outcomes(verified.assert_code(0)).contains(&("signature".to_owned(), "not-applicable".to_owned()))
    );
}

#[test]
fn a_signature_of_another_key_is_none() {
    let bench = Workbench::with_server();
    demand_signatures(&bench, 8);
    let refused = bench.run_push_with(|cli| cli.env(VARIABLE, keys(7).0));
    refused.assert_code(1);
    assert!(refused.stderr.contains("the trusted keys are"), "{}", refused.stderr);
    assert_eq!(bench.production(), None);
}

#[test]
fn what_was_tampered_with_is_found() {
    let bench = Workbench::new();
    demand_signatures(&bench, 7);
    release(&bench);
    bench.run(&["verify", "churn@v0.1.0"]).assert_code(0);

    // The stage says what no rollout did: the tag names one, and there is no journal of it.
    bench.clone.git(&["tag", "-a", "-m", "Assigning\n\nTagship-Rollout: r#1", "churn#production#1", "HEAD"]);
    let unknown = bench.run(&["verify", "churn#production", "--format", "json"]);
    assert!(outcomes(unknown.assert_code(3)).contains(&("stage".to_owned(), "unknown".to_owned())));

    let model = fs::read(bench.clone.path().join("models/churn/model.onnx")).unwrap();
    let blobs = bench.clone.path().join(".tagship/store/blobs/sha256");
    let mut damaged = 0;
    for blob in files(&blobs).into_iter().filter(|blob| fs::read(blob).unwrap() == model) {
        fs::remove_file(&blob).unwrap();
        fs::write(&blob, "damaged").unwrap();
        damaged += 1;
    }
    assert_eq!(damaged, 1);
    let broken = bench.run(&["verify", "churn@v0.1.0", "--format", "json"]);
    assert!(outcomes(broken.assert_code(1)).contains(&("bytes".to_owned(), "broken".to_owned())));
    fs::remove_dir_all(&blobs).unwrap();
    let broken = bench.run(&["verify", "churn@v0.1.0", "--format", "json"]);
    assert_eq!(outcomes(broken.assert_code(1)), [("manifest".to_owned(), "broken".to_owned())]);
}

#[test]
fn files_are_signed_and_verified_without_a_repository() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir_all(at("model/sub")).unwrap();
    fs::write(at("model/weights.bin"), "weights").unwrap();
    fs::write(at("model/sub/config.json"), "{}").unwrap();
    fs::write(at("trusted.pem"), keys(7).1).unwrap();
    fs::write(at("other.pem"), keys(8).1).unwrap();
    let tagship = |arguments: &[&str]| {
        let cli = tagship_testkit::Cli::new(TAGSHIP).current_dir(directory.path()).args(arguments);
        cli.env(VARIABLE, keys(7).0).run()
    };
    let sign = ["sign", "model", "--key-env", VARIABLE, "--out", "model/model.sig.json"];
    tagship(&sign).assert_code(0);
    tagship(&sign).assert_code(2);
    tagship(&[&sign[..], &["--force"]].concat()).assert_code(0);
    let verify = |key: &str| tagship(&["verify", "model", "--bundle", "model/model.sig.json", "--key", key]);
    verify("trusted.pem").assert_code(0);
    verify("other.pem").assert_code(1);
    let refused = |change: &dyn Fn(&Path), words: &str| {
        change(&at("model"));
        let done = verify("trusted.pem");
        assert!(done.assert_code(1).stderr.contains(words), "{words}: {}", done.stderr);
    };
    refused(&|model| fs::write(model.join("weights.bin"), "Weights").unwrap(), "\"weights.bin\" changed");
    refused(&|model| fs::remove_file(model.join("weights.bin")).unwrap(), "\"weights.bin\" missing");
    fs::write(at("model/weights.bin"), "weights").unwrap();
    verify("trusted.pem").assert_code(0);
    refused(&|model| fs::write(model.join("new"), "").unwrap(), "\"new\" not signed");
    let key = tagship(&["sign", "model", "--key-env", "NOT_SET"]);
    assert!(key.assert_code(2).stderr.contains("NOT_SET is not set"), "{}", key.stderr);
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn what_no_key_is_at_hand_for_is_explained_but_for_its_signature() {
    let bench = Workbench::new();
    demand_signatures(&bench, 7);
    release(&bench);
    let config = fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    bench.clone.write("tagship.yml", config.replace("keys/release.pub.pem", "{ key-env: TRUSTED_KEY }"));
    let explain = |key: &str| {
        bench.cli(&["registry", "explain", "churn@v0.1.0", "--format", "json"]).env("TRUSTED_KEY", key).run()
    };
    let unset = bench.run(&["registry", "explain", "churn@v0.1.0"]);
    let text = unset.assert_code(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["accuracy floor", "the signature was not checked", "TRUSTED_KEY is not set"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let signature = ("signature".to_owned(), "unknown".to_owned());
    assert_eq!(outcomes(explain("no key").assert_code(0)), [signature]);
    let read = explain(&keys(7).1);
    assert!(!read.assert_code(0).stdout.contains("not checked"), "{}", read.stdout);
    bench.run(&["verify", "churn@v0.1.0"]).assert_code(2);
}

#[test]
fn what_a_signature_leaves_out_is_named() {
    let directory = tempfile::tempdir().unwrap();
    for file in ["weights.bin", ".gitignore"] {
        fs::create_dir_all(directory.path().join("model")).unwrap();
        fs::write(directory.path().join("model").join(file), "x").unwrap();
    }
    let sign = |arguments: &[&str]| {
        tagship_testkit::Cli::new(TAGSHIP)
            .args([&["sign", "model", "--key-env", VARIABLE], arguments].concat())
            .current_dir(directory.path())
            .env(VARIABLE, keys(7).0)
            .run()
    };
    let signed = sign(&[]);
    assert!(
        signed.assert_code(0).stdout.contains("left out, so that nobody vouches for it: .gitignore\n"),
        "{}",
        signed.stdout
    );
    let signed: Value =
        serde_json::from_str(&sign(&["--force", "--format", "json"]).assert_code(0).stdout).unwrap();
    assert_eq!(signed["ignored"], serde_json::json!([".gitignore"]));
}

#[test]
fn a_dry_run_shows_what_would_be_written_and_writes_nothing() {
    let bench = Workbench::new();
    demand_signatures(&bench, 7);
    for verb in ["validate", "gate"] {
        bench.run(&[verb]).assert_code(0);
    }
    let (published, store) = (bench.published(), bench.clone.path().join(".tagship/store"));
    let shown = bench.run(&["release", "--dry-run", "--format", "json"]);
    let planned: Value = serde_json::from_str(&shown.assert_code(0).stdout).unwrap();
    assert_eq!((&planned["version"], &planned["sign_key_env"]), (&"v0.1.0".into(), &VARIABLE.into()));
    assert!(planned["note"].as_str().unwrap().contains("| metric | value |"), "{planned}");
    assert_eq!(planned["bill_of_materials"]["specVersion"], "1.6");
    assert_eq!(planned["documents_lack_signature"], true);
    let told = bench.run(&["release", "--dry-run"]);
    assert!(told.stdout.contains("these lines are missing below"), "{}", told.stdout);
    assert_eq!(bench.published(), published);
    assert!(!store.exists());
    bench.clone.write("models/churn/README.md", "---\nlicense: [\n---\n");
    let wrong = bench.run(&["release", "--dry-run"]);
    assert!(wrong.assert_code(2).stderr.contains("README.md"), "{}", wrong.stderr);
}
