//! All models and environments, a row each; what is bad comes first.

use tagship_domain::{Timestamp, monitor::MonitorReport, rollout::Kind};

use super::{
    super::{
        chart::{millis, picture},
        escape::text,
        frame,
        metric::class,
        scale::Scale,
        table::{chip, table},
    },
    incidents::open,
    strip::{Stood, counted, strip},
    style::STYLE,
};
use crate::standing::standing;

/// A page of a site: what is known, and where its own page lies, relative to the index.
#[derive(Debug)]
pub struct Place<'a> {
    /// What is known.
    pub report: &'a MonitorReport,
    /// Address of its page.
    pub href: String,
}

/// The page that lists them.
pub fn index(places: &[Place<'_>], at: Timestamp) -> String {
    let mut sorted: Vec<&Place<'_>> = places.iter().collect();
    sorted.sort_by_key(|place| {
        (standing(place.report).tone, place.report.model.clone(), place.report.environment.clone())
    });
    let rows: Vec<Vec<String>> =
        sorted.iter().enumerate().map(|(number, place)| row(number, place)).collect();
    let count = |tones: &[&str]| {
        sorted.iter().filter(|place| tones.contains(&class(standing(place.report).tone))).count()
    };
    let (good, bad) = (count(&["good"]), count(&["bad"]));
    let unknown = sorted.len() - good - bad;
    let (tone, word, headline) = match (bad, unknown) {
        _ if sorted.is_empty() => ("unknown", "nothing", "Nothing is watched".to_owned()),
        (0, 0) => ("good", "good", "All is well".to_owned()),
        (0, unknown) => {
            ("unknown", "unknown", format!("{unknown} of {} cannot be called well", sorted.len()))
        }
        (bad, _) => {
            let verb = if bad == 1 { "needs" } else { "need" };
            ("bad", "bad", format!("{bad} of {} {verb} a look", sorted.len()))
        }
    };
    let list = if rows.is_empty() {
        "<p class=\"lead\">No model has an environment and something to watch.</p>\n".to_owned()
    } else {
        table(
            "Models",
            &["Model", "Verdict", "Version", "Since", "Looks", "Open incidents", "In words"],
            &rows,
        )
    };
    let inside = format!(
        "<header><p class=\"over\">Models in their environments</p><h1>{} {}</h1>\
         <p class=\"lead\">{good} good, {bad} bad, {unknown} unknown or recovering.</p></header>\n\
         <section aria-labelledby=\"h-models\"><h2 id=\"h-models\">Models</h2>\n{list}</section>\n\
         <footer>Made at {}.</footer>\n",
        text(&headline),
        chip(tone, word),
        at.readable()
    );
    frame::page("Models", STYLE, &inside)
}

fn row(number: usize, place: &Place<'_>) -> Vec<String> {
    let report = place.report;
    let standing = standing(report);
    let look = report.look.as_ref();
    let version = look.and_then(|look| look.version.as_ref());
    let since = report.past.iter().find(|past| Some(&past.version) == version && past.kind == Kind::Deploy);
    let unknown = || "unknown".to_owned();
    vec![
        format!(
            "<a href=\"{}\">{}</a><br><small>{}</small>",
            text(&place.href),
            text(report.model.as_str()),
            text(report.environment.as_str())
        ),
        chip(class(standing.tone), standing.word),
        version.map_or_else(unknown, |version| text(&version.to_string())),
        since.map_or_else(unknown, |past| text(&past.at.minute())),
        spark(number, report),
        look.map_or_else(unknown, |look| open(look).count().to_string()),
        text(&format!("{}. {}", standing.headline, standing.sentence)),
    ]
}

/// The verdicts of all looks that are kept.
fn spark(number: usize, report: &MonitorReport) -> String {
    let Some(look) = &report.look else { return "none".to_owned() };
    let looks: Vec<_> = look
        .trend
        .iter()
        .map(|point| (millis(point.at), Stood::of(point.good)))
        .chain([(millis(look.at), Stood::of(look.good))])
        .collect();
    let from = looks.first().map_or(0.0, |look| look.0);
    let x = Scale { range: [from, millis(look.at)], place: [0.0, 140.0] };
    let title = format!("Looks at {} in {}", report.model, report.environment);
    picture(&format!("s{number}"), [140, 16], &title, &counted(&looks), &strip(&looks, x, 8.0))
}
