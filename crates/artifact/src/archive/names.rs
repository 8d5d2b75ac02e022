//! Names of members: where an extractor would write, and which two are one file.

use std::collections::HashMap;

use crate::{findings::Findings, rules, tree};

/// What follows the last dot of a name, in its own case.
pub(super) fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Notes a name that an extractor could follow out of the archive.
pub(super) fn check(name: &str, findings: &mut Findings) {
    let inner = name.strip_suffix('/').unwrap_or(name);
    if let Err(refusal) = tree::beside("", inner) {
        findings.about(
            &rules::NAME_ESCAPES,
            None,
            name,
            format!("this name could be written outside of the archive's folder: {refusal}"),
        );
    }
}

/// Notes names that are one file to some reader: equal, or equal but for case or `./` and doubled slashes.
pub(super) fn check_duplicates<'n>(names: impl Iterator<Item = &'n str>, findings: &mut Findings) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for name in names {
        let normal: Vec<&str> = name.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")).collect();
        if let Some(before) = seen.insert(normal.join("/").to_lowercase(), name) {
            let message = if before == name {
                "this name is there more than once; readers disagree on which of them counts"
            } else {
                "another member has the same name but for case or slashes; some readers take one for the other"
            };
            findings.about(&rules::DUPLICATE_MEMBER, None, name, message);
        }
    }
}
