//! Where a release is shown to other tools, and whether it still is what they find there.
//!
//! Who may push to a registry may move its tags. What a tag has to name follows from the manifest, or is recorded in a journal of
//! the model when the release is shown: an image is made on a base, which settings name that may change.

use std::collections::BTreeMap;

use tagship_domain::{
    ModelName, Provenance, Release, Timestamp, Version,
    chain::{ChainCheck, ChainOutcome, ChainPart, PlaceLink, PlaceTag},
};
use tagship_ports::{
    Clock, StateStore,
    artifact_store::Place,
    journal_ref::part,
    state_store::{AppendError, Entry, Files, NewEntry},
};

use crate::{
    error::ReleaseError,
    race::{ATTEMPTS, Race},
};

/// The file of an entry.
const FILE: &str = "places.json";

/// Addresses by layout, of every version.
type Recorded = BTreeMap<Version, BTreeMap<String, String>>;

/// Records where a release was shown. What is recorded already is not written again.
pub(crate) async fn record(
    journals: &dyn StateStore,
    clock: &dyn Clock,
    release: &Release,
    places: &[Place],
    (by, at): (&Provenance, Timestamp),
) -> Result<(), ReleaseError> {
    if places.is_empty() {
        return Ok(());
    }
    let journal = journal(&release.model);
    let mut race = Race::new(clock, by, &release.digest);
    loop {
        let tip = journals.tip(&journal).await?;
        let mut recorded = read(&journal, tip.as_ref())?;
        let of_version = recorded.entry(release.version.clone()).or_default();
        let before = of_version.clone();
        let shown = places.iter().filter_map(|place| Some((place.layout.clone(), place.now.clone()?)));
        of_version.extend(shown);
        if *of_version == before {
            return Ok(());
        }
        let json = serde_json::to_vec_pretty(&recorded).map_err(|error| bad(&journal, &error))?;
        let message = format!("Show {release} to other tools\n");
        let entry = NewEntry { message, files: Files::from([(FILE.to_owned(), json)]), at };
        match journals.append(&journal, tip.as_ref().map(|tip| &tip.id), &entry).await {
            Ok(_) => return Ok(()),
            Err(AppendError::Lost { .. }) if race.again().await => {}
            Err(AppendError::Lost { .. }) => {
                return Err(ReleaseError::Contended { model: release.model.clone(), attempts: ATTEMPTS });
            }
            Err(AppendError::Port(error)) => return Err(error.into()),
        }
    }
}

/// What a release was shown as, compared with what tags name now.
///
/// # Errors
/// When the journal cannot be read.
pub async fn compared(
    journals: &dyn StateStore,
    release: &Release,
    location: &str,
    places: Vec<Place>,
) -> Result<Vec<PlaceLink>, ReleaseError> {
    let journal = journal(&release.model);
    let tip = journals.tip(&journal).await?;
    let mut recorded = read(&journal, tip.as_ref())?.remove(&release.version).unwrap_or_default();
    // Of another store, from before the configuration changed.
    recorded.retain(|_, address| address.strip_prefix(location).is_some_and(|rest| rest.starts_with('@')));
    let mut links = vec![];
    for Place { layout, now, derived } in places {
        let wanted = derived.or(recorded.remove(&layout));
        links.push(link(layout, wanted, now));
    }
    links.extend(recorded.into_iter().map(|(layout, wanted)| link(layout, Some(wanted), None)));
    Ok(links)
}

fn link(layout: String, wanted: Option<String>, now: Option<String>) -> PlaceLink {
    let (reference, tag, found) = match (wanted, now) {
        (None, None) => (layout.clone(), PlaceTag::Absent, None),
        (None, Some(now)) => (now, PlaceTag::NotRecorded, None),
        (Some(wanted), None) => (wanted, PlaceTag::Gone, None),
        (Some(wanted), Some(now)) if wanted == now => (wanted, PlaceTag::AsReleased, None),
        (Some(wanted), Some(now)) => (wanted, PlaceTag::Moved, Some(now)),
    };
    PlaceLink { layout, reference, tag, found }
}

/// What tags of other tools come to, link by link: the worst counts.
pub fn check_places(links: &[PlaceLink]) -> ChainCheck {
    let mut said: Vec<(ChainOutcome, String)> = links
        .iter()
        .map(|PlaceLink { layout, reference, tag, found }| match tag {
            PlaceTag::AsReleased => {
                (ChainOutcome::Holds, format!("the tag of the {layout} names what the release put there"))
            }
            PlaceTag::NotRecorded => (
                ChainOutcome::Unknown,
                format!("the tag of the {layout} names {reference}, and it is not recorded what the release put there; run `tagship release` on its commit again, with the settings that it was made with"),
            ),
            PlaceTag::Absent => (
                ChainOutcome::Unknown,
                format!("no {layout} is there, and none is recorded; run `tagship release` on its commit again to show it"),
            ),
            PlaceTag::Moved => (
                ChainOutcome::Broken,
                format!(
                    "the tag of the {layout} names {}, and the release put {reference} there; find out who moved it",
                    found.as_deref().unwrap_or("something else")
                ),
            ),
            PlaceTag::Gone => (
                ChainOutcome::Broken,
                format!("the {layout} {reference} has lost its tag; run `tagship release` again to show it"),
            ),
        })
        .collect();
    let worst = said.iter().map(|(outcome, _)| *outcome).max().unwrap_or(ChainOutcome::NotApplicable);
    said.retain(|(outcome, _)| *outcome == worst);
    let words: Vec<String> = said.into_iter().map(|(_, words)| words).collect();
    let sentence =
        if words.is_empty() { "the store shows it to no other tool".to_owned() } else { words.join("; ") };
    ChainCheck::of(ChainPart::Places, worst, sentence)
}

fn read(journal: &str, tip: Option<&Entry>) -> Result<Recorded, ReleaseError> {
    let json = tip.and_then(|tip| tip.files.get(FILE)).map_or(b"{}".as_slice(), Vec::as_slice);
    serde_json::from_slice(json).map_err(|error| bad(journal, &error))
}

fn bad(journal: &str, error: &serde_json::Error) -> ReleaseError {
    ReleaseError::BadPlaces { journal: journal.to_owned(), why: error.to_string() }
}

fn journal(model: &ModelName) -> String {
    format!("shown/{}", part(model.as_str()))
}
