//! `environments`: where a version goes, and how it gets there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::{
    Duration, Environment, Timestamp,
    analysis::Analysis,
    freeze::{FreezeWindow, frozen_until},
    plan::{OnFailure, OnNewer, RolloutPlan, Smoke, Strategy},
    routing::HeaderName,
    traffic::Weight,
};

use crate::{
    adapter::{AdapterLayer, AdapterSpec},
    analysis::AnalysisLayer,
    choice::present,
    coverage,
    notify::{NotifyConfig, NotifyLayer},
    place::Place,
    share::WeightLayer,
    strategy::StrategyLayer,
};

/// One environment of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentConfig {
    /// What serves the model there.
    pub target: AdapterSpec,
    /// How traffic moves to a new version.
    pub strategy: Strategy,
    /// What it must show on live traffic on the way; absent where nothing is measured.
    pub analysis: Option<Analysis>,
    /// Where metrics of the analysis are counted that have a source of their own, by name.
    pub sources: BTreeMap<String, AdapterSpec>,
    /// Who is told what the rollouts come to.
    pub notify: Vec<NotifyConfig>,
    /// The header whose values stay with their version while traffic is shared.
    pub sticky: Option<HeaderName>,
    /// How long the version from before stays loaded after a rollout.
    pub scale_down_delay: Duration,
    /// How long a candidate that was taken back stays loaded.
    pub abort_scale_down_delay: Duration,
    /// Where people reach what it serves.
    pub environment_url: Option<String>,
    /// Share of traffic that stable keeps until the bake has ended.
    pub hold_back: Weight,
    /// How long it is watched with all the traffic that it gets, before it is stable.
    pub bake: Duration,
    /// What a newer version does to a rollout that runs.
    pub on_newer: OnNewer,
    /// How long a rollout may go without progress before it has failed.
    pub progress_deadline: Duration,
    /// What a bad metric leads to.
    pub on_failure: OnFailure,
    /// Environment that a version is asked to go to next, once it has succeeded here.
    pub next: Option<Environment>,
    /// Times of the week in which nothing begins and nothing gets more traffic.
    pub freeze: Vec<FreezeWindow>,
    /// The environment in which a version must have succeeded first.
    pub after: Option<Environment>,
    /// How long monitoring may undo a promotion by itself.
    pub guard: Duration,
    /// Whether only versions that a trusted key has signed get there.
    pub require_signature: bool,
    /// Alias that follows what it holds, in the model registry that the artifact comes from.
    pub alias: Option<String>,
}

/// How long blue-green keeps the version from before where nothing is said, as Argo Rollouts does.
const DEFAULT_SCALE_DOWN_DELAY: Duration = Duration::from_secs(30);

/// Progress deadline where none is configured.
pub const DEFAULT_PROGRESS_DEADLINE: Duration = Duration::from_secs(600);

