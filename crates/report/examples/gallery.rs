//! Writes every sample report as Markdown, as a web page and as a terminal shows it, to look at while changing how
//! they are rendered: `cargo run -p tagship-report --example gallery -- DIRECTORY`.

#[path = "../tests/it/samples.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod samples;

use std::{env, fs, io, path::PathBuf};

use pulldown_cmark::{Options, Parser, html};
use tagship_domain::report::StatusReport;
use tagship_report::{
    markdown::{Limits, comment},
    terminal::{self, Style},
};

/// About what forges do to Markdown, so that widths and weights can be judged.
const CSS: &str = include_str!("gallery.css");

fn main() -> io::Result<()> {
    let place = PathBuf::from(env::args().nth(1).unwrap_or_else(|| "target/gallery".to_owned()));
    fs::create_dir_all(&place)?;
    for (name, report) in samples::all() {
        let markdown = comment(&report, &Limits::default());
        fs::write(place.join(format!("{name}.html")), page(&markdown))?;
        fs::write(place.join(format!("{name}.md")), markdown)?;
        fs::write(place.join(format!("{name}.txt")), lines(&report))?;
    }
    let (bad, good, unseen) =
        (samples::dashboard::watched(20), samples::dashboard::well(), samples::dashboard::unseen());
    let mut places = vec![];
    for report in [&bad, &good, &unseen] {
        let href = format!("dashboard-{}.html", report.model);
        fs::write(place.join(&href), tagship_report::html::monitor(report, Some("dashboard.html")))?;
        places.push(tagship_report::html::Place { report, href });
    }
    fs::write(place.join("dashboard.html"), tagship_report::html::index(&places, bad.at))?;
    Ok(())
}

fn page(markdown: &str) -> String {
    let mut body = String::new();
    let options = Options::ENABLE_TABLES | Options::ENABLE_GFM | Options::ENABLE_STRIKETHROUGH;
    html::push_html(&mut body, Parser::new_ext(markdown, options));
    format!(
        "<!doctype html><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <style>{CSS}</style><article>{body}</article>"
    )
}

fn lines(report: &StatusReport) -> String {
    let style = Style { color: false, width: 80, unicode: true };
    let mut out = String::new();
    for section in &report.sections {
        if let Some(validation) = &section.validation {
            out += &terminal::validation(validation, &style);
        }
        if let Some(gate) = &section.gate {
            out += &terminal::gate(gate, &style);
        }
        if let Some(release) = &section.release {
            out += &terminal::release(release, Some("new weights behind the same signature"), &style);
        }
        if let Some(state) = &section.rollout {
            out += &terminal::rollout(state, &section.timeline, &section.series, &style);
        }
    }
    out
}
