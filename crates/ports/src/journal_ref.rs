//! Names of journals as names of git refs: `rollouts/production/pricing:churn` lies at
//! `refs/tagship/rollouts/production/pricing%3Achurn`. Every store that keeps journals in a git repository names them
//! this way, so that a run finds what a run with other means has written.

use crate::{PortError, Problem};

/// Where the journals lie.
pub const JOURNALS: &str = "refs/tagship/";

/// A name that may hold `/` as one part of a journal's name. Git has no ref below another ref, so that the journals of the
/// models `a` and `a/b` must not lie below one another; `+` stands in no name.
#[must_use]
pub fn part(name: &str) -> String {
    name.replace('/', "+")
}

/// The ref of a journal. What git refuses in a ref (`git help check-ref-format`) is percent-encoded.
///
/// # Errors
/// [`Problem::Invalid`] where a part between slashes is empty.
pub fn journal_ref(journal: &str) -> Result<String, PortError> {
    if journal.split('/').any(str::is_empty) {
        let operation = format!("name journal {journal:?}");
        return Err(PortError::new(Problem::Invalid, operation, "a part between slashes is empty"));
    }
    Ok(format!("{JOURNALS}{}", encode(journal)))
}

/// The journal of a ref; `None` for a ref that is none, or was not named by us.
pub fn journal_of(reference: &str) -> Option<String> {
    decode(reference.strip_prefix(JOURNALS)?)
}

fn encode(path: &str) -> String {
    path.split('/').map(encode_part).collect::<Vec<_>>().join("/")
}

/// Letters, digits, `-` and `_` stay; so do dots, but for those in places that git refuses.
fn encode_part(part: &str) -> String {
    use std::fmt::Write;
    let bytes = part.as_bytes();
    let lock = bytes.len().checked_sub(5).filter(|_| bytes.ends_with(b".lock"));
    let mut out = String::with_capacity(part.len());
    for (at, &byte) in bytes.iter().enumerate() {
        let plain_dot = || at > 0 && bytes.get(at + 1).is_some_and(|&next| next != b'.') && lock != Some(at);
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && plain_dot()) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut parts = path.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let (hex, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(hex, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_becomes_a_ref_and_comes_back() {
        let names = [
            "rollouts/production/churn",
            "a:b",
            "a b~^:?*[\\",
            "a..b",
            ".a/b.",
            "x.lock/y.lock",
            "@{",
            "@",
            "100%",
            "-a",
            "é🪴",
            "a\u{7f}\n",
            "v1.0.0",
            "...",
        ];
        for name in names {
            let reference = journal_ref(name).unwrap();
            assert_eq!(journal_of(&reference).as_deref(), Some(name));
        }
        assert_eq!(journal_ref("rollouts/prod/p:c.v1").unwrap(), "refs/tagship/rollouts/prod/p%3Ac.v1");
    }

    #[test]
    fn no_journal_of_a_name_lies_below_that_of_another() {
        assert_eq!(format!("claims/{}", part("a/b")), "claims/a+b");
    }

    #[test]
    fn odd_refs_are_not_journals() {
        for bad in ["", "/a", "a/", "a//b"] {
            assert!(journal_ref(bad).is_err(), "{bad}");
        }
        for bad in
            ["refs/heads/main", "refs/tagship/a%", "refs/tagship/a%zz", "refs/tagship/%ff", "refs/tagship/%é"]
        {
            assert_eq!(journal_of(bad), None, "{bad}");
        }
    }
}
