//! `monitor.alerts`: who is told of incidents, and when they open and close.

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::Duration;

use crate::{
    adapter::{AdapterLayer, AdapterSpec},
    place::Place,
};

/// Who is told of incidents, and when they open and close.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertSettings {
    /// Who is told.
    pub to: Vec<AdapterSpec>,
    /// Bad looks in a row that open an incident.
    pub open_after: u32,
    /// Good looks in a row that close one.
    pub resolve_after: u32,
    /// An open one is told again after so long.
    pub remind: Duration,
    /// Where it is written what to do.
    pub runbook: Option<String>,
}

impl Default for AlertSettings {
    fn default() -> Self {
        let remind = Duration::from_secs(24 * 60 * 60);
        Self { to: vec![], open_after: 1, resolve_after: 2, remind, runbook: None }
    }
}

/// Who is told of incidents.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Alerts")]
pub(crate) struct AlertLayer {
    /// Who is told, e.g. `[github-issue, { slack: { webhook-env: SLACK_URL } }]`: `github-issue`, `slack`, `teams`, `webhook`,
    /// `alertmanager`, `dispatch`.
    to: Option<Vec<AdapterLayer>>,
    /// Bad looks in a row that open an incident.
    #[schemars(extend("default" = 1), range(min = 1, max = 100))]
    open_after: Option<u32>,
    /// Good looks in a row that close one; twice as many each time that it comes back within a day.
    #[schemars(extend("default" = 2), range(min = 1, max = 100))]
    resolve_after: Option<u32>,
    /// An open one is told again after so long.
    #[schemars(extend("default" = "1d"))]
    remind: Option<Duration>,
    /// Where it is written what to do, e.g. `https://wiki.example.org/churn`.
    #[schemars(extend("pattern" = "^https?://"))]
    runbook: Option<String>,
}

impl AlertLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> AlertSettings {
        let at = place.key("to");
        let to = self.to.unwrap_or_default().into_iter().enumerate();
        let looks = |key: &str, looks: Option<u32>, default: u32| {
            let looks = looks.unwrap_or(default);
            if !(1..=100).contains(&looks) {
                place.key(key).report(format!("{looks} is not within 1 to 100"), None);
            }
            looks
        };
        let is_link = |link: &String| link.starts_with("https://") || link.starts_with("http://");
        if self.runbook.as_ref().is_some_and(|link| !is_link(link)) {
            place.key("runbook").report("it does not begin with http:// or https://".to_owned(), None);
        }
        let default = AlertSettings::default();
        AlertSettings {
            to: to.map(|(index, layer)| layer.resolve(&at.index(index))).collect(),
            open_after: looks("open-after", self.open_after, default.open_after),
            resolve_after: looks("resolve-after", self.resolve_after, default.resolve_after),
            remind: self.remind.unwrap_or(default.remind),
            runbook: self.runbook,
        }
    }
}
