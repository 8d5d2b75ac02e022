//! The looks that are remembered, a line each.

use tagship_domain::{incident::TrendPoint, monitor::LookHistory};

use super::{paint::Style, table::headed};
use crate::mark::Mark;

/// Most topics that a line names.
const NAMED: usize = 4;

/// The newest look last, as a log has it.
pub fn looks(history: &LookHistory, style: &Style) -> String {
    if history.looks.is_empty() {
        let (model, environment) = (&history.model, &history.environment);
        return format!(
            "no look at {model} in {environment} is remembered; `tagship monitor check` makes one\n"
        );
    }
    let rows: Vec<_> = history.looks.iter().map(|look| (mark(look), row(look))).collect();
    headed(&["UTC", "VERSION", "BAD", "UNKNOWN"], &rows, style)
}

fn mark(look: &TrendPoint) -> Mark {
    match look.good {
        Some(true) => Mark::Passed,
        Some(false) => Mark::Failed,
        None => Mark::Unknown,
    }
}

fn row(look: &TrendPoint) -> Vec<String> {
    let named = |topics: &std::collections::BTreeSet<String>| {
        let more = topics.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        topics.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ") + &more
    };
    let version = look.version.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
    vec![look.at.minute(), version, named(&look.bad), named(&look.unknown)]
}
