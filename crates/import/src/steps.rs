//! The steps of a canary, kept to what a configuration may say: shares grow, and copies come before traffic.

use std::cmp::Ordering;

use serde_json::json;
use tagship_domain::Duration;

use crate::{
    notes::{About, Notes},
    yaml::Yaml,
};

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Weight(u8),
    Mirror(u8),
    Pause(Duration),
    /// A pause that a person ends.
    Person,
}

/// Steps that make sense in this order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps {
    list: Vec<Step>,
    weight: u8,
}

impl Steps {
    /// What notes about the next step are about.
    pub(crate) fn next(&self) -> About {
        About::Step(self.list.len())
    }

    /// Whether the candidate has traffic by now.
    pub(crate) fn has_traffic(&self) -> bool {
        self.weight > 0
    }

    /// Whether the candidate answers anything by now, copies among it.
    pub(crate) fn is_answering(&self) -> bool {
        self.has_traffic() || self.list.iter().any(|step| matches!(step, Step::Mirror(_)))
    }

    /// The steps so far.
    pub(crate) fn list(&self) -> &[Step] {
        &self.list
    }

    /// A share of traffic. One that falls cannot be said here; a person decides in its place, for the candidate has more
    /// than it would have there.
    pub(crate) fn weight(&mut self, share: u8, at: &str, notes: &Notes) {
        match share.cmp(&self.weight) {
            Ordering::Greater => {
                self.weight = share;
                self.list.push(Step::Weight(share));
            }
            Ordering::Equal => {
                notes.left_out(self.next(), at, format!("the candidate has {share}% at that point already"));
            }
            Ordering::Less => {
                let text = format!(
                    "shares only grow here: it stays at {}% instead of falling to {share}%, and a person decides whether \
                     it goes on",
                    self.weight
                );
                notes.by_hand(self.next(), at, text);
                self.person();
            }
        }
    }

    /// Copies of requests, before any traffic.
    pub(crate) fn mirror(&mut self, share: u8, at: &str, notes: &Notes) {
        if self.weight > 0 {
            let text = "a version with traffic of its own answers no copies here";
            notes.left_out(self.next(), at, text);
        } else if share == 0 {
            notes.left_out(self.next(), at, "a mirror of 0% copies nothing");
        } else {
            self.list.push(Step::Mirror(share));
        }
    }

    /// A pause; nothing where it has no length.
    pub(crate) fn pause(&mut self, length: Duration) {
        if length > Duration::default() {
            self.list.push(Step::Pause(length));
        }
    }

    /// A pause that a person ends; one is enough in one place.
    pub(crate) fn person(&mut self) {
        if self.list.last() != Some(&Step::Person) {
            self.list.push(Step::Person);
        }
    }
}

impl Step {
    pub(crate) fn yaml(self) -> Yaml {
        match self {
            Self::Weight(share) => json!({ "set-weight": share }).into(),
            Self::Mirror(share) => json!({ "mirror": share }).into(),
            Self::Pause(length) => json!({ "pause": length.to_string() }).into(),
            Self::Person => json!({ "pause": {} }).into(),
        }
    }
}
