//! Environments in which another tool begins, shares and judges, and Tagship only follows and records.
//!
//! What such a tool would not hear of is refused before anything is written: a setting or a word of a person that changes nothing
//! there would have the journal say what is not so.

use tagship_config::EnvironmentConfig;
use tagship_domain::{
    Duration, Exit,
    event::Command,
    plan::{OnNewer, Strategy},
    rollout::Kind,
    traffic::Weight,
};
use tagship_runner::Failure;

use crate::pipeline::{Lead, Place};

/// Whether the environment's target is only followed.
pub(crate) fn is_followed(settings: &EnvironmentConfig) -> bool {
    tagship_kube::is_followed(&settings.target.kind)
}

/// Refuses settings that would change nothing.
///
/// # Errors
/// Where there are any, with all of them.
pub(crate) fn refuse_settings(place: Place<'_>) -> Result<(), Failure> {
    let settings = place.settings;
    let none = Duration::default();
    let all = [
        ("strategy", settings.strategy != Strategy::AllAtOnce),
        ("analysis", settings.analysis.is_some()),
        ("bake", settings.bake > none),
        ("hold-back", settings.hold_back > Weight::NONE),
        ("on-newer: supersede", settings.on_newer == OnNewer::Supersede),
        ("freeze", !settings.freeze.is_empty()),
        ("guard", settings.guard > none),
    ];
    let wrong: Vec<String> =
        all.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| format!("`{key}`")).collect();
    if !is_followed(settings) || wrong.is_empty() {
        return Ok(());
    }
    let kind = &settings.target.kind;
    let text = format!(
        "roll out to {}: target {kind} is only followed, and {} would change nothing there",
        place.environment,
        wrong.join(", ")
    );
    Err(Failure::usage(text).hint(
        "take them out of `tagship.yml`: steps, metrics and webhooks are `spec.analysis` of the Canary, and what begins when is up to \
         GitOps and to `spec.suspend`",
    ))
}

/// Refuses what only whoever leads the traffic could do.
///
/// # Errors
/// With what to do instead.
pub(crate) fn refuse_lead(place: Place<'_>, lead: &Lead<'_>) -> Result<(), Failure> {
    match lead {
        // Told to a rollout that could not go back, the two words have it looked at again.
        Lead::Tell(Command::Rollback | Command::Retry)
        | Lead::Begin(Kind::Deploy, _)
        | Lead::GoOn
        | Lead::GoOnFrom(_)
        | Lead::Unlock(_) => Ok(()),
        Lead::Tell(command) => refuse_word(place, *command),
        Lead::Begin(Kind::Rollback, _) | Lead::Fire(..) => refuse_word(place, Command::Rollback),
    }
}

/// Refuses a word of a person that only whoever leads the traffic could follow.
///
/// # Errors
/// With what to do instead.
pub(crate) fn refuse_word(place: Place<'_>, command: Command) -> Result<(), Failure> {
    if !is_followed(place.settings) {
        return Ok(());
    }
    let (what, instead) = match command {
        Command::Pause => (
            "pause",
            "set `spec.suspend: true` of the Canary, or let a `confirm-traffic-increase` webhook say no",
        ),
        Command::Resume => ("resume", "set `spec.suspend: false` of the Canary, or let its webhook say yes"),
        Command::Promote | Command::PromoteFull => (
            "promote",
            "let the `confirm-promotion` webhook of the Canary say yes, or set `spec.skipAnalysis` there",
        ),
        Command::Abort => (
            "abort",
            "revert the commit that GitOps applies, or let the `rollback` webhook of the Canary say yes",
        ),
        Command::Rollback => (
            "roll back",
            "revert the commit that GitOps applies; `tagship rollout --version VERSION` then records what serves",
        ),
        Command::Deploy | Command::Retry => return Ok(()),
    };
    let text = format!(
        "{what} {} in {}: target {} is only followed, and Tagship moves no traffic there",
        place.name, place.environment, place.settings.target.kind
    );
    Err(Failure::new(Exit::Usage, "only-followed", text).hint(instead))
}
