//! The journeys. A further one is one more entry.

mod canary;
mod monitor;
mod people;
mod pull_request;
mod readme;
mod self_test;
mod several;
mod triggers;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{Tools, stage::Stage};

/// A way through workflows, with an end that is looked at.
pub(super) struct Journey {
    pub(super) name: &'static str,
    /// Plays it, and answers how many counted requests it took.
    pub(super) play: fn(&Tools) -> Result<usize>,
}

pub(super) const JOURNEYS: &[Journey] = &[
    Journey { name: "the self-test of this repository passes", play: self_test::passes },
    Journey { name: "every workflow in a README runs", play: readme::workflows },
    Journey { name: "a pull request is judged with a token that can only read", play: pull_request::judged },
    Journey { name: "a hostile model stops the pull request", play: pull_request::refused },
    Journey { name: "a fork is judged, and commented by trusted code", play: pull_request::from_a_fork },
    Journey { name: "a person goes on by a comment", play: people::comment },
    Journey { name: "a merge goes through a canary and is promoted", play: canary::promoted },
    Journey { name: "a merge goes through a canary and is rolled back", play: canary::rolled_back },
    Journey { name: "what a tested commit holds is deployed", play: triggers::tests_passed },
    Journey { name: "a pushed version tag is deployed as that version", play: triggers::tag },
    Journey { name: "a scheduled tick finishes what a killed job began", play: triggers::tick },
    Journey { name: "a scheduled look opens an issue and closes it", play: monitor::looks },
    Journey { name: "a person goes back by a button", play: people::button },
    Journey { name: "staging comes first, production second", play: several::staging_then_production },
    Journey { name: "many models get a job each", play: several::monorepo },
    Journey { name: "a server of one's own downloads nothing", play: several::own_server },
];

/// These tags and no others, a published release for each version, and nothing said twice or wrongly.
fn ends_well(stage: &Stage<'_>, tags: &[&str]) -> Result<()> {
    let versions: Vec<&str> = tags.iter().copied().filter(|tag| tag.contains('@')).collect();
    ends_with(stage, tags, &versions)
}

/// The same, where not every version's tag has a release.
fn ends_with(stage: &Stage<'_>, tags: &[&str], releases: &[&str]) -> Result<()> {
    ensure!(stage.tags() == tags, "the tags are {:?}, not {tags:?}", stage.tags());
    let mut shown = stage.github.world(|world| {
        let tag = |release: &Value| {
            format!("{}{}", release["tag_name"].as_str().unwrap_or_default(), draft(release))
        };
        world.releases.iter().map(tag).collect::<Vec<_>>()
    });
    shown.sort_unstable();
    ensure!(shown == releases, "the releases are {shown:?}, not {releases:?}");
    stage.close()
}

fn draft(release: &Value) -> &'static str {
    if release["draft"] == true { " (a draft)" } else { "" }
}
