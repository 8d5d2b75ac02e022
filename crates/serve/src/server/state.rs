//! What the server must not forget: which versions each model has, who gets traffic, which fence was seen.
//!
//! Plain data and its transitions, without disk, clock or loaded models. Invariants: a candidate is never the stable
//! version; both are among the versions; a candidate with less than all traffic has a stable version beside it; a shadow
//! version is here and has no traffic; a version that requests are matched to is here; the fence never falls. Each transition answers [`Outcome::AlreadyThere`] when it changed nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tagship_domain::{
    Digest, Document, FileEntry, ModelName, Version, routing::Routing, serving::Outcome, traffic::Weight,
};

use super::refused::Refused;

/// All models of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ServerState {
    pub(super) models: BTreeMap<ModelName, ModelState>,
}

/// One model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ModelState {
    /// Highest fencing number seen.
    pub(super) fence: u64,
    /// The version that gets what the candidate does not.
    pub(super) stable: Option<Version>,
    /// The version that gets a share, above zero.
    pub(super) candidate: Option<Candidate>,
    /// What happens to requests beside sharing them by weight.
    #[serde(default)]
    pub(super) routing: Routing,
    /// Every version that is here.
    pub(super) versions: BTreeMap<Version, StoredVersion>,
    /// How often the share of each version that is here has changed; none where it never has.
    #[serde(default)]
    pub(super) moves: BTreeMap<Version, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Candidate {
    pub(super) version: Version,
    pub(super) weight: Weight,
}

/// Where the bytes of a version lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredVersion {
    pub(super) digest: Digest,
    pub(super) files: Vec<FileEntry>,
}

impl Document for ServerState {
    const SCHEMA: &'static str = "tagship/serve-state/v1";
}

impl ServerState {
    /// Whether a version of any model lies under `digest`.
    pub(super) fn uses(&self, digest: &Digest) -> bool {
        self.models.values().flat_map(|model| model.versions.values()).any(|stored| stored.digest == *digest)
    }
}

impl ModelState {
    /// Lets an order in and remembers its fence.
    pub(super) fn admit(&mut self, fence: u64) -> Result<(), Refused> {
        if fence < self.fence {
            return Err(Refused::Fenced { fence, seen: self.fence });
        }
        self.fence = fence;
        Ok(())
    }

    /// The share of a version.
    pub(super) fn weight(&self, version: &Version) -> Weight {
        let candidate = self.candidate.as_ref();
        match candidate {
            Some(candidate) if candidate.version == *version => candidate.weight,
            _ if self.stable.as_ref() == Some(version) => {
                let rest = 100 - candidate.map_or(0, |candidate| candidate.weight.get());
                Weight::percent(rest).unwrap_or(Weight::ALL)
            }
            _ => Weight::NONE,
        }
    }

    /// Counts the versions whose share is another one than before, so that those who look seldom see that there was a change.
    pub(super) fn count_moves(&mut self, before: &Self) {
        let moved: Vec<Version> = self
            .versions
            .keys()
            .filter(|version| self.weight(version) != before.weight(version))
            .cloned()
            .collect();
        for version in moved {
            *self.moves.entry(version).or_default() += 1;
        }
        self.moves.retain(|version, _| self.versions.contains_key(version));
    }

    /// Adds a version, at weight 0.
    pub(super) fn add(&mut self, version: &Version, stored: StoredVersion) -> Result<Outcome, Refused> {
        match self.versions.get(version) {
            Some(here) if here.digest == stored.digest => Ok(Outcome::AlreadyThere),
            Some(here) => Err(Refused::OtherBytes {
                version: version.clone(),
                here: here.digest.clone(),
                asked: stored.digest,
            }),
            None => {
                self.versions.insert(version.clone(), stored);
                Ok(Outcome::Applied)
            }
        }
    }

    /// Gives a version a share; stable keeps the rest.
    pub(super) fn set_weight(&mut self, version: &Version, weight: Weight) -> Result<Outcome, Refused> {
        self.must_have(version)?;
        let before = self.candidate.clone();
        if self.stable.as_ref() == Some(version) {
            return if self.weight(version) == weight {
                Ok(Outcome::AlreadyThere)
            } else {
                Err(Refused::IsStable { version: version.clone() })
            };
        }
        if let Some(other) = before.as_ref().filter(|other| other.version != *version) {
            return if weight == Weight::NONE {
                Ok(Outcome::AlreadyThere)
            } else {
                Err(Refused::AnotherCandidate { version: other.version.clone(), weight: other.weight })
            };
        }
        if self.stable.is_none() && weight != Weight::NONE && weight != Weight::ALL {
            return Err(Refused::NoStable { version: version.clone(), weight });
        }
        self.candidate = (weight != Weight::NONE).then(|| Candidate { version: version.clone(), weight });
        self.end_shadow();
        Ok(outcome(before != self.candidate))
    }

