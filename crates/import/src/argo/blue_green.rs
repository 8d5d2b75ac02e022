//! `strategy.blueGreen`: everything at once after a preview.

use tagship_domain::Duration;

use super::{
    analysis::{Analyses, When},
    delays, seconds,
};
use crate::{
    draft::{Draft, Way},
    fields::{Fields, Reasons},
    notes::About,
};

/// How long both versions are kept after the switch where nothing is said, in both directions.
const DELAY: Duration = Duration::from_secs(30);

const ROUTING: &str = "how requests are routed is the target's business";
const INSTANCES: &str = "how much of a version runs is the target's business";
const LABELS: &str = "labels of instances are the target's business";

const BLUE_GREEN: &Reasons = &[
    ("activeService", ROUTING),
    (
        "previewService",
        "a version without traffic is called by its own address here; the target says which that is",
    ),
    ("previewReplicaCount", INSTANCES),
    ("maxUnavailable", INSTANCES),
    ("antiAffinity", INSTANCES),
    ("scaleDownDelayRevisionLimit", INSTANCES),
    ("activeMetadata", LABELS),
    ("previewMetadata", LABELS),
];

pub(super) fn read(fields: &Fields<'_>, draft: &mut Draft, analyses: &Analyses<'_>) {
    let notes = fields.notes();
    delays(fields, draft, Some(DELAY));
    let (mut preview, mut auto_promote) = promotion(fields);
    let mut mirror = 0;
    if let Some(before) = fields.below("prePromotionAnalysis") {
        let need = analyses.gather(&before, When::Before);
        if need.lost {
            auto_promote = false;
        }
        if let Some(length) = need.length {
            preview = preview.max(length);
            mirror = 100;
            let text = format!(
                "it is measured for {length} on copies of all requests, whose answers reach nobody; there, on whatever \
                 reaches the preview service. A target that cannot copy requests refuses the plan: then set `mirror: 0` \
                 and a `bake`"
            );
            notes.differs(About::Key("strategy"), before.here(), text);
        }
    }
    if let Some(after) = fields.below("postPromotionAnalysis") {
        let need = analyses.gather(&after, When::After);
        if need.lost {
            auto_promote = false;
        }
        if let Some(length) = need.length {
            draft.bake = length;
            let mut text =
                format!("it is measured for {length} with all traffic, before the version counts as stable");
            if mirror > 0 {
                text.push_str("; its metrics are looked at in the preview too, have to be good before the switch, and count anew after it");
            }
            notes.differs(About::Key("bake"), after.here(), text);
        }
    }
    draft.way = Way::BlueGreen { preview, auto_promote, mirror };
    fields.rest(&About::Key("strategy"), BLUE_GREEN);
}

/// How long the preview is, and whether traffic moves by itself then.
fn promotion(fields: &Fields<'_>) -> (Duration, bool) {
    let enabled = fields.flag("autoPromotionEnabled").unwrap_or(true);
    let after = seconds(fields, "autoPromotionSeconds").filter(|after| *after > Duration::default());
    if let (false, Some(after)) = (enabled, after) {
        let text = format!(
            "there it is promoted after {after} even though `autoPromotionEnabled` is false; here a person promotes, after \
             {after} at the earliest; write `auto-promote: true` for the former"
        );
        fields.notes().differs(About::Key("strategy"), fields.at("autoPromotionSeconds"), text);
    }
    (after.unwrap_or_default(), enabled)
}
