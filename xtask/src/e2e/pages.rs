//! Pages of what is watched, made of real looks at the demo's model and of a month of samples: Chromium shows them in light, in dark
//! and on a phone, axe finds no violation, and none is larger than it may be. The pictures of the documentation come from here.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use super::{Ending, Subject, system};
use crate::{node::Packages, process};

/// Largest page of twenty columns, in bytes.
const LARGEST: u64 = 300_000;
/// Columns of the tables that are compared.
const COLUMNS: u32 = 20;
/// What is watched of the demo's model.
const WATCHED: &str = "
    monitor:
      drift: { reference: monitoring/reference.csv, current: monitoring/today.csv, slices: [region] }
      quality: { task: binary, predictions: [monitoring/served.csv], score: score, at-least: { accuracy: 0.8 }, slices: [region] }
      streams:
        - { name: score, detector: adwin, source: { table: { files: [monitoring/served.csv], value: score, time: at } } }
";
/// Pictures of the documentation, by the name of the view.
const SHOWN: [(&str, &str); 4] = [
    ("sample-churn", "monitor.png"),
    ("sample-churn-dark", "monitor-dark.png"),
    ("sample-churn-phone", "monitor-phone.png"),
    ("sample-index", "monitor-index.png"),
];

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    system::demand("chromium", "chromium")?;
    let workspace = subject.workspace;
    let packages = Packages::install(workspace, "e2e-pages", &["playwright-core@1.65.1", "axe-core@4.14.1"])?;
    let made = workspace.path("target/e2e/pages");
    if made.exists() {
        fs::remove_dir_all(&made).with_context(|| format!("remove {}", made.display()))?;
    }
    fs::create_dir_all(&made).with_context(|| format!("create {}", made.display()))?;
    let mut pages = looked_at(subject, &made)?;
    pages.extend(sampled(subject, &made)?);
    for (name, page) in &pages {
        let size = fs::metadata(page).with_context(|| format!("look at {}", page.display()))?.len();
        ensure!(size <= LARGEST, "{name} has {size} bytes, of {LARGEST}");
        println!("{name}: {size} bytes");
    }
    let chromium = system::find("chromium").context("there is no chromium")?;
    let script = packages.path("pages.mjs");
    fs::copy(workspace.path("tests/e2e/pages.mjs"), &script)?;
    let mut show = workspace.command("node");
    show.arg(&script).arg(chromium).arg(&made);
    show.args(pages.iter().map(|(name, page)| format!("{name}={}", page.display())));
    process::run(show)?;
    for (view, picture) in SHOWN {
        let picture = workspace.path("docs/images").join(picture);
        let view = made.join(format!("{view}.png"));
        fs::copy(&view, &picture).with_context(|| format!("copy {}", view.display()))?;
    }
    Ok(Ending::Passed)
}

/// Pages of real looks at the model that the demo left: one that is good, and one after its inputs moved and its labels turned bad.
fn looked_at(subject: &Subject<'_>, made: &Path) -> Result<Vec<(String, PathBuf)>> {
    let clone = subject.demo()?.join("clone");
    let config = clone.join("tagship.yml");
    let text = fs::read_to_string(&config).with_context(|| format!("read {}", config.display()))?;
    if !text.contains("    monitor:\n") {
        fs::write(&config, format!("{}{WATCHED}", text.trim_end()))?;
    }
    let tables = clone.join("monitoring");
    fs::create_dir_all(&tables)?;
    fs::write(tables.join("reference.csv"), rows(2_000, 0))?;
    // The old stream has no new value, so looks end with 3: not everything can be judged.
    let tagship = |arguments: &[&str], exits: &[i32]| -> Result<()> {
        let mut command = subject.workspace.command(subject.tagship()?);
        command.current_dir(&clone).args(["monitor"]).args(arguments);
        let done = command.output().context("start tagship")?;
        let said = String::from_utf8_lossy(&done.stderr);
        ensure!(
            done.status.code().is_some_and(|code| exits.contains(&code)),
            "{arguments:?}: {}: {said}",
            done.status
        );
        Ok(())
    };
    for (larger, wrong) in [(0, 10), (40, 3)] {
        fs::write(tables.join("today.csv"), rows(1_000, larger))?;
        fs::write(tables.join("served.csv"), served(wrong))?;
        tagship(&["check", "--environment", "production"], &[0, 3])?;
    }
    let site = made.join("site");
    let place = |path: &Path| path.to_string_lossy().into_owned();
    tagship(&["site", "--out", &place(&site)], &[0])?;
    let drift = made.join("drift.html");
    let [reference, current] = ["reference.csv", "today.csv"].map(|name| place(&tables.join(name)));
    tagship(&["drift", "--reference", &reference, "--current", &current, "--html", &place(&drift)], &[0])?;
    let page = site.join("models/churn/production.html");
    let said = fs::read_to_string(&page).with_context(|| format!("read {}", page.display()))?;
    ensure!(
        said.contains("Spread of c19") && said.contains("chip bad"),
        "the page does not tell what was found"
    );
    Ok(vec![
        ("real-index".to_owned(), site.join("index.html")),
        ("real-churn".to_owned(), page),
        ("real-drift".to_owned(), drift),
    ])
}

/// The month of samples that the tests of reports use.
fn sampled(subject: &Subject<'_>, made: &Path) -> Result<Vec<(String, PathBuf)>> {
    let gallery = made.join("gallery");
    let mut draw = subject.workspace.command(subject.example("gallery")?);
    draw.arg(&gallery);
    process::run(draw)?;
    let page = |name: &str, file: &str| (format!("sample-{name}"), gallery.join(file));
    Ok(vec![
        page("index", "dashboard.html"),
        page("churn", "dashboard-churn.html"),
        page("fraud", "dashboard-fraud.html"),
        page("pricing", "dashboard-pricing.html"),
    ])
}

/// Rows of numbers and categories; every third column so much larger, and one region that is rare.
fn rows(count: u32, larger: u32) -> String {
    let mut text = "region".to_owned();
    for column in 1..COLUMNS {
        let _ = write!(text, ",c{column}");
    }
    text.push('\n');
    for row in 0..count {
        text.push_str(["north", "south", "west"][usize::from(row % 50 == 7) + usize::from(row % 2 == 1)]);
        for column in 1..COLUMNS {
            let value = (row * (37 + 2 * column) + row / 7) % 101;
            let _ = match column % 3 {
                0 => write!(text, ",{}", value + larger),
                1 => write!(text, ",{value}"),
                _ => write!(text, ",plan-{}", value % 7),
            };
        }
        text.push('\n');
    }
    text
}

/// Predictions with labels, of which one in so many is wrong.
fn served(wrong: u32) -> String {
    let mut text = "at,region,prediction,label,score\n".to_owned();
    for row in 0..1_500_u32 {
        let says = row % 2;
        let label = if row * 7_919 % wrong == 0 { 1 - says } else { says };
        let score = f64::from(20 + 60 * says + row * 31 % 20) / 100.0;
        let _ = writeln!(
            text,
            "2026-01-01T{:02}:{:02}:{:02}Z,{},{says},{label},{score}",
            row / 3_600,
            row / 60 % 60,
            row % 60,
            ["north", "south"][usize::from(row % 3 == 0)]
        );
    }
    text
}
