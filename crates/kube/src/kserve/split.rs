//! What is read in Standard mode: the canary of an `InferenceService`, how it does, and which shares the `HTTPRoute` of `KServe`
//! carries. The status repeats whatever share is wanted; the route is what counts.

use std::collections::BTreeMap;

use serde_json::Value;
use tagship_domain::{Duration, Timestamp, Version};
use tagship_ports::{PortError, Problem};

use super::{manifest::address, service::failure, view::View};
use crate::{gateway::Standing, object::text};

/// How long `KServe` is given to write a route. Its controller does so within seconds after it wrote the status.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The canary.
#[derive(Debug, Clone)]
pub(super) struct Canary {
    /// As it is written.
    pub(super) predictor: Value,
    /// Where its bytes are.
    pub(super) uri: String,
    /// The share that is wanted for it.
    pub(super) percent: u8,
    /// Whether `KServe` calls it ready.
    pub(super) is_called_ready: bool,
    /// Why it will not get ready by itself.
    pub(super) failure: Option<String>,
}

/// Which shares the route carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Carried {
    /// There is no route: nobody splits anything.
    Nothing,
    /// The gateway has not confirmed what is written; maybe it took what was there before.
    Unsettled { was_taken: bool },
    /// Nobody can say, for this reason.
    Unknown(String),
    /// In percent, by the name of the Service.
    Shares(BTreeMap<String, u8>),
}

/// What there is beside the stable predictor.
#[derive(Debug, Clone)]
pub(super) struct Split {
    pub(super) canary: Option<Canary>,
    pub(super) carried: Carried,
    /// When this was looked at.
    pub(super) now: Timestamp,
    /// Whether the canary's own server says that its model is loaded; the stable predictor's, where there is none.
    pub(super) answers: bool,
}

impl Split {
    /// `route`: the `HTTPRoute` that `KServe` wrote, where there is one.
    pub(super) fn read(service: &Value, route: Option<&Value>, now: Timestamp) -> Self {
        let canary = service["spec"]["canary"].as_array().and_then(|canaries| canaries.first());
        let carried = route.map_or(Carried::Nothing, carried);
        Self { canary: canary.map(|canary| Canary::read(service, canary)), carried, now, answers: true }
    }

    /// Whether the route leads to a Service, with whatever share.
    pub(super) fn lists(&self, pods: &str) -> bool {
        matches!(&self.carried, Carried::Shares(shares) if shares.contains_key(pods))
    }
}

impl Canary {
    fn read(service: &Value, canary: &Value) -> Self {
        let predictor = canary["predictor"].clone();
        let told = service["status"]["canaryStatuses"].as_array().into_iter().flatten();
        let status = told.clone().find(|status| status["name"] == predictor["name"]);
        let percent = canary["trafficPercent"].as_u64().and_then(|percent| u8::try_from(percent).ok());
        Self {
            uri: address(&predictor).to_owned(),
            percent: percent.unwrap_or(100).min(100),
            is_called_ready: status.is_some_and(|status| status["ready"] == true),
            failure: status.and_then(|status| failure(&status["modelStatus"])),
            predictor,
        }
    }
}

/// Name of the Service of a predictor's pods.
pub(super) fn pods(service: &str, predictor: &Value) -> String {
    match text(predictor, "/name") {
        "" => format!("{service}-predictor"),
        name => format!("{service}-{name}-predictor"),
    }
}

/// Shares of a route whose rules agree, once all its gateways have taken it.
fn carried(route: &Value) -> Carried {
    let standing = Standing::of(route);
    if !standing.settled {
        let unsettled = Carried::Unsettled { was_taken: standing.was_taken };
        return standing.objection.map_or(unsettled, Carried::Unknown);
    }
    let rules = route["spec"]["rules"].as_array().into_iter().flatten();
    let mut all: Vec<BTreeMap<String, u8>> = rules.map(shares).collect();
    all.dedup();
    match (all.pop(), all.is_empty()) {
        (Some(shares), true) => Carried::Shares(shares),
        (None, _) => Carried::Nothing,
        _ => Carried::Unknown("the rules of the route share differently".to_owned()),
    }
}

fn shares(rule: &Value) -> BTreeMap<String, u8> {
    let backends: Vec<(String, u64)> = rule["backendRefs"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|backend| (text(backend, "/name").to_owned(), backend["weight"].as_u64().unwrap_or(1)))
        .collect();
    let total: u64 = backends.iter().map(|(_, weight)| weight).sum();
    let percent = |weight: u64| (weight * 100 + total / 2).checked_div(total).unwrap_or_default();
    let share = |(name, weight): (String, u64)| (name, u8::try_from(percent(weight)).unwrap_or(100));
    backends.into_iter().map(share).collect()
}

impl View {
    /// The version that is the canary.
    pub(super) fn canary(&self) -> Option<(&Version, &Canary)> {
        let canary = self.split.as_ref()?.canary.as_ref()?;
        self.memory.at(&canary.uri).map(|(version, _)| (version, canary))
    }

