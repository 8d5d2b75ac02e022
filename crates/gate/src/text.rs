//! Foreign text inside our one-line messages.

/// `text` as it may stand in a message: control characters become spaces, and more than `limit` characters are
/// cut with an ellipsis.
pub(crate) fn shown(text: &str, limit: usize) -> String {
    let mut characters = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut shown: String = characters.by_ref().take(limit).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// `1 test`, `2 tests`: a count with its noun, which takes a plain `s`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
