//! Why something could not be signed, or a signature is not believed.

use tagship_domain::Exit;

/// How many files an error names.
const NAMED: usize = 5;

/// Why a model is not signed, or its signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The text is no key that can be used.
    #[error("read the {what}: {why}")]
    Key {
        /// Which key.
        what: &'static str,
        /// What is wrong with it; nothing of the key itself.
        why: String,
    },
    /// The bundle is no bundle of one DSSE envelope, or states what a signer must not state.
    #[error("read the signature: {why}")]
    Malformed {
        /// What is wrong, and where.
        why: String,
    },
    /// The bundle may be right, but this program cannot judge it.
    #[error("judge the signature: {why}")]
    Unsupported {
        /// What it holds.
        why: String,
    },
    /// None of the trusted keys made it.
    #[error(
        "believe the signature: it was made with the key {hint}, and the trusted keys are {}",
        listed(.trusted)
    )]
    OtherKey {
        /// Hint of the key that made it, as the bundle says.
        hint: String,
        /// Hints of the trusted keys.
        trusted: Vec<String>,
    },
    /// The signature is none of the trusted key over these bytes.
    #[error("believe the signature: it does not fit the signed statement and the key {hint}")]
    Forged {
        /// Hint of the key that it was held against.
        hint: String,
    },
    /// It was made for something else.
    #[error("believe the signature: it was made for {found:?}, not for {wanted:?}")]
    OtherSubject {
        /// What it was made for.
        found: String,
        /// What it is to stand for.
        wanted: String,
    },
    /// The files are not the signed ones.
    #[error("compare the files with the signed ones: {}", differences(.changed, .missing, .extra))]
    Differs {
        /// Files with other bytes.
        changed: Vec<String>,
        /// Signed files that are not there.
        missing: Vec<String>,
        /// Files that were not signed.
        extra: Vec<String>,
    },
    /// The files cannot be signed or compared as they are.
    #[error("read the files of the model: {why}")]
    Files {
        /// Which, and why.
        why: String,
    },
    /// A file could not be read.
    #[error("read {path}: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        why: String,
    },
}

impl SignatureError {
    /// The exit code that a program ends with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Key { .. } => Exit::Usage,
            Self::Unsupported { .. } | Self::Unreadable { .. } => Exit::Incomplete,
            _ => Exit::Negative,
        }
    }

    pub(super) fn malformed(why: impl Into<String>) -> Self {
        Self::Malformed { why: why.into() }
    }
}

fn listed(hints: &[String]) -> String {
    if hints.is_empty() { "none".to_owned() } else { hints.join(", ") }
}

fn differences(changed: &[String], missing: &[String], extra: &[String]) -> String {
    let part = |what: &str, names: &[String]| match names {
        [] => None,
        [only] => Some(format!("{only:?} {what}")),
        some => {
            let shown =
                some.iter().take(NAMED).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
            let more = if some.len() > NAMED { ", and more" } else { "" };
            Some(format!("{} files ({shown}{more}) {what}", some.len()))
        }
    };
    [part("changed", changed), part("missing", missing), part("not signed", extra)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
}
