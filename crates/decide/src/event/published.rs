//! Versions that appeared elsewhere: releases and packages of the host, and model registries.

use tagship_domain::{
    CommitId, ModelName, Version,
    decision::{Action, DecisionItem, ReasonCode},
    event::{ModelVersion, Request, Trigger},
};

use super::{Decided, change::on_tag, environments_or_none};
use crate::{
    arrival,
    deploy::Subject,
    person,
    state::{ArtifactState, ModelState, RepositoryState},
};

/// A published release deploys the version of its tag, as a push of the tag does.
pub(super) fn on_release(
    trigger: &Trigger,
    repository: &RepositoryState,
    tag: &str,
    at: Option<&CommitId>,
) -> Decided {
    let Some(at) = at else {
        let sentence =
            format!("tag {tag:?} of the release is not in this checkout; fetch tags (fetch-depth: 0)");
        return Err((ReasonCode::WrongCheckout, sentence));
    };
    let items = on_tag(trigger, repository, tag, at)?;
    Ok(items.into_iter().map(|item| because(item, ReasonCode::VersionPublished)).collect())
}

/// A published package deploys the registered version of the same name; other packages are none of our business.
pub(super) fn on_package(repository: &RepositoryState, package: &str, version: Option<&str>) -> Decided {
    let last = package.rsplit('/').next().unwrap_or(package);
    let named = |name: &str| {
        let name = ModelName::new(name).ok()?;
        repository.models.get_key_value(&name)
    };
    let Some((name, model)) = named(package).or_else(|| named(last)) else {
        let sentence = format!("package {package:?} is named like no configured model");
        return Err((ReasonCode::NotConfigured, sentence));
    };
    let registered = version.and_then(version_of).filter(|version| model.release(version).is_some());
    let Some(version) = registered else {
        let version = version.unwrap_or("without a version");
        let sentence = format!("package {package:?} {version} is no registered version of {name}");
        return Err((ReasonCode::NotRegistered, sentence));
    };
    Ok(deploy(name, model, &version, ReasonCode::VersionPublished))
}

/// A registry's version is one of ours by its name or by its bytes. Bytes that are known to nobody here are not deployed.
pub(super) fn on_model_version(repository: &RepositoryState, created: &ModelVersion) -> Decided {
    let ModelVersion { model: name, version, digest, uri, environment } = created;
    let request =
        Request { model: Some(name.clone()), environment: environment.clone(), ..Request::default() };
    // Refuses unknown names as it does for a person.
    person::subjects(&request, repository)?;
    let Some((name, model)) = repository.models.get_key_value(name) else {
        return Err((ReasonCode::UnknownModel, format!("no model {name} is configured")));
    };
    if let Some(arrival) = &model.arrival {
        return arrival::on_nudge((name, model), arrival, created);
    }
    let wanted = |item: &DecisionItem| {
        item.environment.is_none() || environment.is_none() || item.environment == *environment
    };
    let reason = ReasonCode::ModelVersionCreated;
    let by_name = version_of(version).and_then(|version| model.release(&version));
    if let (Some(release), Some(digest)) = (by_name, digest)
        && release.digest != *digest
    {
        let sentence = format!(
            "{name} {} is registered with bytes {}, not {}; nothing is deployed",
            release.version,
            release.digest.short(),
            digest.short()
        );
        return Err((ReasonCode::DigestMismatch, sentence));
    }
    let release = by_name.or_else(|| digest.as_ref().and_then(|digest| model.release_of(digest)));
    let items = match (release, digest, &model.artifact) {
        (Some(release), ..) => deploy(name, model, &release.version, reason),
        (None, Some(digest), ArtifactState::Present(here)) if digest == here => {
            let deploy = |subject: Subject<'_>| because(subject.deploy_checkout(false), reason);
            environments_or_none(name, model, deploy)
        }
        _ => {
            let place = uri.as_ref().map(|uri| format!(" ({uri})")).unwrap_or_default();
            let sentence = format!(
                "version {version} of {name}{place} is not registered here, and the checkout does not hold its bytes; \
                 commit them, or register the version first"
            );
            return Err((ReasonCode::UnknownVersion, sentence));
        }
    };
    Ok(items.into_iter().filter(wanted).collect())
}

fn deploy(name: &ModelName, model: &ModelState, version: &Version, reason: ReasonCode) -> Vec<DecisionItem> {
    environments_or_none(name, model, |subject| because(subject.deploy_version(version, false), reason))
}

/// What an event leads to has the event as its reason; what does not happen keeps its own.
pub(crate) fn because(item: DecisionItem, reason_code: ReasonCode) -> DecisionItem {
    if item.action == Action::Deploy { DecisionItem { reason_code, ..item } } else { item }
}

/// `v1.4.0` or `1.4.0`; packages are written without the letter.
fn version_of(text: &str) -> Option<Version> {
    text.parse().or_else(|_| format!("v{text}").parse()).ok()
}
