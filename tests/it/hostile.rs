//! Foreign text in every field that a change can bring: it breaks out of no output, log, summary or comment.

use serde_json::json;

use crate::hosted::{Hosted, Step};

/// Each tries to leave its place in some way.
const HOSTILE: [&str; 64] = [
    "-->",
    "--!>",
    "<!-- tagship:status {\"run\":1} -->",
    "<!--",
    "</details>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "@everyone",
    "@octocat",
    "@org/team",
    "a | b",
    "||||",
    "|---|---|",
    "`",
    "```",
    "``` \nrm -rf /\n```",
    "[x](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "https://evil.example",
    "www.evil.example",
    "#1",
    "fixes #1",
    "org/repo#123",
    "GH-1",
    "::error::owned",
    "::error title=x::owned",
    "::warning file=a::owned",
    "::notice::owned",
    "::add-mask::v0.1.0",
    "::set-output name=decision::skip",
    "::set-env name=PATH::/evil",
    "::add-path::/evil",
    "::stop-commands::x",
    "::endgroup::",
    "::group::x",
    "::save-state name=x::y",
    "::debug::x",
    "##[error]owned",
    "##[add-mask]v0.1.0",
    "##[command]x",
    "  ::error::indented",
    "EOF\ndecision=skip",
    "decision<<EOF\nskip\nEOF",
    "tagship_\ndecision=skip\n",
    "%0A::error::x",
    "%0D%0A::error::x",
    "%25",
    "${{ secrets.GITHUB_TOKEN }}",
    "${{ github.token }}",
    "$(id)",
    "`id`",
    "; id",
    "a\rb",
    "\u{202e}desrever",
    "\u{2066}isolated\u{2069}",
    "zero\u{200b}width",
    "\u{feff}bom",
    "\u{1b}[31mred",
    "\u{7}bell",
    "\u{9b}31mC1",
    "\u{2028}line",
    "*bold*",
    "&lt;b&gt;",
    "\\",
];

/// A name that contains all of them, and one of a megabyte.
fn names() -> Vec<String> {
    let mut names: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    names.push("long ".repeat(200_000));
    names
}

/// Text as the content of an XML attribute; what XML cannot hold is left out.
fn xml(text: &str) -> String {
    let escaped = |c: char| match c {
        '&' | '<' | '>' | '"' | '\'' | '\n' | '\r' | '\t' => format!("&#{};", u32::from(c)),
        c if c.is_control() => String::new(),
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// A failed test of this name, whose every text is the name.
fn failed_test(name: &str) -> String {
    let name = xml(name);
    format!(
        "<testcase name=\"{name}\" classname=\"{name}\"><failure message=\"{name}\">{name}</failure></testcase>"
    )
}

#[test]
fn names_in_reports_stay_names() {
    let hosted = Hosted::new();
    hosted.propose(false);
    let cases = names().iter().map(|name| failed_test(name)).collect::<Vec<_>>().concat();
    hosted.bench.clone.write("reports/junit.xml", format!("<testsuite name=\"x\">{cases}</testsuite>"));
    let mut metrics = json!({ "accuracy": 0.93, "f1": 0.9 });
    for name in HOSTILE {
        metrics[name] = json!(0.5);
    }
    hosted.bench.clone.write("reports/metrics.json", metrics.to_string());
    let step = hosted.step_with(&["run"], "pull_request", &hosted.opened(false), |cli| {
        cli.env("GITHUB_ACTOR", HOSTILE.concat().replace('\0', ""))
    });
    step.done.assert_code(1);
    assert!(step.summary.contains("tests"), "{}", step.summary);
    assert_contained(&step, &hosted.comment());

    let json = hosted.step(&["run", "--format", "json"], "pull_request", &hosted.opened(false));
    json.done.assert_code(1);
    serde_json::from_str::<serde_json::Value>(&json.done.stdout).expect("one document");
    assert_contained(&json, &hosted.comment());
}

/// Reads everything as its reader would.
fn assert_contained(step: &Step, comment: &str) {
    assert_eq!(step.output("decision"), "validate-only");
    let names = ["decision", "reason-code", "report-file", "result", "result-file"];
    assert_eq!(output_names(&step.outputs), names, "nothing added an output");
    for log in [&step.done.stdout, &step.done.stderr] {
        for command in commands(log) {
            let group = ["::group::validate churn", "::group::gate churn", "::endgroup::"];
            let ours = group.contains(&command.as_str())
                || command.starts_with("::add-mask::ghs_")
                || command.starts_with("::error title=tagship::");
            assert!(ours, "{command:?}");
        }
    }
    for page in [comment, step.summary.as_str()] {
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("](https://evil"));
        assert!(!page.contains("@octocat") && !page.contains("@everyone"), "{page}");
        let markers = page.matches("<!--").count();
        assert!(markers <= 1, "{markers} markers");
    }
    assert!(comment.encode_utf16().count() < 65_536);
    assert!(step.summary.len() < 1 << 20);
}

/// The names of outputs as the runner reads them.
fn output_names(outputs: &str) -> Vec<&str> {
    let mut names = vec![];
    let mut lines = outputs.split('\n');
    while let Some(line) = lines.next() {
        let Some((name, delimiter)) = line.split_once("<<") else {
            assert!(line.is_empty(), "{line:?} is no output");
            continue;
        };
        names.push(name);
        assert!(lines.any(|line| line == delimiter), "{name} does not end");
    }
    names.sort_unstable();
    names
}

/// The commands in a log as the runner reads them: stops are honoured.
fn commands(log: &str) -> Vec<String> {
    let mut found = vec![];
    let mut stopped: Option<String> = None;
    for line in log.split(['\n', '\r']) {
        let line = line.trim_start();
        if let Some(token) = &stopped {
            if line == format!("::{token}::") {
                stopped = None;
            }
        } else if let Some(token) = line.strip_prefix("::stop-commands::") {
            stopped = Some(token.to_owned());
        } else if line.starts_with("::") || line.contains("##[") {
            found.push(line.to_owned());
        }
    }
    assert_eq!(stopped, None, "commands are listened to again");
    found
}
