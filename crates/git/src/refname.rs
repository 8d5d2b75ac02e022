//! Git's own judgement of the names that journals have as refs.

pub(crate) use tagship_ports::journal_ref::{JOURNALS, journal_of, journal_ref};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_becomes_a_ref_that_git_allows() {
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
            assert!(git2::Reference::is_valid_name(&reference), "{reference}");
        }
    }
}
