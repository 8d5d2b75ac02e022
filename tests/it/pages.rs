//! Pages of what is watched: from looks that were made, to files that need nothing else.

use serde_json::{Value, json};

use crate::{
    watch::{check, rows, watching},
    workbench::Workbench,
};

const DRIFT: &str = "
    monitor:
      drift: { reference: reference.csv, current: today.csv, slices: [country] }
";

/// A look that is good, and one that is bad.
fn looked() -> Workbench {
    let bench = watching(DRIFT);
    rows(&bench, "reference.csv", [400, 400], 0);
    rows(&bench, "today.csv", [200, 200], 0);
    check(&bench, &[]).0.assert_code(0);
    rows(&bench, "today.csv", [200, 200], 500);
    check(&bench, &[]).0.assert_code(0);
    bench
}

fn read(bench: &Workbench, path: &str) -> String {
    std::fs::read_to_string(bench.clone.path().join(path)).unwrap()
}

#[test]
fn a_report_is_made_of_what_lies_in_git() {
    let bench = watching(DRIFT);
    let done = bench.run(&["monitor", "report", "--html", "page.html"]);
    done.assert_code(0);
    assert!(done.stdout.starts_with("Nobody has looked yet."), "{}", done.stdout);
    assert!(read(&bench, "page.html").contains("Nobody has looked yet"), "and the page says so too");

    let bench = looked();
    for table in ["reference.csv", "today.csv"] {
        std::fs::remove_file(bench.clone.path().join(table)).unwrap();
    }
    let done = bench.run(&["monitor", "report", "--format", "json", "--html", "page.html"]);
    done.assert_code(0);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&report["schema"], &report["look"]["good"]), (&json!("tagship/monitor/v1"), &json!(false)));
    let columns = report["details"]["drift"]["columns"].as_array().unwrap();
    assert!(columns.iter().all(|column| column["histogram"].is_object()), "{columns:#?}");
    assert_eq!(report["past"][0]["phase"], "Succeeded", "{report:#}");
    assert_eq!(report["unwatched"], json!(["quality", "slo", "streams"]));
    let page = read(&bench, "page.html");
    assert!(page.contains("bad <span class=\"chip bad\">bad</span></h1>"), "the verdict comes first");
    assert!(page.contains("<code>tagship monitor check --model churn"), "with the command to act");
    assert!(page.contains("Spread of amount") && page.contains("the configuration has no monitor.slo"));
    assert!(!page.contains("<script") && !page.contains("All is well"));
}

#[test]
fn a_look_tells_its_verdict_in_the_summary_of_the_step() {
    let bench = looked();
    let summary = bench.clone.path().join("summary.md");
    let look = bench.cli(&["monitor", "check"]).env("GITHUB_STEP_SUMMARY", &summary);
    look.run().assert_code(0);
    let told = read(&bench, "summary.md");
    assert!(told.starts_with("### ❌ churn in production: "), "{told}");
    assert!(told.contains("drift/country") || told.contains("drift/data"), "{told}");
    assert!(told.contains("Open: drift/"), "{told}");
}

#[test]
fn the_looks_that_are_remembered_are_listed() {
    let bench = looked();
    let done = bench.run(&["monitor", "history", "--format", "json"]);
    done.assert_code(0);
    let history: Value = serde_json::from_str(&done.stdout).unwrap();
    let looks = history["looks"].as_array().unwrap();
    let verdicts: Vec<&Value> = looks.iter().map(|look| &look["good"]).collect();
    assert_eq!(verdicts, [&json!(true), &json!(false)], "{history:#}");
    assert!(
        looks[1]["bad"].as_array().unwrap().iter().any(|topic| topic.as_str().unwrap().starts_with("drift/"))
    );
}

#[test]
fn a_site_links_within_itself_and_never_takes_a_folder_of_somebody_else() {
    let bench = looked();
    bench.run(&["monitor", "site", "--out", "site"]).assert_code(0);
    let index = read(&bench, "site/index.html");
    assert!(index.contains("href=\"models/churn/production.html\""), "{index}");
    let page = read(&bench, "site/models/churn/production.html");
    assert!(page.contains("href=\"../../index.html\"") && !page.contains("href=\"/"), "links are relative");
    check(&bench, &["--site", "site"]).0.assert_code(0);
    assert_ne!(read(&bench, "site/models/churn/production.html"), page, "a later look writes it anew");

    bench.clone.write("mine/notes.txt", "keep me");
    let refused = bench.run(&["monitor", "site", "--out", "mine"]);
    refused.assert_code(2);
    assert!(refused.stderr.contains("name a folder that is not there yet"), "{}", refused.stderr);
    assert_eq!(read(&bench, "mine/notes.txt"), "keep me");
    bench.run(&["monitor", "site", "--out", "other", "--environment", "nowhere"]).assert_code(2);
}

#[test]
fn a_comparison_of_tables_is_a_page_too() {
    let bench = watching(DRIFT);
    rows(&bench, "reference.csv", [400, 400], 0);
    rows(&bench, "<b>today.csv", [200, 200], 500);
    let done = bench.run(&[
        "monitor",
        "drift",
        "--reference",
        "reference.csv",
        "--current",
        "<b>today.csv",
        "--html",
        "drift.html",
    ]);
    done.assert_code(0);
    let page = read(&bench, "drift.html");
    assert!(page.contains("1 of 3 columns have drifted") && page.contains("&lt;b&gt;today.csv"), "{page}");
    assert!(page.contains("<h1>The data has not drifted"), "one column of three is not the whole");
    assert!(!page.contains("<b>today"), "{page}");
}
