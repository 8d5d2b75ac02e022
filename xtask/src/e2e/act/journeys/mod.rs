//! The journeys. A further one is one more entry.

mod canary;
mod pull_request;

use anyhow::{Result, ensure};

use super::{Tools, stage::Stage};

/// A way through workflows, with an end that is looked at.
pub(super) struct Journey {
    pub(super) name: &'static str,
    /// Plays it, and answers how many counted requests it took.
    pub(super) play: fn(&Tools) -> Result<usize>,
}

pub(super) const JOURNEYS: &[Journey] = &[
    //Journey { name: "a pull request is judged with a token that can only read", play: pull_request::judged },
    //Journey { name: "a hostile model stops the pull request", play: pull_request::refused },
    Journey { name: "a merge goes through a canary and is promoted", play: canary::promoted },
    //Journey { name: "a merge goes through a canary and is rolled back", play: canary::rolled_back },
];

/// These tags and no others, a published release for each version, and nothing said twice or wrongly.
fn ends_well(stage: &Stage<'_>, tags: &[&str]) -> Result<()> {
    ensure!(stage.tags() == tags, "the tags are {:?}, not {tags:?}", stage.tags());
    let mut versions: Vec<&str> = tags.iter().copied().filter(|tag| tag.contains('@')).collect();
    versions.sort_unstable();
    let mut shown = stage.github.world(|world| {
        let published = world.releases.iter().filter(|release| release["draft"] == false);
        published
            .map(|release| release["tag_name"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    });
    shown.sort_unstable();
    ensure!(shown == versions, "the releases are {shown:?}, not {versions:?}");
    let drafts = stage.github.world(|world| world.releases.len()) - shown.len();
    ensure!(drafts == 0, "{drafts} drafts are left");
    stage.close()
}
