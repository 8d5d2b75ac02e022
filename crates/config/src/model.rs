//! One model: its artifact and what every action is told about it.

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::Environment;

use crate::{
    artifact::Artifact,
    diagnostic::listed,
    environment::{EnvironmentConfig, EnvironmentLayer},
    gate::{GateLayer, GateSettings},
    mark::Mark,
    monitor::{MonitorLayer, MonitorSettings},
    place::Place,
    release::{ReleaseLayer, ReleaseSettings},
    reports::{ReportSettings, ReportsLayer},
    signing::{KeySource, VerifyLayer},
    validate::{ValidateLayer, ValidateSettings},
};

/// The settings of one model, complete.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// The file or directory that is versioned, and where it is.
    pub artifact: Artifact,
    /// Files that the gate reads.
    pub reports: ReportSettings,
    /// What validation asks of the artifact.
    pub validate: ValidateSettings,
    /// What the gate asks for.
    pub gate: GateSettings,
    /// How a release is made.
    pub release: ReleaseSettings,
    /// Public keys one of which must have signed a release, where a signature is required.
    pub trusted_keys: Vec<KeySource>,
    /// What commits are marked with.
    pub mark: Mark,
    /// What is watched once a version serves.
    pub monitor: MonitorSettings,
    /// Where versions go.
    pub environments: BTreeMap<Environment, EnvironmentConfig>,
}

/// One model: what is versioned, what it must show, and where it goes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Model")]
pub(crate) struct ModelLayer {
    /// The file or directory that is versioned, e.g. `models/churn`, or a place elsewhere that it is fetched from, e.g.
    /// `oci://registry.example.org/churn:latest`.
    #[schemars(required)]
    artifact: Option<Artifact>,
    /// Where training and testing leave what the gate reads.
    reports: Option<ReportsLayer>,
    /// Which artifacts are let through.
    validate: Option<ValidateLayer>,
    /// What a candidate must show before it is released.
    gate: Option<GateLayer>,
    /// How a version is numbered and where its bytes are kept.
    release: Option<ReleaseLayer>,
    /// Who is trusted to have signed a release, e.g. `{ keys: [keys/release.pub.pem] }`.
    verify: Option<VerifyLayer>,
    /// What commits are marked with: a line, or a page with everything that the comment shows.
    #[schemars(extend("default" = Mark::default()))]
    mark: Option<Mark>,
    /// What is watched once a version serves.
    monitor: Option<MonitorLayer>,
    /// Where versions go, by the name of the environment.
    environments: Option<BTreeMap<Environment, EnvironmentLayer>>,
}

impl ModelConfig {
    /// The settings of a model of which only the artifact is known, for an action that runs without a file.
    pub fn for_artifact(artifact: impl Into<Artifact>) -> Self {
        Self {
            artifact: artifact.into(),
            reports: ReportSettings::default(),
            validate: ValidateSettings::default(),
            gate: GateSettings::default(),
            release: ReleaseSettings::default(),
            trusted_keys: vec![],
            mark: Mark::default(),
            monitor: MonitorSettings::default(),
            environments: BTreeMap::new(),
        }
    }
}

impl ModelLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> Option<ModelConfig> {
        let reports = self.reports.unwrap_or_default().resolve(&place.key("reports"));
        let validate = self.validate.unwrap_or_default().resolve(&place.key("validate"));
        let gate = self.gate.unwrap_or_default().resolve(&place.key("gate"));
        let release = self.release.unwrap_or_default().resolve(&place.key("release"));
        let monitor = self.monitor.unwrap_or_default().resolve(&place.key("monitor"));
        let trusts = self.verify.is_some();
        let trusted_keys = self.verify.map_or_else(Vec::new, |verify| verify.resolve(&place.key("verify")));
        let at = place.key("environments");
        let environments = resolve_environments(self.environments, &at);
        if !trusts {
            refuse_trusting_nobody(&environments, &at);
        }
        let Some(artifact) = self.artifact else {
            let help =
                "name the file or directory that is versioned, e.g. `artifact: models/churn`".to_owned();
            place.key("artifact").report("the key `artifact` is missing".to_owned(), Some(help));
            return None;
        };
        refuse_aliases(&artifact, &environments, &at);
        let mark = self.mark.unwrap_or_default();
        Some(ModelConfig {
            artifact,
            reports,
            validate,
            gate,
            release,
            trusted_keys,
            mark,
            monitor,
            environments,
        })
    }
}