    /// Routes requests so, beside sharing them by weight.
    pub(super) fn route(&mut self, routing: Routing) -> Result<Outcome, Refused> {
        if let Some(shadow) = &routing.shadow {
            self.must_have(&shadow.version)?;
            let weight = self.weight(&shadow.version);
            if weight != Weight::NONE || self.stable.as_ref() == Some(&shadow.version) {
                return Err(Refused::HasTraffic { version: shadow.version.clone(), weight });
            }
            if shadow.share == Weight::NONE {
                return Err(Refused::NoShare { version: shadow.version.clone() });
            }
        }
        if let Some(matched) = &routing.matched {
            self.must_have(&matched.version)?;
            if routing.shadow.as_ref().is_some_and(|shadow| shadow.version == matched.version) {
                return Err(Refused::IsMatched { version: matched.version.clone(), rule: matched.rule() });
            }
        }
        let changed = self.routing != routing;
        self.routing = routing;
        Ok(outcome(changed))
    }

    /// A shadow version that is gone or has traffic is none any more.
    fn end_shadow(&mut self) {
        let ends = self.routing.shadow.as_ref().is_some_and(|shadow| {
            !self.versions.contains_key(&shadow.version)
                || self.weight(&shadow.version) != Weight::NONE
                || self.stable.as_ref() == Some(&shadow.version)
        });
        if ends {
            self.routing.shadow = None;
        }
    }

    /// Makes a version stable, with all traffic.
    pub(super) fn promote(&mut self, version: &Version) -> Result<Outcome, Refused> {
        self.rollback(Some(version))
    }

    /// Gives all traffic to a version, or to none. Ends a match, so that this one order takes everything back.
    pub(super) fn rollback(&mut self, to: Option<&Version>) -> Result<Outcome, Refused> {
        if let Some(version) = to {
            self.must_have(version)?;
        }
        let changed =
            self.candidate.is_some() || self.routing.matched.is_some() || self.stable.as_ref() != to;
        self.candidate = None;
        self.routing.matched = None;
        self.stable = to.cloned();
        self.end_shadow();
        Ok(outcome(changed))
    }

    /// Removes a version that has no traffic.
    pub(super) fn remove(&mut self, version: &Version) -> Result<Outcome, Refused> {
        let weight = self.weight(version);
        if weight != Weight::NONE || self.stable.as_ref() == Some(version) {
            return Err(Refused::HasTraffic { version: version.clone(), weight });
        }
        if let Some(matched) = self.routing.matched.as_ref().filter(|matched| matched.version == *version) {
            return Err(Refused::IsMatched { version: version.clone(), rule: matched.rule() });
        }
        let removed = self.versions.remove(version).is_some();
        self.end_shadow();
        Ok(outcome(removed))
    }

    fn must_have(&self, version: &Version) -> Result<(), Refused> {
        if self.versions.contains_key(version) {
            Ok(())
        } else {
            Err(Refused::NotLoaded { version: version.clone() })
        }
    }
}