/// Where a version of the model goes, and how it gets there.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Environment")]
pub(crate) struct EnvironmentLayer {
    /// What serves the model there, e.g. `local` or `local: { url: "http://127.0.0.1:8080" }`.
    #[schemars(required)]
    target: Option<AdapterLayer>,
    /// How traffic moves to a new version.
    #[schemars(extend("default" = "all-at-once"))]
    #[serde(default, deserialize_with = "present")]
    strategy: Option<StrategyLayer>,
    /// What a new version must show on live traffic on the way.
    #[serde(default, deserialize_with = "present")]
    analysis: Option<AnalysisLayer>,
    /// Share of traffic that stable keeps until the bake has ended, so that there is something to compare with.
    #[schemars(extend("default" = Weight::NONE))]
    hold_back: Option<WeightLayer>,
    /// How long a new version is watched with all the traffic that it gets, before it is stable.
    #[schemars(extend("default" = Duration::default()))]
    bake: Option<Duration>,
    /// How long the version from before stays loaded after the new one took over, so that requests under way end and going
    /// back is fast: `30s` for blue-green, else nothing by default.
    scale_down_delay: Option<Duration>,
    /// How long a new version that was taken back stays loaded, to look at it.
    #[schemars(extend("default" = Duration::default()))]
    abort_scale_down_delay: Option<Duration>,
    /// What a newer version does to a rollout that runs.
    #[schemars(extend("default" = OnNewer::default()))]
    on_newer: Option<OnNewer>,
    /// How long a rollout may go without progress before it has failed.
    #[schemars(extend("default" = DEFAULT_PROGRESS_DEADLINE))]
    progress_deadline: Option<Duration>,
    /// Who is told what the rollouts come to, e.g. `[{ webhook: { url-env: HOOK_URL } }]`.
    notify: Option<Vec<NotifyLayer>>,
    /// Where people reach what it serves, e.g. `https://churn.example.org`: linked from comments, summaries and
    /// deployments.
    #[schemars(extend("pattern" = "^https?://"))]
    environment_url: Option<String>,
    /// What a metric leads to that turned out bad: back to the version from before, or a person decides.
    #[schemars(extend("default" = OnFailure::default()))]
    on_failure: Option<OnFailure>,
    /// Times of the week in which no rollout begins and no new version gets more traffic, e.g.
    /// `[ "Fri 16:00 - Mon 08:00 Europe/Berlin" ]`. The way back is always open.
    #[schemars(with = "Option<Vec<FreezeWindow>>")]
    freeze: Option<Vec<String>>,
    /// The environment of this model in which a version must have succeeded first, e.g. `staging`.
    after: Option<Environment>,
    /// How long after a promotion monitoring may go back by itself.
    #[schemars(extend("default" = Duration::default()))]
    guard: Option<Duration>,
    /// Whether only versions get there that a key of `verify` has signed.
    #[schemars(extend("default" = false))]
    require_signature: Option<bool>,
    /// Alias that follows what the environment holds, in the model registry that the artifact comes from, e.g. `champion`.
    alias: Option<String>,
    /// What happens when a rollout has succeeded; nothing where it is left out.
    on_success: Option<OnSuccessLayer>,
}

/// What happens when a rollout has succeeded.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "OnSuccess")]
struct OnSuccessLayer {
    /// A run is asked for, by an event, that deploys the version to this environment.
    dispatch: Environment,
}

impl EnvironmentConfig {
    /// An environment with everything but its target at the defaults.
    pub fn for_target(target: AdapterSpec) -> Self {
        Self {
            target,
            strategy: Strategy::AllAtOnce,
            analysis: None,
            sources: BTreeMap::new(),
            notify: vec![],
            sticky: None,
            scale_down_delay: Duration::default(),
            abort_scale_down_delay: Duration::default(),
            environment_url: None,
            hold_back: Weight::NONE,
            bake: Duration::default(),
            on_newer: OnNewer::default(),
            progress_deadline: DEFAULT_PROGRESS_DEADLINE,
            on_failure: OnFailure::default(),
            next: None,
            freeze: vec![],
            after: None,
            guard: Duration::default(),
            require_signature: false,
            alias: None,
        }
    }

    /// What a rollout of a version with this smoke check does here, where a stable version exists.
    pub fn plan(&self, smoke: Smoke) -> RolloutPlan {
        RolloutPlan {
            strategy: self.strategy.clone(),
            smoke,
            progress_deadline: self.progress_deadline,
            hold_back: self.hold_back,
            bake: self.bake,
            analysis: self.analysis.clone(),
            on_newer: self.on_newer,
            sticky: self.sticky.clone(),
            scale_down_delay: self.scale_down_delay,
            abort_scale_down_delay: self.abort_scale_down_delay,
            next: self.next.clone(),
            on_failure: self.on_failure,
            freeze: self.freeze.clone(),
            guard: self.guard,
        }
    }
}