/// Two environments on one target would move each other's traffic.
fn resolve_environments(
    layers: Option<BTreeMap<Environment, EnvironmentLayer>>,
    place: &Place<'_>,
) -> BTreeMap<Environment, EnvironmentConfig> {
    let before = place.errors_so_far();
    let mut resolved = BTreeMap::new();
    let mut targets = HashMap::new();
    for (name, layer) in layers.unwrap_or_default() {
        let at = place.key(name.as_str());
        let Some(environment) = layer.resolve(&at) else { continue };
        let target = &environment.target;
        if let Some(other) = targets.insert((target.kind.clone(), target.settings.clone()), name.clone()) {
            let message = format!("the environments `{other}` and `{name}` have one target");
            let help =
                "two environments would move each other's traffic; give each its own target".to_owned();
            at.key("target").report(message, Some(help));
        }
        resolved.insert(name, environment);
    }
    if place.errors_so_far() == before {
        check_next(&resolved, place);
    }
    check_order(&resolved, place);
    resolved
}

/// Without a key that is trusted no signature would ever be good enough.
fn refuse_trusting_nobody(environments: &BTreeMap<Environment, EnvironmentConfig>, place: &Place<'_>) {
    for (name, environment) in environments {
        if environment.require_signature {
            let help = "name the public key of the model, e.g. `verify: { keys: [keys/release.pub.pem] }` beside \
                        `environments`";
            place
                .key(name.as_str())
                .key("require-signature")
                .report("a signature is required, and no key is trusted".to_owned(), Some(help.to_owned()));
        }
    }
}

/// An alias is a name in the registry that the bytes come from; those of the repository come from none. It can follow one
/// environment, and none where it says what is to be deployed.
fn refuse_aliases(
    artifact: &Artifact,
    environments: &BTreeMap<Environment, EnvironmentConfig>,
    place: &Place<'_>,
) {
    let mut known = HashMap::new();
    for (name, environment) in environments {
        let Some(alias) = &environment.alias else { continue };
        let (message, help) = match (artifact.elsewhere(), known.insert(alias, name)) {
            (None, _) => (
                "the artifact comes from no model registry in which an alias could follow".to_owned(),
                "name the model registry in `artifact`, or leave `alias` out",
            ),
            (Some(address), _) if address.named() == Some(alias) => (
                format!(
                    "the alias `{alias}` names what is deployed in `artifact`, and would follow what was"
                ),
                "name another alias here, or another one in `artifact`",
            ),
            (Some(_), Some(other)) => (
                format!("the alias `{alias}` follows the environments `{other}` and `{name}`"),
                "an alias names one version; give each environment its own",
            ),
            (Some(_), None) => continue,
        };
        place.key(name.as_str()).key("alias").report(message, Some(help.to_owned()));
    }
}

/// What is asked for next has to be there, and to end somewhere.
fn check_next(environments: &BTreeMap<Environment, EnvironmentConfig>, place: &Place<'_>) {
    for (name, environment) in environments {
        let Some(next) = &environment.next else { continue };
        let at = place.key(name.as_str()).key("on-success").key("dispatch");
        if !environments.contains_key(next) {
            let known: Vec<&str> = environments.keys().map(Environment::as_str).collect();
            let help = format!("write one of {}", listed(&known));
            at.report(format!("the model has no environment `{next}`"), Some(help));
            continue;
        }
        let after =
            |name: &Environment| environments.get(name).and_then(|environment| environment.next.clone());
        let mut way = std::iter::successors(Some(next.clone()), after).take(environments.len());
        if way.any(|on_the_way| on_the_way == *name) {
            let help = "leave `on-success` out where a version has arrived".to_owned();
            at.report(format!("a version that goes on to `{next}` comes back to `{name}`"), Some(help));
        }
    }
}

/// An environment comes after another one of the model, and the order has a beginning.
fn check_order(environments: &BTreeMap<Environment, EnvironmentConfig>, place: &Place<'_>) {
    for (name, environment) in environments {
        let Some(before) = &environment.after else { continue };
        let at = place.key(name.as_str()).key("after");
        if !environments.contains_key(before) {
            let known: Vec<&str> =
                environments.keys().filter(|other| *other != name).map(Environment::as_str).collect();
            let known =
                if known.is_empty() { "no other".to_owned() } else { format!("`{}`", known.join("`, `")) };
            at.report(format!("the model has no environment `{before}`"), Some(format!("there is {known}")));
            continue;
        }
        let mut earlier = Some(before);
        for _ in 0..environments.len() {
            if earlier == Some(name) {
                let message = format!("`{name}` would have to come after itself");
                at.report(message, Some("leave `after` out where a version goes first".to_owned()));
                break;
            }
            earlier =
                earlier.and_then(|earlier| environments.get(earlier)).and_then(|known| known.after.as_ref());
        }
    }
}