fn outcome(changed: bool) -> Outcome {
    if changed { Outcome::Applied } else { Outcome::AlreadyThere }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tagship_domain::routing::{HeaderMatch, HeaderName, HeaderText, Shadow};

    use super::*;

    #[derive(Debug, Clone)]
    enum Order {
        Add(Version, u8),
        SetWeight(Version, Weight),
        Promote(Version),
        Rollback(Option<Version>),
        Remove(Version),
        Route(Routing),
    }

    fn apply(state: &mut ModelState, order: &Order) -> Result<Outcome, Refused> {
        match order {
            Order::Add(version, byte) => {
                let stored = StoredVersion { digest: Digest::from_bytes([*byte; 32]), files: Vec::new() };
                state.add(version, stored)
            }
            Order::SetWeight(version, weight) => state.set_weight(version, *weight),
            Order::Promote(version) => state.promote(version),
            Order::Rollback(to) => state.rollback(to.as_ref()),
            Order::Remove(version) => state.remove(version),
            Order::Route(routing) => state.route(routing.clone()),
        }
    }

    fn version() -> impl Strategy<Value = Version> {
        (0_u64..3).prop_map(|minor| Version::new(1, minor, 0))
    }

    fn order() -> impl Strategy<Value = Order> {
        prop_oneof![
            (version(), 0_u8..2).prop_map(|(version, byte)| Order::Add(version, byte)),
            (version(), 0_u8..=100)
                .prop_map(|(version, weight)| Order::SetWeight(version, Weight::percent(weight).unwrap())),
            version().prop_map(Order::Promote),
            proptest::option::of(version()).prop_map(Order::Rollback),
            version().prop_map(Order::Remove),
            (version(), version(), 0_u8..=100, any::<(bool, bool)>()).prop_map(
                |(version, cohort, share, (shadow, matched))| {
                    let share = Weight::percent(share).unwrap();
                    let header = HeaderName::new("x-client").unwrap();
                    let rule =
                        HeaderMatch { header: header.clone(), exact: HeaderText::new("beta").unwrap() };
                    Order::Route(Routing {
                        sticky: Some(header),
                        shadow: shadow.then_some(Shadow { version, share }),
                        matched: matched.then(|| rule.to(&cohort)),
                    })
                }
            ),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// After any orders: shares of the versions sum to all or nothing, only versions that are here have one, a
        /// refused order changed nothing, and a repeated order changes nothing.
        #[test]
        fn traffic_is_whole_and_orders_are_idempotent(orders in proptest::collection::vec(order(), 1..40)) {
            let mut state = ModelState::default();
            for order in &orders {
                let before = state.clone();
                match apply(&mut state, order) {
                    Err(_) => prop_assert_eq!(&state, &before),
                    Ok(done) => {
                        prop_assert_eq!(done == Outcome::Applied, state != before);
                        let after = state.clone();
                        prop_assert_eq!(apply(&mut state, order).ok(), Some(Outcome::AlreadyThere));
                        prop_assert_eq!(&state, &after);
                    }
                }
                let total: u32 = state.versions.keys().map(|v| u32::from(state.weight(v).get())).sum();
                prop_assert!(total == 100 || (total == 0 && state.stable.is_none()));
                prop_assert!(state.stable.iter().all(|version| state.versions.contains_key(version)));
                let is_idle = |shadow: &Shadow| {
                    state.versions.contains_key(&shadow.version) && state.weight(&shadow.version) == Weight::NONE
                };
                prop_assert!(state.routing.shadow.iter().all(is_idle));
                let is_here = |version: &Version| state.versions.contains_key(version);
                prop_assert!(state.routing.matched.iter().all(|matched| is_here(&matched.version)));
            }
        }
    }

    #[test]
    fn a_lower_fence_is_refused_and_an_equal_one_is_not() {
        let mut state = ModelState::default();
        state.admit(7).unwrap();
        state.admit(7).unwrap();
        assert!(matches!(state.admit(6), Err(Refused::Fenced { fence: 6, seen: 7 })));
        assert_eq!(state.fence, 7);
    }

    #[test]
    fn a_change_and_its_undoing_are_both_counted() {
        let mut state = ModelState::default();
        let [stable, candidate] = [Version::new(1, 0, 0), Version::new(1, 1, 0)];
        let ask = |state: &mut ModelState, order: Order| {
            let before = state.clone();
            apply(state, &order).unwrap();
            state.count_moves(&before);
        };
        ask(&mut state, Order::Add(stable.clone(), 0));
        ask(&mut state, Order::Promote(stable.clone()));
        ask(&mut state, Order::Add(candidate.clone(), 1));
        let counted =
            |state: &ModelState| [&stable, &candidate].map(|version| state.moves.get(version).copied());
        assert_eq!(counted(&state), [Some(1), None]);
        ask(&mut state, Order::SetWeight(candidate.clone(), Weight::percent(20).unwrap()));
        ask(&mut state, Order::SetWeight(candidate.clone(), Weight::percent(20).unwrap()));
        assert_eq!(counted(&state), [Some(2), Some(1)], "what changes nothing is no change");
        ask(&mut state, Order::SetWeight(candidate.clone(), Weight::NONE));
        assert_eq!(counted(&state), [Some(3), Some(2)]);
        ask(&mut state, Order::Remove(candidate.clone()));
        assert_eq!(counted(&state), [Some(3), None], "the change stays in the other one's count");
    }
}
