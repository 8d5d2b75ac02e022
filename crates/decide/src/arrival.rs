//! Versions that arrive in the place outside of the repository that an artifact comes from.
//!
//! Whoever says that there is a new one is believed no more than that: what is deployed is what a look at the place found.

use tagship_domain::{
    ModelName,
    decision::{Action, DecisionItem, ReasonCode},
    event::ModelVersion,
};

use crate::{
    deploy::Subject,
    event::{Decided, environments_or_none, published::because},
    state::{Arrival, ArtifactState, ModelState},
};

/// What follows from a look at the place of a model; nothing where nothing is new.
pub(crate) fn items(name: &ModelName, model: &ModelState) -> Vec<DecisionItem> {
    match &model.arrival {
        None | Some(Arrival::Known { .. }) => vec![],
        Some(Arrival::Unknown(why)) => vec![DecisionItem {
            model: name.clone(),
            environment: None,
            action: Action::Skip,
            reason_code: ReasonCode::SourceUnreadable,
            sentence: unreadable(name, why),
            digest: None,
            version: None,
        }],
        Some(Arrival::New { version, passed_over, seen_by }) => {
            let told = |item: DecisionItem| {
                let item = because(item, ReasonCode::ModelVersionCreated);
                let sentence = format!("{}; {}", item.sentence, arrived(version, passed_over));
                DecisionItem { sentence, ..item }
            };
            let deploy = |subject: Subject<'_>| subject.deploy_checkout(false);
            let is_new = |item: &DecisionItem| {
                item.environment.as_ref().is_none_or(|environment| !seen_by.contains(environment))
            };
            environments_or_none(name, model, deploy).into_iter().filter(is_new).map(told).collect()
        }
    }
}

/// What follows from a message that there is a new version.
pub(crate) fn on_nudge(
    (name, model): (&ModelName, &ModelState),
    arrival: &Arrival,
    created: &ModelVersion,
) -> Decided {
    let asked = &created.version;
    match arrival {
        Arrival::Unknown(why) => return Err((ReasonCode::SourceUnreadable, unreadable(name, why))),
        Arrival::Known { version: None } => {
            let sentence = format!("version {asked} of {name} was announced, and the registry has none");
            return Err((ReasonCode::UnknownVersion, sentence));
        }
        Arrival::Known { version: Some(newest) } => {
            let sentence = format!(
                "version {asked} of {name} was announced; the registry has version {newest}, which was decided about before"
            );
            return Err((ReasonCode::AlreadySeen, sentence));
        }
        Arrival::New { .. } => {}
    }
    if let (ArtifactState::Present(found), Some(said)) = (&model.artifact, &created.digest)
        && found != said
    {
        let sentence = format!(
            "the registry holds bytes {} of {name}, not {} as was announced; nothing is deployed",
            found.short(),
            said.short()
        );
        return Err((ReasonCode::DigestMismatch, sentence));
    }
    let wanted = |item: &DecisionItem| {
        created.environment.is_none() || item.environment.is_none() || item.environment == created.environment
    };
    let items: Vec<DecisionItem> = items(name, model).into_iter().filter(wanted).collect();
    if items.is_empty() {
        let sentence =
            format!("version {asked} of {name} was announced, and was decided about before where it may go");
        return Err((ReasonCode::AlreadySeen, sentence));
    }
    Ok(items)
}

/// Whether a decision leaves nothing to decide about what has arrived: it is not decided about again then. What could not
/// be looked at, and what a lock or an earlier environment keeps out, waits for the next look.
pub fn is_settled(item: &DecisionItem) -> bool {
    let waits = [
        ReasonCode::ArtifactMissing,
        ReasonCode::AwaitsEnvironment,
        ReasonCode::EnvironmentLocked,
        ReasonCode::SourceUnreadable,
    ];
    !waits.contains(&item.reason_code)
}

fn unreadable(name: &ModelName, why: &str) -> String {
    format!("whether there is a new version of {name} is unknown: {why}")
}

fn arrived(version: &str, passed_over: &[String]) -> String {
    match passed_over {
        [] => format!("version {version} arrived"),
        [one] => format!("version {version} arrived, and {one} before it, which is passed over"),
        several => {
            format!("version {version} arrived, and {} before it, which are passed over", several.join(", "))
        }
    }
}

#[cfg(test)]
mod tests;
