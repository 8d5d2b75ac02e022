//! Judges a corpus of labelled artifacts and prints, per family, what came out.
//!
//! ```text
//! cargo run --release -p tagship-artifact --example corpus -- DIRECTORY [MANIFEST.csv] [--list] [--only LIBRARY]
//! ```
//!
//! The manifest has at least the columns `file` (relative to the directory, or to a folder `data` in it), `format` and
//! `expected` (`malicious`, `suspicious`, `benign`, `corrupt`, `undetectable`). With a column `files`, each line is an
//! artifact as it stands; without, a file in a folder below the one named like the expectation is judged with that
//! folder. With a column `library`, false alarms and misses are counted by library as well, and `--only` leaves the
//! others out. `--list` names each artifact that did not come out as hoped, with its findings. The exit code is 1 if a
//! malicious artifact passed.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

use tagship_artifact::{ValidationPolicy, validate_path};
use tagship_domain::validation::{ArtifactReport, Severity, Status, Verdict};

/// Counts of one format and expectation.
#[derive(Default)]
struct Row {
    total: usize,
    passed: usize,
    rejected: usize,
    warned: usize,
    unfinished: usize,
}

struct Options {
    root: PathBuf,
    manifest: PathBuf,
    list: bool,
    only: Option<String>,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut paths = Vec::new();
    let (mut list, mut only) = (false, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => list = true,
            "--only" => only = Some(arguments.next().ok_or("--only wants the name of a library")?),
            _ => paths.push(PathBuf::from(argument)),
        }
    }
    let root =
        paths.first().cloned().ok_or("usage: corpus DIRECTORY [MANIFEST.csv] [--list] [--only LIBRARY]")?;
    let manifest = paths.get(1).cloned().unwrap_or_else(|| root.join("manifest.csv"));
    let data = root.join("data");
    Ok(Options { root: if data.is_dir() { data } else { root }, manifest, list, only })
}

/// The path to judge for a line of the manifest.
fn artifact(file: &str, expected: &str) -> String {
    match file.split('/').collect::<Vec<_>>().as_slice() {
        [top, folder, _] if *top == expected => format!("{top}/{folder}"),
        _ => file.to_owned(),
    }
}

fn passed(report: &ArtifactReport) -> bool {
    report.status == Status::Complete && report.verdict == Verdict::Pass
}

fn as_hoped(expected: &str, report: &ArtifactReport) -> bool {
    match expected {
        "malicious" => report.verdict == Verdict::Reject,
        "benign" | "undetectable" => passed(report),
        _ => !passed(report),
    }
}

fn describe(path: &str, expected: &str, report: &ArtifactReport) {
    println!("{expected} {path}: {:?} {} ({})", report.status, report.verdict, report.format);
    for finding in report.findings.iter().filter(|finding| finding.severity > Severity::Info).take(6) {
        let target = finding.target.as_deref().unwrap_or("");
        let member = finding.member.as_deref().unwrap_or("");
        println!("    {} {member} {target}: {}", finding.rule, finding.message);
    }
}

/// Artifacts of one library that came out wrong.
#[derive(Default)]
struct Library {
    benign: usize,
    alarms: usize,
    corrupt: usize,
    missed: usize,
}

impl Library {
    fn count(&mut self, expected: &str, report: &ArtifactReport) {
        let wrong = usize::from(!as_hoped(expected, report));
        if matches!(expected, "benign" | "undetectable") {
            self.benign += 1;
            self.alarms += wrong;
        } else {
            self.corrupt += 1;
            self.missed += wrong;
        }
    }
}

fn print_libraries(libraries: &BTreeMap<String, Library>) {
    if libraries.is_empty() {
        return;
    }
    println!("{:<16} {:>6} {:>6} {:>7} {:>6}", "library", "benign", "alarms", "corrupt", "missed");
    for (name, Library { benign, alarms, corrupt, missed }) in libraries {
        println!("{name:<16} {benign:>6} {alarms:>6} {corrupt:>7} {missed:>6}");
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = options()?;
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    let mut libraries: BTreeMap<String, Library> = BTreeMap::new();
    let mut judged = BTreeSet::new();
    let mut slipped = 0;
    for line in csv::Reader::from_path(&options.manifest)?.deserialize() {
        let line: BTreeMap<String, String> = line?;
        let (file, expected) = (&line["file"], &line["expected"]);
        let path = if line.contains_key("files") { file.clone() } else { artifact(file, expected) };
        let library = line.get("library");
        let left_out = options.only.as_ref().is_some_and(|only| library != Some(only));
        if left_out || !judged.insert(path.clone()) {
            continue;
        }
        let report =
            validate_path(&Path::new(&options.root).join(&path), &ValidationPolicy::default(), &mut |_| ());
        let row = rows.entry((expected.clone(), line["format"].clone())).or_default();
        row.total += 1;
        row.passed += usize::from(passed(&report));
        row.rejected += usize::from(report.verdict == Verdict::Reject);
        row.warned += usize::from(report.verdict == Verdict::Warn && report.status == Status::Complete);
        row.unfinished += usize::from(report.verdict == Verdict::Warn && report.status != Status::Complete);
        slipped += usize::from(expected == "malicious" && passed(&report));
        if let Some(library) = library {
            libraries.entry(library.clone()).or_default().count(expected, &report);
        }
        if options.list && !as_hoped(expected, &report) {
            describe(&path, expected, &report);
        }
    }
    println!(
        "{:<12} {:<26} {:>5} {:>5} {:>6} {:>5} {:>10}",
        "expected", "format", "total", "pass", "reject", "warn", "incomplete"
    );
    for ((expected, format), row) in &rows {
        let Row { total, passed, rejected, warned, unfinished } = row;
        println!(
            "{expected:<12} {format:<26} {total:>5} {passed:>5} {rejected:>6} {warned:>5} {unfinished:>10}"
        );
    }
    print_libraries(&libraries);
    println!("malicious that passed: {slipped}");
    Ok(if slipped == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
