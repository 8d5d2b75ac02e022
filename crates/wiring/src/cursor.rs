//! What was decided about in the place that a model's artifact comes from: the journal `sources/<model>`.
//!
//! An entry holds the place, and for every environment the newest version that was decided about, so that each version
//! is decided about once for each, whichever run does it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tagship_domain::{Environment, ModelName, release::Origin};
use tagship_ports::state_store::{AppendError, Entry, Files, NewEntry};
use tagship_runner::Failure;

use crate::{failure::failed, workspace::Workspace};

/// The file of an entry.
const FILE: &str = "seen.json";
/// How often a lost race is run again.
const ATTEMPTS: u32 = 20;
/// What stands in the place of an environment for a model that has none.
const NOWHERE: &str = "";

/// Which way what is meant in a place can go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Course {
    /// To a larger number only, where the newest version is meant: a run that was slower takes nothing back.
    Forward,
    /// Anywhere, where an alias or the bytes themselves say what is meant.
    #[default]
    Anywhere,
}

/// The newest entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    place: String,
    seen: BTreeMap<String, String>,
}

impl Cursor {
    /// Reads it; an empty one where nothing was decided yet.
    ///
    /// # Errors
    /// When the journal cannot be read: what is new is unknown then.
    pub(crate) async fn read(workspace: &Workspace, model: &ModelName) -> Result<Self, Failure> {
        let journal = journal(model);
        let tip = workspace.host.journals.tip(&journal).await.map_err(failed)?;
        tip.as_ref().map_or_else(|| Ok(Self::default()), |tip| of(&journal, tip))
    }

    /// The newest version of a place that was decided about for an environment.
    pub(crate) fn seen(&self, place: &str, environment: Option<&Environment>) -> Option<&str> {
        let key = environment.map_or(NOWHERE, Environment::as_str);
        self.seen.get(key).map(String::as_str).filter(|_| self.place == place)
    }

    /// The smallest number of a version that was decided about somewhere.
    pub(crate) fn oldest(&self, place: &str) -> Option<u64> {
        let numbers = self.seen.values().filter_map(|version| version.parse().ok());
        numbers.min().filter(|_| self.place == place)
    }

    /// Records that a version was decided about for an environment.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) async fn advance(
        workspace: &Workspace,
        model: &ModelName,
        (origin, course): (&Origin, Course),
        environment: Option<&Environment>,
    ) -> Result<(), Failure> {
        let (journal, journals) = (journal(model), workspace.host.journals.as_ref());
        for _ in 0..ATTEMPTS {
            let tip = journals.tip(&journal).await.map_err(failed)?;
            let mut cursor = tip.as_ref().map_or_else(|| Ok(Self::default()), |tip| of(&journal, tip))?;
            if !cursor.take(origin, course, environment) {
                return Ok(());
            }
            let mut json = serde_json::to_string_pretty(&cursor).map_err(Failure::incomplete)?;
            json.push('\n');
            let where_to = environment.map_or_else(String::new, |environment| format!(" for {environment}"));
            let message =
                format!("Saw version {} of {model} in {}{where_to}\n", origin.version, origin.place);
            let files = Files::from([(FILE.to_owned(), json.into_bytes())]);
            let entry = NewEntry { message, files, at: workspace.clock.now() };
            match journals.append(&journal, tip.as_ref().map(|tip| &tip.id), &entry).await {
                Ok(_) => return Ok(()),
                Err(AppendError::Lost { .. }) => {}
                Err(AppendError::Port(error)) => return Err(failed(error)),
            }
        }
        let text =
            format!("record what was seen of {model}: other runs were faster {ATTEMPTS} times in a row");
        Err(Failure::incomplete(text).hint("run again when they are done"))
    }

    /// Takes a version up; answers whether that changes anything.
    fn take(&mut self, origin: &Origin, course: Course, environment: Option<&Environment>) -> bool {
        if self.place != origin.place {
            *self = Self { place: origin.place.clone(), seen: BTreeMap::new() };
        }
        let key = environment.map_or(NOWHERE, Environment::as_str);
        let seen = self.seen.get(key);
        let number = |version: &str| version.parse::<u64>().ok();
        let is_behind = seen.and_then(|seen| number(seen)) > number(&origin.version);
        if seen == Some(&origin.version) || (course == Course::Forward && is_behind) {
            return false;
        }
        self.seen.insert(key.to_owned(), origin.version.clone());
        true
    }
}

fn journal(model: &ModelName) -> String {
    format!("sources/{model}")
}

fn of(journal: &str, tip: &Entry) -> Result<Cursor, Failure> {
    let file = tip.files.get(FILE).map(Vec::as_slice).unwrap_or_default();
    serde_json::from_slice(file)
        .map_err(|error| Failure::incomplete(format!("read journal {journal}: {FILE}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(place: &str, version: &str) -> Origin {
        Origin { place: place.to_owned(), version: version.to_owned(), run: None }
    }

    #[test]
    fn every_environment_sees_every_version_once() {
        let (staging, production) =
            (Environment::new("staging").unwrap(), Environment::new("production").unwrap());
        let mut cursor = Cursor::default();
        assert!(cursor.take(&origin("a", "6"), Course::Forward, Some(&production)));
        assert!(cursor.take(&origin("a", "7"), Course::Forward, Some(&staging)));
        assert!(!cursor.take(&origin("a", "7"), Course::Forward, Some(&staging)), "nothing to write");
        assert_eq!(cursor.seen("a", Some(&staging)), Some("7"));
        assert_eq!(cursor.seen("a", Some(&production)), Some("6"));
        assert_eq!((cursor.oldest("a"), cursor.oldest("b")), (Some(6), None));
        assert_eq!(cursor.seen("b", Some(&staging)), None, "another place begins anew");
        assert!(cursor.take(&origin("b", "1"), Course::Forward, None));
        assert_eq!((cursor.seen("a", Some(&staging)), cursor.seen("b", None)), (None, Some("1")));
    }

    #[test]
    fn the_newest_goes_forward_by_number_and_an_alias_anywhere() {
        let mut cursor = Cursor::default();
        assert!(cursor.take(&origin("a", "10"), Course::Forward, None));
        assert!(!cursor.take(&origin("a", "9"), Course::Forward, None), "from a slower run");
        assert_eq!(cursor.seen("a", None), Some("10"));
        assert!(cursor.take(&origin("a", "9"), Course::Anywhere, None));
        assert_eq!(cursor.seen("a", None), Some("9"));
    }
}