impl EnvironmentLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> Option<EnvironmentConfig> {
        let before = place.errors_so_far();
        let at = place.key("progress-deadline");
        let progress_deadline = self.progress_deadline.unwrap_or(DEFAULT_PROGRESS_DEADLINE);
        if progress_deadline == Duration::default() {
            at.report("a deadline of no time fails every rollout".to_owned(), None);
        }
        let strategy = match self.strategy {
            None => Some((Strategy::AllAtOnce, None)),
            Some(layer) => layer.resolve(&place.key("strategy")),
        };
        let analysis = match self.analysis {
            None => Some(None),
            Some(layer) => layer.resolve(&place.key("analysis")).map(Some),
        };
        let notify = self.notify.unwrap_or_default();
        let at = place.key("notify");
        let notify = notify.into_iter().enumerate().map(|(index, layer)| layer.resolve(&at.index(index)));
        let notify = notify.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>();
        if let Some(wrong) = self.environment_url.as_deref().and_then(wrong_address) {
            let help = "write `http://` or `https://`, a host and a path, as in `https://churn.example.org/`"
                .to_owned();
            place.key("environment-url").report(format!("the address {wrong}"), Some(help));
        }
        let freeze = read_windows(self.freeze.as_deref().unwrap_or_default(), &place.key("freeze"));
        if self.alias.as_deref().is_some_and(|alias| !is_alias(alias)) {
            let help = "write a name of letters, digits, `-` and `_`, e.g. `alias: champion`".to_owned();
            place.key("alias").report("the alias is no name".to_owned(), Some(help));
        }
        let Some(target) = self.target else {
            let help = "name what serves the model there, e.g. `target: local`".to_owned();
            place.key("target").report("the key `target` is missing".to_owned(), Some(help));
            return None;
        };
        let (analysis, sources) = analysis?.unzip();
        let (strategy, sticky) = strategy?;
        let scale_down = match strategy {
            Strategy::BlueGreen { .. } => DEFAULT_SCALE_DOWN_DELAY,
            _ => Duration::default(),
        };
        let environment = EnvironmentConfig {
            target: target.resolve(&place.key("target")),
            strategy,
            sticky,
            scale_down_delay: self.scale_down_delay.unwrap_or(scale_down),
            abort_scale_down_delay: self.abort_scale_down_delay.unwrap_or_default(),
            analysis,
            sources: sources.unwrap_or_default(),
            notify: notify?,
            environment_url: self.environment_url,
            hold_back: self.hold_back.map_or(Weight::NONE, |share| share.0),
            bake: self.bake.unwrap_or_default(),
            on_newer: self.on_newer.unwrap_or_default(),
            progress_deadline,
            on_failure: self.on_failure.unwrap_or_default(),
            next: self.on_success.map(|then| then.dispatch),
            freeze: freeze?,
            after: self.after,
            guard: self.guard.unwrap_or_default(),
            require_signature: self.require_signature.unwrap_or_default(),
            alias: self.alias,
        };
        if place.errors_so_far() == before {
            coverage::check(&environment, place);
        }
        Some(environment)
    }
}

/// Longest alias, in bytes.
const LONGEST_ALIAS: usize = 255;

/// Longest address that everyone shows as a link.
const LONGEST_ADDRESS: usize = 500;

/// What is wrong with a text as an address for people. It is shown where everyone may read it.
fn wrong_address(text: &str) -> Option<String> {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return Some("does not begin with http:// or https://".to_owned());
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() {
        return Some("names no host".to_owned());
    }
    if host.contains('@') {
        return Some("holds credentials, which everyone would see".to_owned());
    }
    if text.len() > LONGEST_ADDRESS {
        return Some(format!("has {} bytes, more than {LONGEST_ADDRESS}", text.len()));
    }
    let wrong = text.chars().find(|c| !c.is_ascii_graphic() || "\"<>\\^`{|}".contains(*c))?;
    Some(format!("holds {wrong:?}, which has to be written percent-encoded"))
}

/// Whether a registry takes it for an alias: what looks like a version, or like the newest one, is none anywhere.
fn is_alias(text: &str) -> bool {
    let of_word = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let is_version =
        text.strip_prefix(['v', 'V']).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()));
    !text.is_empty()
        && text.len() <= LONGEST_ALIAS
        && text.chars().all(of_word)
        && !is_version
        && !text.eq_ignore_ascii_case("latest")
}

/// The windows of a freeze. Such that never end would keep everything out for good.
fn read_windows(texts: &[String], place: &Place<'_>) -> Option<Vec<FreezeWindow>> {
    let read = |(index, text): (usize, &String)| match text.parse::<FreezeWindow>() {
        Ok(window) => Some(window),
        Err(error) => {
            place.index(index).report(error.to_string(), None);
            None
        }
    };
    let windows: Vec<Option<FreezeWindow>> = texts.iter().enumerate().map(read).collect();
    let windows = windows.into_iter().collect::<Option<Vec<_>>>()?;
    let any_time = Timestamp::from_seconds(0).ok()?;
    if frozen_until(&windows, any_time) == Some(Timestamp::LATEST) {
        let help = "a lock keeps new versions out until a person unlocks: `tagship lock`".to_owned();
        place.report_key(
            "the windows leave no time of the week in which a rollout could begin".to_owned(),
            Some(help),
        );
        return None;
    }
    Some(windows)
}
