//! Chat templates: Jinja text that a tokenizer renders when it is used. Rendered without a sandbox, a template reaches
//! the Python interpreter through special attributes (CVE-2024-34359).
//!
//! The text is split into tokens as Jinja splits it; how names flow is followed without regard to order, so that a
//! name put together from pieces counts wherever it is used. Text between the blocks is only printed and never judged.

mod brackets;
mod check;
mod flow;
mod lexer;
mod sources;
#[cfg(test)]
mod tests;

use crate::{findings::Findings, rules};

/// Largest template that is judged. The longest published ones have some tens of kilobytes.
pub(crate) const MAX_TEMPLATE: usize = 1 << 20;

/// Judges a template; `target` names it, `offset` is where it lies where that is known.
pub(crate) fn check(template: &str, target: &str, offset: Option<u64>, findings: &mut Findings) {
    if template.len() >= MAX_TEMPLATE {
        let message = format!("templates of {MAX_TEMPLATE} bytes and more are not judged");
        findings.about(&rules::TEMPLATE_UNREAD, offset, target, message);
        return;
    }
    match lexer::blocks(template) {
        Ok(blocks) => check::check(&blocks, target, offset, findings),
        Err(error) => findings.about(
            &rules::TEMPLATE_UNREAD,
            offset,
            target,
            format!("it does not parse at byte {}: {}", error.at, error.what),
        ),
    }
}
