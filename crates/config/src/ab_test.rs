//! `a-b`: a part of the traffic for a fixed time, drawn by the values of a header or led by one of them.

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::{Duration, plan::Strategy, routing::HeaderName, traffic::Weight};

use crate::{
    header::{HeaderLayer, MatchLayer},
    place::Place,
    share::WeightLayer,
    strategy::{required, some_time},
};

/// Share of an A/B test where nothing is said.
const DEFAULT_AB_SHARE: u8 = 50;

/// A part of the traffic for a fixed time, whose clients stay on their side; all traffic at once after it. The part is drawn
/// by `sticky`, or led by `match`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "AbTest")]
pub(crate) struct AbLayer {
    /// The new version's share, in percent; only with `sticky`.
    #[schemars(extend("default" = DEFAULT_AB_SHARE))]
    share: Option<WeightLayer>,
    /// Header by which clients stay on their side, e.g. `x-user-id`: its values are shared at random.
    sticky: Option<HeaderLayer>,
    /// The requests that the new version answers, e.g. `{ header: x-cohort, exact: beta }`; all others stay with stable.
    #[serde(rename = "match")]
    rule: Option<MatchLayer>,
    /// How long, e.g. `7d`.
    #[serde(rename = "for")]
    #[schemars(required)]
    length: Option<Duration>,
}

impl AbLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> Option<(Strategy, Option<HeaderName>)> {
        if let Some(rule) = self.rule {
            return by_header(rule, self.share.is_some(), self.sticky.is_some(), self.length, place);
        }
        let share = self.share.map_or(Weight::percent(DEFAULT_AB_SHARE), |share| Some(share.0))?;
        let length = required(self.length, place, "for", "7d");
        let sticky = self.sticky.or_else(|| {
            let help =
                "write e.g. `sticky: x-user-id`, or `match: { header: x-cohort, exact: beta }`".to_owned();
            place.key("sticky").report("the key `sticky` is missing".to_owned(), Some(help));
            None
        });
        if share == Weight::NONE || share == Weight::ALL {
            let message = format!("a share of {share} leaves one side without traffic");
            place.key("share").report(message, Some("halves tell most, `share: 50`".to_owned()));
            return None;
        }
        let length = some_time(length?, &place.key("for"))?;
        Some((Strategy::AB { share, length }, Some(sticky?.0)))
    }
}

/// A test whose cohort is known by a header: its size is the clients' choice, and nobody is drawn into it.
fn by_header(
    rule: MatchLayer,
    has_share: bool,
    has_sticky: bool,
    length: Option<Duration>,
    place: &Place<'_>,
) -> Option<(Strategy, Option<HeaderName>)> {
    for key in [has_share.then_some("share"), has_sticky.then_some("sticky")].into_iter().flatten() {
        let message = format!("`{key}` draws who gets the new version, and `match` says it");
        place.key(key).report_key(message, Some("write one of them".to_owned()));
    }
    let rule = rule.resolve(&place.key("match"));
    let length = some_time(required(length, place, "for", "7d")?, &place.key("for"))?;
    let strategy = Strategy::Matched { rule: rule?, length };
    (!has_share && !has_sticky).then_some((strategy, None))
}
