//! What can be wrong with the tags of a repository, and what was done about it.

use std::fmt;

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// A registry tag that is no annotated tag; GTO and Tagship skip it.
    LightweightTag,
    /// A registry tag that leads to no commit; skipped. GTO crashes on it.
    NotACommit,
    /// A registry tag without a readable tagger; skipped, since its time is unknown. GTO crashes on it.
    NoTagger,
    /// A `@created` tag; skipped, since it says nothing. GTO crashes on it.
    CreatedTag,
    /// A number in the name does not fit 64 bits; skipped.
    NumberTooLarge,
    /// The tags of a model contradict each other; the model is set aside.
    Contradiction,
    /// A tag has a higher counter but an older time than another; time decides.
    ClockOrder,
    /// Two changes of a stage in one second, of which GTO takes the other one for the later; the counter decides.
    Tie,
    /// A version that was withdrawn is still assigned to a stage, and would hold it again once it is registered again.
    WithdrawnInStage,
    /// The clone is shallow, so that tags may be missing.
    ShallowClone,
    /// The remote has a tag that this clone has not.
    UnfetchedTag,
    /// A tag is in this clone alone: its run lost a race or died, or nobody pushed it.
    UnpublishedTag,
    /// A tag of this clone is another one than the remote's of that name, which everybody else sees.
    DifferentTag,
    /// A file of descriptions cannot be read; what it says is left out. GTO stops working on it.
    BadAnnotations,
    /// One description cannot be used and is left out. GTO stops working on it.
    BadAnnotation,
    /// A description has a type that `.gto` does not list.
    TypeNotAllowed,
    /// A tagger's time is more than a day ahead; every later tag must be dated after it.
    FutureTime,
}

/// In front of a model's name, where it is the subject.
pub(crate) const MODEL: &str = "model ";

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: FindingKind,
    /// The tag, or the model where no single tag is to blame.
    pub subject: String,
    /// Particulars; may be empty.
    pub detail: String,
}

