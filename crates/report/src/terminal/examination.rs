//! Whether the journal, the stage tags and the target of environments agree.

use std::fmt::Write as _;

use tagship_domain::examination::{Examination, ExaminedPlace};

use super::paint::Style;
use crate::{
    mark::Mark,
    sentence::Headline,
    text::{clean, counted},
};

/// Longest sentence, in characters.
const SENTENCE: usize = 1_000;

/// A line per model and environment; below it what does not agree, and what to do.
pub fn examination(examination: &Examination, style: &Style) -> String {
    if examination.places.is_empty() {
        return "no environment is configured\n".to_owned();
    }
    let mut text = String::new();
    for place in &examination.places {
        text.push_str(&headline(place, style));
        for one in &place.discrepancies {
            let code = serde_json::to_value(one.code).ok().and_then(|code| code.as_str().map(str::to_owned));
            let code = code.unwrap_or_default();
            for (label, said) in [(code.as_str(), &one.sentence), ("do", &one.remedy)] {
                let indent = if label == "do" { "    " } else { "  " };
                let words = style.wrap(&format!("{label}: {}", clean(said, SENTENCE)), style.columns() - 6);
                let _ = writeln!(text, "{indent}{}", words.join("\n      "));
            }
        }
    }
    text
}

fn headline(place: &ExaminedPlace, style: &Style) -> String {
    let unknown = place.discrepancies.iter().filter(|one| one.code.is_unknown()).count();
    let wrong = place.discrepancies.len() - unknown;
    let (symbol, text) = match (wrong, unknown) {
        (0, 0) => (Mark::Passed, "journal, stage tags and target agree".to_owned()),
        (0, _) => (Mark::Unknown, "it could not be seen whether all agree".to_owned()),
        (_, 0) => (Mark::Failed, counted(wrong, "finding")),
        _ => (Mark::Failed, format!("{}, and not everything could be seen", counted(wrong, "finding"))),
    };
    let text = format!("{} in {}: {text}", place.model, place.environment);
    style.headline(&Headline { symbol, tone: symbol.tone(), text })
}
