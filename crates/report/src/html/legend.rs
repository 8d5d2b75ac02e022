//! What the lines of a picture mean.

use std::fmt::Write as _;

use super::escape::text;

/// A legend: the class of each line and what it shows.
pub(super) fn legend(entries: &[(&str, String)]) -> String {
    let mut out = "<ul class=\"legend\">".to_owned();
    for (class, words) in entries {
        let _ = write!(
            out,
            "<li><svg viewBox=\"0 0 22 10\" aria-hidden=\"true\"><path class=\"{class}\" d=\"M1 5H21\"/></svg>{}</li>",
            text(words)
        );
    }
    out + "</ul>\n"
}