impl FindingKind {
    /// Whether something that a tag says is left out of the registry because of it.
    pub fn hides_a_tag(self) -> bool {
        matches!(
            self,
            Self::LightweightTag
                | Self::NotACommit
                | Self::NoTagger
                | Self::NumberTooLarge
                | Self::Contradiction
                | Self::ShallowClone
                | Self::UnfetchedTag
                | Self::DifferentTag
        )
    }

    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::LightweightTag => "lightweight-tag",
            Self::NotACommit => "tag-not-on-commit",
            Self::NoTagger => "tag-without-tagger",
            Self::CreatedTag => "created-tag",
            Self::NumberTooLarge => "tag-number-too-large",
            Self::Contradiction => "contradicting-tags",
            Self::ClockOrder => "tag-clock-order",
            Self::FutureTime => "tag-in-the-future",
            Self::Tie => "tag-tie",
            Self::WithdrawnInStage => "withdrawn-in-stage",
            Self::ShallowClone => "shallow-clone",
            Self::UnfetchedTag => "tag-not-fetched",
            Self::UnpublishedTag => "tag-not-published",
            Self::DifferentTag => "tag-differs-from-remote",
            Self::BadAnnotations => "annotations-unreadable",
            Self::BadAnnotation => "annotation-invalid",
            Self::TypeNotAllowed => "annotation-type",
        }
    }

    /// What a person can do about it; `TAG` stands for the tag, quoted for a shell, `TAGS` for the patterns of a model's.
    fn advice(self) -> &'static str {
        match self {
            Self::LightweightTag => {
                "if it was meant as an event, make it one: `git tag --annotate --force TAG TAG`, then push it; else leave it, \
                 for both tools ignore it"
            }
            Self::NotACommit | Self::NoTagger | Self::CreatedTag => {
                "GTO works again without it: keep its content (`git cat-file tag TAG`), then `git tag --delete TAG` and \
                 `git push --delete origin TAG`"
            }
            Self::NumberTooLarge | Self::FutureTime => {
                "if the number or date is no real one, make the event again with a real one, then `git tag --delete TAG` and \
                 `git push --delete origin TAG`"
            }
            Self::Contradiction => {
                "see who made which tag (`git tag --list --format='%(refname:strip=2) %(*objectname:short) %(taggername) \
                 %(taggerdate:iso)' TAGS`), keep the content of the wrong one (`git cat-file tag NAME`), then `git tag \
                 --delete NAME` and `git push --delete origin NAME`; the model is used again as soon as its tags agree"
            }
            Self::ClockOrder => {
                "both tools go by the time; if the higher counter is meant, assign again: `tagship registry assign`"
            }
            Self::UnpublishedTag => {
                "if it is meant, publish it: `git push origin tag TAG`; if its run was overtaken, delete it here: \
                 `git tag --delete TAG`"
            }
            Self::DifferentTag => {
                "the remote's counts; keep what differs (`git cat-file tag TAG`), then `git tag --delete TAG` and \
                 `git fetch origin tag TAG`"
            }
            Self::BadAnnotations | Self::BadAnnotation => {
                "correct it in a new commit; a version keeps the file of its own commit, so that one that is registered with \
                 it stays without a description here, and GTO needs a version at a corrected commit"
            }
            Self::TypeNotAllowed => "correct the type, or add it to `types` in .gto",
            Self::Tie | Self::WithdrawnInStage | Self::ShallowClone | Self::UnfetchedTag => {
                "`tagship registry doctor --repair` shows what would be done, `--yes` does it"
            }
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::LightweightTag => "is not annotated and therefore ignored",
            Self::NotACommit => "does not lead to a commit and is ignored",
            Self::NoTagger => "has no readable tagger line and is ignored",
            Self::CreatedTag => "says nothing and is ignored, but GTO stops working on it",
            Self::NumberTooLarge => "holds a number beyond 64 bits and is ignored",
            Self::Contradiction => "is set aside",
            Self::ClockOrder => "has a higher counter but an older time than another tag",
            Self::FutureTime => "is dated in the future",
            Self::Tie => "is held by the higher of two counters of one second, where GTO sees another holder",
            Self::WithdrawnInStage => "is withdrawn but still assigned",
            Self::ShallowClone => "is shallow, so that tags may be missing",
            Self::UnfetchedTag => "is on the remote and not in this clone",
            Self::UnpublishedTag => "is in this clone and not on the remote",
            Self::DifferentTag => "is another tag here than on the remote",
            Self::BadAnnotations => "cannot be read and is left out, but GTO stops working on it",
            Self::BadAnnotation => "cannot be used and is left out, but GTO stops working on it",
            Self::TypeNotAllowed => "has a type that .gto does not allow",
        }
    }
}

impl Finding {
    /// About one tag.
    pub fn on_tag(kind: FindingKind, tag: &str) -> Self {
        Self { kind, subject: tag.to_owned(), detail: String::new() }
    }

    /// What a person can do about it, with commands as a POSIX shell takes them.
    pub fn by_hand(&self) -> String {
        let model = self.subject.strip_prefix(MODEL).unwrap_or(&self.subject);
        let tags = ["@*", "#*"].map(|form| quoted(&format!("{model}{form}"))).join(" ");
        self.kind.advice().replace("TAGS", &tags).replace("TAG", &quoted(&self.subject))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject, self.kind.sentence())?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

/// A word as a POSIX shell takes it: `#` would begin a comment, `!` the history of an interactive one.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./@:=+,%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_what_a_shell_takes() {
        let advice = |kind, subject: &str| Finding::on_tag(kind, subject).by_hand();
        for (tag, word) in [
            ("churn@v1.0.0", "churn@v1.0.0"),
            ("churn#prod#1", "'churn#prod#1'"),
            ("churn@v1.0.0!", "'churn@v1.0.0!'"),
            ("it's $HOME;`id`", "'it'\\''s $HOME;`id`'"),
        ] {
            let text = advice(FindingKind::UnpublishedTag, tag);
            assert!(text.contains(&format!("`git push origin tag {word}`")), "{text}");
            assert!(text.contains(&format!("`git tag --delete {word}`")), "{text}");
        }
        let text = advice(FindingKind::Contradiction, "model nlp/it");
        assert!(text.contains("'nlp/it@*' 'nlp/it#*'`") && !text.contains("TAG"), "{text}");
    }
}
