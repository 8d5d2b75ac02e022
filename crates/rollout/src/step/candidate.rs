//! What the target says about one release.

use tagship_domain::{Digest, Release, rollout::Observed, traffic::Weight};

/// A release as the target shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Candidate {
    /// The target did not answer; why.
    Unknown(String),
    /// It is not loaded.
    Missing,
    /// The version is loaded with other bytes.
    Other(Digest),
    /// It is loaded and cannot answer.
    NotReady,
    /// It can answer, and has this share of traffic.
    Ready(Weight),
}

impl Candidate {
    /// Finds a release on the target. Ready is only what has the release's own bytes.
    pub(crate) fn of(release: &Release, target: &Observed) -> Self {
        let state = match target {
            Observed::Unreachable(why) => return Self::Unknown(why.clone()),
            Observed::Seen(state) => state,
        };
        match state.arm(&release.version) {
            None => Self::Missing,
            Some(arm) if arm.digest != release.digest => Self::Other(arm.digest.clone()),
            Some(arm) if !arm.ready => Self::NotReady,
            Some(arm) => Self::Ready(arm.weight),
        }
    }

    /// What keeps a release from serving, as a sentence; absent where nothing does.
    pub(crate) fn trouble(&self, release: &Release) -> Option<String> {
        let version = &release.version;
        match self {
            Self::Unknown(why) => Some(format!("the target does not answer: {why}")),
            Self::Missing => Some(format!("the target does not have {version} loaded")),
            Self::Other(digest) => Some(format!(
                "the target has other bytes loaded as {version}: digest {}, released was {}",
                digest.short(),
                release.digest.short()
            )),
            Self::NotReady => Some(format!("{version} is not ready")),
            Self::Ready(_) => None,
        }
    }
}
