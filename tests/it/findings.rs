//! What people and code scanning get told about findings: the rule's meaning, and a log in SARIF.

use std::fs;

use serde_json::{Value, json};
use tagship_testkit::fixtures;

use crate::workbench::Workbench;

#[test]
fn a_rule_explains_itself_in_any_case_of_letters() {
    let bench = Workbench::new();
    let told = bench.run(&["validate", "--explain", "pkl101"]);
    told.assert_code(0);
    for words in ["PKL101", "severity critical", "Why", "What to do", "https://"] {
        assert!(told.stdout.contains(words), "{words:?} in:\n{}", told.stdout);
    }
    let json: Value =
        serde_json::from_str(&bench.run(&["validate", "--explain", "INT102", "--format", "json"]).stdout)
            .unwrap();
    assert_eq!(json["schema"], "tagship/rule/v1");
    assert!(json["remedy"].as_str().unwrap().contains("git lfs pull"), "{json:#}");

    let unknown = bench.run(&["validate", "--explain", "PKL"]);
    unknown.assert_code(2);
    assert!(unknown.stderr.contains("ids begin with"), "{}", unknown.stderr);
}

#[test]
fn findings_are_written_for_code_scanning_whatever_the_verdict() {
    let bench = Workbench::new();
    bench.clone.write("models/hostile/model.pkl", fixtures::bytes("models/hostile/model.pkl"));
    let path = bench.clone.path().join("out/findings.sarif");
    let to = path.display().to_string();
    let log = |artifact: &str, code: i32| -> Value {
        bench.run(&["validate", artifact, "--sarif", &to]).assert_code(code);
        serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap()
    };
    let bad = log("models/hostile", 1);
    let run = &bad["runs"][0];
    let result =
        run["results"].as_array().unwrap().iter().find(|result| result["ruleId"] == "PKL101").unwrap();
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "models/hostile/model.pkl", "the file, not its folder");
    assert!(place["region"]["byteOffset"].is_u64(), "{place}");
    let around = place["region"]["snippet"]["rendered"]["text"].as_str().unwrap();
    assert!(around.contains("STACK_GLOBAL") || around.contains("GLOBAL posix system"), "{around}");
    let rule = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rule| rule["id"] == "PKL101")
        .unwrap();
    assert!(rule["helpUri"].as_str().unwrap().ends_with("docs/rules/PKL101.md"));

    let again = log("models/hostile", 1);
    assert_eq!(again, bad, "the same bytes give the same log");
    let good = log("models/churn/model.onnx", 0);
    assert_eq!(good["runs"][0]["results"], serde_json::json!([]), "an old log is replaced");
    assert_eq!(good["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn the_opcodes_around_a_finding_in_a_pickle_are_shown() {
    let bench = Workbench::new();
    bench.clone.write("model.pkl", b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.");
    let told = bench.run(&["validate", "model.pkl"]);
    told.assert_code(1);
    let shown = "\n         0: PROTO            4\n         2: SHORT_BINUNICODE 'posix'\n         9: SHORT_BINUNICODE 'system'\n      > 17: STACK_GLOBAL\n";
    assert!(told.stdout.contains(shown), "{}", told.stdout);
    let json: Value =
        serde_json::from_str(&bench.run(&["validate", "model.pkl", "--format", "json"]).stdout).unwrap();
    let excerpt = json["artifacts"][0]["findings"][0]["excerpt"].as_array().unwrap();
    assert_eq!(
        excerpt[1],
        json!({ "offset": 2, "opcode": "SHORT_BINUNICODE", "argument": "'posix'", "here": false })
    );
    assert_eq!(excerpt[3], json!({ "offset": 17, "opcode": "STACK_GLOBAL", "here": true }));
    assert_eq!(excerpt.len(), 7);
}

#[test]
fn a_suppressed_finding_stays_visible_and_does_not_count() {
    let bench = Workbench::new();
    bench.clone.write("models/churn/model.pkl", fixtures::bytes("models/hostile/model.pkl"));
    let with = |policy: &str| {
        let config = format!(
            "version: 1\nmodels:\n  churn:\n    artifact: models/churn/model.pkl\n    validate:\n      suppress:\n{policy}\n"
        );
        bench.clone.write("tagship.yml", config);
        bench.run(&["validate"])
    };
    with("        - { rule: PKL101, about: elsewhere.call, reason: reviewed }").assert_code(1);
    let about = "about: posix.system, reason: reviewed";
    let ended = with(&format!("        - {{ rule: PKL101, {about}, until: 2020-01-01 }}"));
    ended.assert_code(1);
    assert!(ended.stdout.contains("suppression ended on"), "{}", ended.stdout);
    let passed = with(&format!("        - {{ rule: PKL101, {about} }}"));
    passed.assert_code(0);
    assert!(passed.stdout.contains("suppressed: reviewed"), "{}", passed.stdout);

    let without_reason = with("        - { rule: PKL101 }");
    without_reason.assert_code(2);
    assert!(without_reason.stderr.contains("not suppressed without a reason"), "{}", without_reason.stderr);
    let blanket = with("        - { rule: PKL101, reason: we trust it }");
    blanket.assert_code(2);
    assert!(blanket.stderr.contains("say what it is about"), "{}", blanket.stderr);
    let damage = with("        - { rule: INT201, reason: it loads here }");
    damage.assert_code(2);
    assert!(damage.stderr.contains("suppress[0]: INT201 cannot be suppressed"), "{}", damage.stderr);
}

#[test]
fn a_class_of_the_teams_own_is_let_through_exactly_and_visibly() {
    let bench = Workbench::new();
    let pickle = b"\x80\x04cchurn.features\nEncoder\n)\x81}\x8c\x01cK\x01sb.";
    bench.clone.write("models/churn/model.pkl", pickle);
    let with = |policy: &str| {
        let config = format!(
            "version: 1\nmodels:\n  churn:\n    artifact: models/churn/model.pkl\n    validate:\n      {policy}\n"
        );
        bench.clone.write("tagship.yml", config);
        bench.run(&["validate", "--format", "json"])
    };
    let found = |policy: &str, code: i32| -> Value {
        let told = with(policy);
        told.assert_code(code);
        let report: Value = serde_json::from_str(&told.stdout).unwrap();
        report["artifacts"][0]["findings"].clone()
    };
    assert_eq!(found("fail-on: high", 1)[0]["rule"], "PKL102");
    let own = "global: churn.features.Encoder, reason: reviewed by Ada";
    let let_through = found(&format!("allow: [{{ {own}, until: 2999-12-31 }}]"), 0);
    assert_eq!(let_through[0]["rule"], "POL004");
    assert!(let_through[0]["message"].as_str().unwrap().contains("reviewed by Ada"), "{let_through:#}");
    let ended = found(&format!("allow: [{{ {own}, until: 2020-01-01 }}]"), 1);
    assert!(ended[0]["message"].as_str().unwrap().contains("addition ended on 2020-01-01"), "{ended:#}");
    assert_eq!(found(&format!("allow: [{{ {own}, call: reference }}]"), 1)[0]["rule"], "PKL105");

    bench.clone.write("models/churn/model.pkl", b"\x80\x04csklearn.pipeline\nPipeline\n)\x81.");
    found("bundles: [sklearn]", 0);
    let left_out = found("bundles: [numpy]", 1);
    assert_eq!(left_out[0]["rule"], "POL003");
    assert!(left_out[0]["message"].as_str().unwrap().contains("`sklearn`"), "{left_out:#}");

    let refused = with("allow: [{ global: os.system, reason: we trust it, call: reduce }]");
    refused.assert_code(2);
    let place = "tagship.yml:6:25 (models.churn.validate.allow[0].global): os.system cannot be allowed";
    assert!(refused.stderr.contains(place), "{}", refused.stderr);
}

#[test]
fn unchanged_bytes_are_hashed_only_and_the_report_is_the_same() {
    let bench = Workbench::new();
    let (header, data) =
        (r#"{"w":{"dtype":"U8","shape":[100000],"data_offsets":[0,100000]}}"#, vec![0; 100_000]);
    let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat();
    bench.clone.write("w/model.safetensors", bytes);
    let outside = tempfile::tempdir().unwrap();
    let (user, job) = (outside.path().join("user"), outside.path().join("job"));
    let validate = |more: &[&str], environment: &[(&str, &str)]| {
        let mut cli = bench.cli(&["validate", "w"]).args(more).env("XDG_CACHE_HOME", &user);
        for (name, value) in environment {
            cli = cli.env(name, value);
        }
        let told = cli.run();
        told.assert_code(0);
        told.stdout
    };
    let note = "1 file was only hashed";
    let first = validate(&[], &[]);
    let again = validate(&[], &[]);
    assert!(!first.contains(note) && again.contains(note), "{first}\n{again}");
    assert_eq!(
        again.lines().filter(|line| !line.contains(note)).collect::<Vec<_>>(),
        first.lines().collect::<Vec<_>>()
    );
    assert!(!validate(&["--no-cache"], &[]).contains(note));
    let json = |more: &[&str]| validate(&[more, &["--format", "json"]].concat(), &[]);
    assert_eq!(json(&[]), json(&["--no-cache"]), "the document does not tell");

    // A workflow believes its own job only.
    let temp = job.display().to_string();
    let hosted = [("GITHUB_ACTIONS", "true"), ("RUNNER_TEMP", temp.as_str())];
    assert!(!validate(&[], &hosted).contains(note));
    assert!(validate(&[], &hosted).contains(note));
    assert!(!validate(&[], &hosted[..1]).contains(note), "there is no folder of the job");
    assert!(!validate(&[], &[("CI", "true")]).contains(note));
}

#[test]
fn a_workflow_shows_findings_with_their_files() {
    let bench = Workbench::new();
    bench.clone.write("models/hostile/model.pkl", fixtures::bytes("models/hostile/model.pkl"));
    let told = bench.cli(&["validate", "models/hostile"]).env("GITHUB_ACTIONS", "true").run();
    told.assert_code(1);
    let all = format!("{}{}", told.stdout, told.stderr);
    let line = all.lines().find(|line| line.contains("(PKL101, posix.system)")).expect("an annotation");
    assert!(line.starts_with("::error file=models/hostile/model.pkl,title=tagship::"), "{line}");
}
