//! `tagship status`.

use tagship_domain::{
    Environment, Exit, ModelName, Timestamp,
    approval::PendingApproval,
    overview::{Overview, PlaceOverview},
    schema,
};
use tagship_ports::Approvals as _;
use tagship_registry::Registry;
use tagship_release as release;
use tagship_report::terminal;
use tagship_runner::{Failure, args::StatusArgs};

use crate::{
    answer::Answer,
    failure::failed,
    pipeline::{Place, recorded},
    state::locks,
    workspace::Workspace,
};

pub(crate) async fn run(args: &StatusArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let overview = overview(workspace, args.common.model.as_ref(), args.common.environment.as_ref()).await?;
    let text = terminal::overview(&overview, &workspace.style());
    let json = schema::to_json(&overview).map_err(Failure::incomplete)?;
    Ok(Answer::plain(Exit::Done, "shown", "done", text, json))
}

/// What every wanted environment holds, which rollouts run, what is locked.
///
/// # Errors
/// When tags or journals cannot be read, or what is wanted is not configured.
pub(crate) async fn overview(
    workspace: &Workspace,
    model: Option<&ModelName>,
    environment: Option<&Environment>,
) -> Result<Overview, Failure> {
    let wanted = wanted(workspace, model, environment)?;
    let registry = workspace.registry().await?;
    let mut places = vec![];
    for place in wanted {
        let Place { name, environment, .. } = place;
        let current = release::current(&registry, name, environment).map_err(failed)?;
        places.push(PlaceOverview {
            model: name.clone(),
            environment: environment.clone(),
            since: current.as_ref().and_then(|_| since(&registry, name, environment)),
            current,
            rollout: recorded(workspace, place).await?,
        });
    }
    let mut locks = locks(workspace).await?;
    locks.retain(|environment, _| places.iter().any(|place| place.environment == *environment));
    let (approvals, approvals_unknown) = approvals(workspace, &places).await;
    Ok(Overview { places, locks: locks.into_values().collect(), approvals, approvals_unknown })
}

/// The configured environments that are asked about.
///
/// # Errors
/// When what is wanted is not configured.
pub(super) fn wanted<'a>(
    workspace: &'a Workspace,
    model: Option<&ModelName>,
    environment: Option<&Environment>,
) -> Result<Vec<Place<'a>>, Failure> {
    let wanted: Vec<Place<'_>> = workspace
        .places()
        .map(|(name, model, environment, settings)| Place { name, model, environment, settings })
        .filter(|place| model.is_none_or(|wanted| wanted == place.name))
        .filter(|place| environment.is_none_or(|wanted| wanted == place.environment))
        .collect();
    if let (true, Some(sought)) = (wanted.is_empty(), sought(model, environment)) {
        let known: Vec<String> =
            workspace.places().map(|(name, _, environment, _)| format!("{name} in {environment}")).collect();
        return Err(Failure::usage(format!("no environment is configured for {sought}"))
            .hint(format!("there is {}", known.join(", "))));
    }
    Ok(wanted)
}

/// What waits for approval in these places, or why that is unknown. A host that asks nobody holds nothing back.
async fn approvals(
    workspace: &Workspace,
    places: &[PlaceOverview],
) -> (Vec<PendingApproval>, Option<String>) {
    let Some(github) = &workspace.host.github else { return (vec![], None) };
    match github.pending(None).await {
        Ok(mut pending) => {
            pending.retain(|one| places.iter().any(|place| place.environment == one.environment));
            (pending, None)
        }
        Err(error) => (vec![], Some(format!("whether a deployment waits for approval is unknown: {error}"))),
    }
}

/// What is asked for, where something is.
fn sought(model: Option<&ModelName>, environment: Option<&Environment>) -> Option<String> {
    match (model, environment) {
        (None, None) => None,
        (Some(model), None) => Some(format!("model {model}")),
        (None, Some(environment)) => Some(format!("environment {environment}")),
        (Some(model), Some(environment)) => Some(format!("{model} in {environment}")),
    }
}

/// Since when an environment holds what it holds: when the registry was told so.
fn since(registry: &Registry, name: &ModelName, environment: &Environment) -> Option<Timestamp> {
    let held = registry.model(name).ok()?.current(environment)?;
    let stage = held.stages().find(|stage| stage.stage() == environment.as_str())?;
    stage.active_since().map(tagship_registry::Event::time)
}
