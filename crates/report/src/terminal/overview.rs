//! What every environment holds.

use std::fmt::Write as _;

use tagship_domain::{
    Timestamp,
    overview::{Overview, PlaceOverview},
};

use super::{paint::Style, table::table};
use crate::{mark::Mark, overview, text::clean};

/// Longest sentence about what waits, in characters.
const SENTENCE: usize = 1_000;

/// A line per model and environment, and what is locked or waits for approval below them.
pub fn overview(overview: &Overview, style: &Style) -> String {
    let row = |place: &PlaceOverview| {
        let holds = place.current.as_ref().map_or_else(|| "-".to_owned(), |held| held.version.to_string());
        let since = place.since.map_or_else(|| "-".to_owned(), Timestamp::minute);
        vec![place.model.to_string(), place.environment.to_string(), holds, since, overview::rollout(place)]
    };
    let rows: Vec<Vec<String>> = overview.places.iter().map(row).collect();
    let mut text = if rows.is_empty() {
        "no environment is configured\n".to_owned()
    } else {
        table(&["MODEL", "ENVIRONMENT", "HOLDS", "SINCE (UTC)", "ROLLOUT"], &rows, style)
    };
    let mut say = |mark, sentence: &str| {
        let words = style.wrap(sentence, style.columns() - 2);
        let _ = write!(text, "\n{} {}\n", style.mark(mark), words.join("\n  "));
    };
    for lock in &overview.locks {
        say(Mark::Waiting, &format!("{}; {}", lock.sentence(), lock.way_out()));
    }
    for approval in &overview.approvals {
        say(Mark::Waiting, &clean(&approval.sentence(), SENTENCE));
    }
    if let Some(why) = &overview.approvals_unknown {
        say(Mark::Unknown, why);
    }
    text
}
