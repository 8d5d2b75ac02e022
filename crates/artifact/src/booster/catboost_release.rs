//! The release of CatBoost that wrote a model, out of what the library calls its version: a description of its sources'
//! commit, in lines.

/// Characters of a commit that name it.
const COMMIT: usize = 12;

/// The release, the commit where it was none, or nothing.
pub(crate) fn catboost_release(description: &str) -> String {
    let line = |label: &str| description.lines().find_map(|line| line.trim().strip_prefix(label));
    if let Some(release) = line("Branch: tags/v") {
        return release.to_owned();
    }
    line("Commit: ").map(|commit| format!("commit {commit:.COMMIT$}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_named_by_its_tag_and_anything_else_by_its_commit() {
        let described = |branch: &str| {
            format!(
                "Git info:\n    Commit: b1bd2a6d77219e82a1ac\n    Branch: {branch}\n    Summary: x\n\nOther info:\n"
            )
        };
        assert_eq!(catboost_release(&described("tags/v1.2.10")), "1.2.10");
        assert_eq!(catboost_release(&described("heads/master")), "commit b1bd2a6d7721");
        assert_eq!(catboost_release("Git info:"), "");
    }
}
