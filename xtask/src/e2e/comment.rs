//! The comments of the demo as a reviewer sees them, and the page that explains its rollouts: rendered as GitHub-flavoured Markdown, photographed by Chromium in
//! light, in dark and as wide as a phone.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use super::{Ending, Subject, system};
use crate::{node::Packages, process};

/// Name, theme and width of each picture.
const PICTURES: [(&str, &str, u32); 3] =
    [("light", "light", 892), ("dark", "dark", 892), ("phone", "light", 500)];
/// Height of a picture in pixels: the longest comment of the demo fits.
const HEIGHT: u32 = 1800;
/// Fewest bytes of a picture that shows something.
const SHOWS: u64 = 20_000;

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    system::demand("chromium", "chromium")?;
    let workspace = subject.workspace;
    let packages =
        Packages::install(workspace, "e2e-comment", &["marked@16.4.2", "github-markdown-css@5.9.0"])?;
    let pages = workspace.path("target/tools/e2e-comment/pages");
    fs::create_dir_all(&pages)?;
    // Node looks for packages beside the script.
    let script = packages.path("comment_page.mjs");
    fs::copy(workspace.path("tests/e2e/comment_page.mjs"), &script)?;
    let comments = subject.demo()?.join("clone/.tagship/forge/comments");
    let mut seen = 0;
    for comment in fs::read_dir(&comments).with_context(|| format!("list {}", comments.display()))? {
        let comment = comment?.path();
        for (name, theme, width) in PICTURES {
            let stem = comment.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let page = pages.join(format!("{stem}-{name}.html"));
            let css = packages.path(&format!("node_modules/github-markdown-css/github-markdown-{theme}.css"));
            let mut render = workspace.command("node");
            render.arg(&script).arg(&comment).arg(css).arg(theme);
            let html = process::output(render)?;
            ensure!(html.contains("<h3"), "{} has no headline", page.display());
            // What is left as it stands in the Markdown was not understood.
            ensure!(!html.contains("|:--") && !html.contains("[!"), "{} shows raw Markdown", page.display());
            fs::write(&page, html)?;
            photograph(subject, &page, width)?;
            seen += 1;
        }
    }
    ensure!(seen > 0, "the demo left no comment in {}", comments.display());
    seen += explained(subject, &pages)?;
    println!("{seen} pictures in {}", pages.display());
    Ok(Ending::Passed)
}

/// The pages that `tagship rollout explain` writes of every rollout of the demo, as they are: they bring their own styles.
fn explained(subject: &Subject<'_>, pages: &Path) -> Result<usize> {
    let clone = subject.demo()?.join("clone");
    let mut seen = 0;
    for rollout in ["production-v0.3.0-3", "production-v0.4.0-4"] {
        let page = pages.join(format!("{rollout}.html"));
        let mut explain = subject.workspace.command(subject.tagship()?);
        explain.current_dir(&clone).args(["rollout", "explain", "--rollout", rollout, "--html"]).arg(&page);
        process::output(explain)?;
        for (name, scheme, width) in PICTURES {
            let copy = pages.join(format!("{rollout}-{name}.html"));
            fs::copy(&page, &copy).with_context(|| format!("copy {}", page.display()))?;
            photograph_in(subject, &copy, width, scheme)?;
            seen += 1;
        }
    }
    Ok(seen)
}

fn photograph(subject: &Subject<'_>, page: &Path, width: u32) -> Result<()> {
    photograph_in(subject, page, width, "light")
}

/// A picture of a page that follows the colour scheme of its reader. Whatever the browser complains about on its console
/// fails.
fn photograph_in(subject: &Subject<'_>, page: &Path, width: u32, scheme: &str) -> Result<()> {
    let picture = page.with_extension("png");
    let mut chromium = subject.workspace.command("chromium");
    chromium.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--enable-logging=stderr",
    ]);
    chromium.arg(format!("--blink-settings=preferredColorScheme={}", u8::from(scheme != "dark")));
    chromium.arg(format!("--screenshot={}", picture.display()));
    chromium.arg(format!("--window-size={width},{HEIGHT}")).arg(format!("file://{}", page.display()));
    let shown = process::shown(&chromium);
    let done = chromium.output().with_context(|| format!("start {shown}"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{shown}: {}\n{said}", done.status);
    let complaint = said.lines().find(|line| line.contains("CONSOLE"));
    ensure!(complaint.is_none(), "{}: {}", page.display(), complaint.unwrap_or_default());
    let size = fs::metadata(&picture).with_context(|| format!("look at {}", picture.display()))?.len();
    ensure!(size > SHOWS, "{} shows nothing: {size} bytes", picture.display());
    Ok(())
}
