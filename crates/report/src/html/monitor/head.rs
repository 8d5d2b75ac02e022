//! The verdict, first.

use std::fmt::Write as _;

use tagship_domain::monitor::MonitorReport;

use super::{
    super::{escape::text, metric::class, table::chip},
    incidents::open,
};
use crate::standing::standing;

/// The headline with what serves and when it was looked at.
pub(super) fn of(report: &MonitorReport, home: Option<&str>) -> String {
    let standing = standing(report);
    let home = home.map_or_else(String::new, |home| {
        format!("<nav aria-label=\"All models\"><a href=\"{}\">← All models</a></nav>", text(home))
    });
    let look = report.look.as_ref();
    let serves = look.and_then(|look| look.version.as_ref()).map(ToString::to_string);
    let facts = [
        ("Serves", serves.unwrap_or_else(|| "unknown".to_owned())),
        ("Last look", look.map_or_else(|| "never".to_owned(), |look| look.at.readable())),
        ("Watched", look.map_or(0, |look| look.findings.len()).to_string()),
        ("Open incidents", look.map_or_else(|| "unknown".to_owned(), |look| open(look).count().to_string())),
    ];
    let mut told = String::new();
    for (name, said) in facts {
        let _ = write!(told, "<div><dt>{name}</dt><dd>{}</dd></div>", text(&said));
    }
    format!(
        "{home}<header><p class=\"over\">{} · {}</p><h1>{} {}</h1><p class=\"lead\">{}</p><dl>{told}</dl></header>\n",
        text(report.model.as_str()),
        text(report.environment.as_str()),
        text(&standing.headline),
        chip(class(standing.tone), standing.word),
        text(&standing.sentence),
    )
}
