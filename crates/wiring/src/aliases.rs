//! Aliases of a model registry that follow what environments hold.
//!
//! What an environment holds is read from the tags, and the alias is brought to it, whatever it named before: after a
//! promotion, after a way back, and by every later run, so that a registry that did not answer is told again. It never
//! stands in the way of a rollout.

use tagship_adapters::places::{self, Opened};
use tagship_config::{EnvironmentConfig, ModelConfig};
use tagship_ports::{PortError, target::Done};
use tagship_release as release;
use tagship_runner::{Failure, commands::Annotation};

use crate::{failure::failed, pipeline::Place, sources, workspace::Workspace};

/// The alias where a model with one environment names none.
const DEFAULT: &str = "champion";
/// The kind of place that has aliases.
const REGISTRY: &str = "mlflow";

/// The alias that follows an environment. One that says what is to be deployed follows nothing.
fn alias_of<'a>(model: &ModelConfig, settings: &'a EnvironmentConfig) -> Option<&'a str> {
    let address = model.artifact.elsewhere().filter(|address| address.kind() == REGISTRY)?;
    let only = || (model.environments.len() == 1 && address.named() != Some(DEFAULT)).then_some(DEFAULT);
    settings.alias.as_deref().or_else(only)
}

/// Why an alias that somebody asked for cannot follow.
fn in_vain(model: &ModelConfig, settings: &EnvironmentConfig) -> Option<String> {
    let (alias, address) = (settings.alias.as_deref()?, model.artifact.elsewhere()?);
    let text =
        format!("the alias {alias} follows nothing: {address} is in no model registry; leave `alias` out");
    (address.kind() != REGISTRY).then_some(text)
}

/// Brings the alias of one environment to what it holds. What fails is told, and tried again by the next run.
pub(crate) async fn follow(workspace: &Workspace, place: Place<'_>) {
    if let Some(text) = in_vain(place.model, place.settings) {
        workspace.tell_once(&format!("warning: {text}"));
    }
    let Some(alias) = alias_of(place.model, place.settings) else { return };
    let told = match brought(workspace, place, alias).await {
        Ok(told) => told,
        Err(failure) => {
            let hint = failure.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            let text = format!(
                "the alias {alias} of {} does not follow {} yet: {}{hint}; the next run tries again",
                place.name, place.environment, failure.message
            );
            workspace.tell_once(&format!("warning: {text}"));
            if workspace.context.hosted {
                workspace.screen.annotate(&[Annotation::warning(text)]);
            }
            return;
        }
    };
    if let Some(told) = told {
        workspace.screen.say(&told);
    }
}

/// The same for every chosen model and environment.
pub(crate) async fn follow_all(workspace: &Workspace) {
    for (name, model, environment, settings) in workspace.places() {
        let chosen = workspace.models().is_ok_and(|models| models.iter().any(|(other, _)| *other == name));
        if chosen && workspace.chooses(environment) {
            follow(workspace, Place { name, model, environment, settings }).await;
        }
    }
}

/// Answers what was changed, where something was.
async fn brought(workspace: &Workspace, place: Place<'_>, alias: &str) -> Result<Option<String>, Failure> {
    let address = place.model.artifact.elsewhere().filter(|address| places::has_versions(address));
    let Some(address) = address else { return Ok(None) };
    let registry = workspace.registry().await?;
    let Some(held) = release::current(&registry, place.name, place.environment).map_err(failed)? else {
        return Ok(None);
    };
    let store = workspace.store(place.model)?;
    let manifest = release::read_manifest(store.as_ref(), &held).await.map_err(failed)?;
    let Opened::Registry(source, _) = sources::open(workspace, address).map_err(failed)? else {
        return Ok(None);
    };
    // A release from before, of the repository's bytes or of another registry, is no version there.
    let version = manifest.origin.filter(|origin| origin.place == source.location());
    let Some(number) = version.and_then(|origin| origin.version.parse().ok()) else { return Ok(None) };
    let done: Result<Done, PortError> = source.point(alias, number).await;
    Ok(match done.map_err(failed)? {
        Done::Applied => Some(format!(
            "alias {alias} of {} names version {number}, which {} holds as {}",
            source.location(),
            place.environment,
            held.version
        )),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use tagship_config::Config;

    use super::*;

    /// The alias that follows, and whether one is told that cannot.
    fn followed(artifact: &str, alias: &str) -> (Option<String>, bool) {
        let text = format!(
            "version: 1\nmodels: {{ m: {{ artifact: '{artifact}', environments: {{ p: {{ target: local{alias} }} }} }} }}"
        );
        let config = Config::parse("tagship.yml", &text).unwrap();
        let (_, model) = config.models.iter().next().unwrap();
        let (_, settings) = model.environments.iter().next().unwrap();
        (alias_of(model, settings).map(str::to_owned), in_vain(model, settings).is_some())
    }

    #[test]
    fn an_alias_never_follows_what_it_names_itself() {
        assert_eq!(followed("mlflow:churn#m.onnx", ""), (Some("champion".to_owned()), false));
        assert_eq!(followed("mlflow:churn@champion#m.onnx", ""), (None, false));
        assert_eq!(followed("mlflow:churn@candidate", ""), (Some("champion".to_owned()), false));
        assert_eq!(followed("mlflow:churn@champion", ", alias: live"), (Some("live".to_owned()), false));
        assert_eq!(followed("dir:models", ", alias: live"), (None, true), "there are none");
    }
}
