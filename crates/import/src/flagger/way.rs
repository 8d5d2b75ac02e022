//! How traffic moves.

use serde_json::Value;
use tagship_domain::{
    Duration,
    routing::{HeaderMatch, HeaderName, HeaderText},
};

use super::{
    hook::Hooks,
    plan::{Checks, Plan},
};
use crate::{
    draft::{Draft, SMALL, Way},
    fields::Fields,
    notes::About,
    span,
    steps::Steps,
};

/// Sets the strategy; `metrics` says whether any was carried over.
pub(super) fn set(analysis: &Fields<'_>, plan: &Plan, hooks: &Hooks, metrics: bool, draft: &mut Draft) {
    let notes = analysis.notes();
    draft.person |= hooks.before_promotion;
    match &plan.checks {
        Checks::Shares(shares) => {
            let mut steps = Steps::default();
            if hooks.at_start {
                steps.person();
            }
            if plan.mirror > 0 {
                steps.mirror(plan.mirror, &analysis.at("mirror"), notes);
                steps.pause(plan.interval);
            }
            for share in shares {
                if hooks.before_each_share {
                    steps.person();
                }
                let before = steps.list().len();
                steps.weight(*share, &analysis.at("stepWeights"), notes);
                if steps.list().len() > before {
                    steps.pause(plan.interval);
                }
            }
            if steps.has_traffic() {
                draft.way = Way::Canary { steps, sticky: None };
            } else {
                notes.mistake(analysis.here(), "no weight gives the candidate traffic");
            }
        }
        Checks::BlueGreen(count) => blue_green(analysis, plan, *count, hooks, metrics, draft),
        Checks::Matching(count) => matching(analysis, plan, *count, hooks, draft),
    }
}

fn blue_green(
    analysis: &Fields<'_>,
    plan: &Plan,
    count: u64,
    hooks: &Hooks,
    metrics: bool,
    draft: &mut Draft,
) {
    let notes = analysis.notes();
    let mut mirror = plan.mirror;
    if mirror == 0 && metrics {
        mirror = 100;
        let text = "the metrics are measured on copies of all requests, whose answers reach nobody; there, on whatever test \
                    traffic a hook sends. A target that cannot copy requests refuses the plan: then set `mirror: 0` and a \
                    `bake`";
        notes.differs(About::Key("strategy"), analysis.at("iterations"), text);
    }
    let text = "one more check is made there when the candidate has all traffic; here a `bake` would do that";
    notes.differs(About::Key("strategy"), analysis.at("iterations"), text);
    let auto_promote = !(hooks.at_start || hooks.before_each_share);
    let preview = span::times(plan.interval, count);
    draft.way = Way::BlueGreen { preview, auto_promote, mirror };
}

/// One header with an exact value is a match here too. Of any other rule, clients that stay on their side come closest.
fn matching(analysis: &Fields<'_>, plan: &Plan, count: u64, hooks: &Hooks, draft: &mut Draft) {
    let notes = analysis.notes();
    if plan.mirror > 0 {
        notes.left_out(
            About::Key("strategy"),
            analysis.at("mirror"),
            "an A/B test copies no requests, here as there",
        );
    }
    let length: Duration = span::times(plan.interval, count);
    let asks = hooks.at_start || hooks.before_each_share;
    if let Some(rule) = exact(&analysis.items("match")).filter(|_| !asks) {
        draft.way = Way::Matched { rule, length };
        return;
    }
    let header = analysis.items("match").iter().find_map(|(_, rule)| {
        let headers = rule.get("headers")?.as_object()?;
        headers
            .keys()
            .find(|name| !name.eq_ignore_ascii_case("cookie") && HeaderName::new(name.as_str()).is_ok())
            .cloned()
    });
    let at = analysis.at("match");
    let what = match &header {
        Some(header) => {
            format!("{SMALL}% of the clients, told apart by the value of `{header}`, get the candidate")
        }
        None => format!("{SMALL}% of all requests get the candidate, by chance"),
    };
    let text = format!(
        "requests are chosen here by one header with an exact value at most, and without a person before: {what}; there it is \
         every request that matches, and no other. Set the share as large as the matching part is"
    );
    notes.by_hand(About::Key("strategy"), at, text);
    draft.way = match header {
        Some(sticky) if !asks => Way::Ab { share: SMALL, sticky: sticky.to_ascii_lowercase(), length },
        sticky => {
            let mut steps = Steps::default();
            if asks {
                steps.person();
            }
            steps.weight(SMALL, "", notes);
            steps.pause(length);
            Way::Canary { steps, sticky: sticky.map(|header| header.to_ascii_lowercase()) }
        }
    };
}

/// The rule, where there is one, about one header, with its exact value.
fn exact(rules: &[(String, &Value)]) -> Option<HeaderMatch> {
    let [(_, rule)] = rules else { return None };
    let only = |object: &Value| {
        let object = object.as_object().filter(|object| object.len() == 1)?;
        object.iter().next().map(|(name, value)| (name.clone(), value.clone()))
    };
    let (key, headers) = only(rule)?;
    let (header, value) = only(&headers)?;
    let (kind, exact) = only(&value)?;
    if (key.as_str(), kind.as_str()) != ("headers", "exact") || header.eq_ignore_ascii_case("cookie") {
        return None;
    }
    Some(HeaderMatch { header: HeaderName::new(header).ok()?, exact: HeaderText::new(exact.as_str()?).ok()? })
}