    fn is_canary(&self, version: &Version) -> bool {
        self.canary().is_some_and(|(canary, _)| canary == version)
    }

    fn pods_of(&self, predictor: &Value) -> String {
        pods(self.service.as_ref().map_or("", |service| text(&service.object, "/metadata/name")), predictor)
    }

    /// Shares that are in force; until a gateway has taken what is written, those from before.
    ///
    /// # Errors
    /// Where nobody knows them.
    pub(super) fn split_shares(&self, split: &Split) -> Result<BTreeMap<Version, u8>, PortError> {
        let unknown = |why: String| {
            PortError::new(Problem::Unreachable, "look at the HTTPRoute of the InferenceService", why)
        };
        let Some((stable, known)) = self.newest() else { return Ok(BTreeMap::new()) };
        let two = |kept: u8, canary: Option<(&Version, u8)>| {
            let canary = canary.map(|(version, share)| (version.clone(), share));
            std::iter::once((stable.clone(), kept)).chain(canary).collect()
        };
        let canary = self.canary();
        match &split.carried {
            Carried::Unknown(why) => {
                Err(unknown(format!("which version has which share is not known: {why}")))
            }
            Carried::Unsettled { was_taken } => match canary {
                Some((version, _)) => {
                    let before = self.memory.before.min(100);
                    Ok(two(100 - before, Some((version, before))))
                }
                None => Ok(two(if *was_taken { 100 } else { 0 }, None)),
            },
            Carried::Nothing => match canary {
                Some((version, there)) if there.percent > 0 => {
                    Err(unknown(format!("there is none any more, and {version} may have {}%", there.percent)))
                }
                Some((version, _)) => Ok(two(100, Some((version, 0)))),
                None => self.unrouted_share(split).map(|share| two(share, None)).map_err(unknown),
            },
            Carried::Shares(shares) => {
                let of =
                    |predictor: &Value| shares.get(&self.pods_of(predictor)).copied().unwrap_or_default();
                let kept = of(&known.predictor);
                let given = canary.map(|(version, canary)| (version, of(&canary.predictor)));
                let rest = 100_u8.saturating_sub(kept.saturating_add(given.map_or(0, |(_, share)| share)));
                if rest > 0 {
                    return Err(unknown(format!(
                        "{rest}% of the traffic goes to Services of no known version"
                    )));
                }
                Ok(two(kept, given))
            }
        }
    }

    /// What the only version has without a route, or why nobody knows.
    fn unrouted_share(&self, split: &Split) -> Result<u8, String> {
        // Requests from outside were let in only now: the route may be on its way.
        if self.memory.shown.is_some_and(|shown| split.now.since(shown) < PATIENCE) {
            return Ok(0);
        }
        match self.service.as_ref().and_then(|service| service.unrouted.as_ref()) {
            Some(why) => Err(format!("there is none, and KServe says {why}")),
            // It writes no routes here; whatever else leads to the InferenceService leads to this version.
            None => Ok(100),
        }
    }

    /// The share that is written for a version.
    pub(super) fn split_wanted(&self, version: &Version) -> u8 {
        let percent = self.canary().map_or(0, |(_, canary)| canary.percent);
        match (self.is_canary(version), self.is_newest(version)) {
            (true, _) => percent,
            (false, true) => 100 - percent,
            (false, false) => 0,
        }
    }

    /// Whether a version is loaded and can be given traffic by a share alone.
    pub(super) fn is_split_ready(&self, split: &Split, version: &Version) -> bool {
        let Some(service) = &self.service else { return false };
        match self.canary().filter(|(canary, _)| *canary == version) {
            Some((_, canary)) => {
                let is_carried = match split.carried {
                    // It was, before the last share was written.
                    Carried::Unsettled { .. } | Carried::Unknown(_) => {
                        self.memory.proven.as_ref() == Some(version)
                    }
                    _ => split.lists(&self.pods_of(&canary.predictor)),
                };
                canary.is_called_ready && split.answers && is_carried
            }
            None => {
                let answers = split.answers || split.canary.is_some();
                self.is_newest(version) && service.is_current && answers
            }
        }
    }

    /// Whether a canary is loaded and no route carries its share.
    pub(super) fn is_unsplit(&self, split: &Split, version: &Version) -> bool {
        let loaded = self.canary().filter(|(canary, _)| *canary == version);
        loaded.is_some_and(|(_, canary)| {
            let is_settled = !matches!(split.carried, Carried::Unsettled { .. } | Carried::Unknown(_));
            canary.is_called_ready
                && split.answers
                && is_settled
                && !split.lists(&self.pods_of(&canary.predictor))
        })
    }

    /// Why a version will not get ready.
    pub(super) fn failure_of(&self, version: &Version) -> Option<&str> {
        match self.canary().filter(|(canary, _)| *canary == version) {
            Some((_, canary)) => canary.failure.as_deref(),
            None => self.failure().filter(|_| self.is_newest(version)),
        }
    }
}
