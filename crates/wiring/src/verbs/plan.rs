//! `tagship plan`.

use tagship_domain::{
    Exit, ModelName, Release,
    forecast::{Forecast, Outlook},
    rollout::Kind,
    traffic::{Counters, TargetState},
};
use tagship_release as release;
use tagship_report::terminal;
use tagship_rollout::forecast::{ForecastRequest, Given, Known, forecast};
use tagship_runner::{Failure, args::PlanArgs};

use crate::{
    answer::Answer,
    failure::failed,
    pipeline::{Place, candidate, open_sources, plan, refuse_impossible},
    targets::open_target,
    workspace::Workspace,
};

pub(crate) async fn run(args: &PlanArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let (environment, settings) = workspace.environment(name, model)?;
    let place = Place { name, model, environment, settings };
    let candidate = candidate(workspace, place, args.version.as_ref()).await?;
    let registry = workspace.registry().await?;
    let stable = release::current(&registry, name, environment).map_err(failed)?;
    let plan = plan(workspace, place, &candidate).await?;
    if let Ok(opened) = open_target(workspace, model, settings) {
        refuse_impossible(&opened, &plan, Kind::Deploy).await?;
    }
    open_sources(workspace, model, name, settings)?;
    let known = match &stable {
        Some(stable) if plan.analysis.is_some() => known(args, workspace, place, stable).await,
        _ => Known { given: given(args), measured_rate: None, counters: None, notes: vec![] },
    };
    let request = ForecastRequest {
        environment,
        candidate: &candidate,
        stable: stable.as_ref(),
        plan: &plan,
        known: &known,
    };
    let forecast = forecast(&request);
    let text = terminal::plan(&forecast, &workspace.style());
    let reason = reason(&forecast);
    Answer::document(
        &workspace.handover,
        Some(name),
        &forecast,
        text,
        ("planned".to_owned(), reason, Exit::Done),
    )
}

/// Whether the way ends in a verdict, in one stable word.
fn reason(forecast: &Forecast) -> String {
    let is_unknown = |outlook: &Outlook| matches!(outlook, Outlook::Unknown { .. });
    if forecast.stuck().next().is_some() {
        "cannot-be-decided"
    } else if forecast.metrics.iter().any(|metric| is_unknown(&metric.outlook)) {
        "unknown"
    } else if forecast.metrics.is_empty() {
        "nothing-measured"
    } else {
        "can-be-decided"
    }
    .to_owned()
}

fn given(args: &PlanArgs) -> Given {
    Given {
        rate: args.rate,
        error_ratio: args.error_ratio,
        accuracy: args.accuracy,
        labelled: args.label_share,
        regression: args.regression,
        accuracy_loss: args.accuracy_loss,
    }
}

/// What the arguments say and what the target counted. A target that cannot be asked leaves things unknown.
async fn known(args: &PlanArgs, workspace: &Workspace, place: Place<'_>, stable: &Release) -> Known {
    let mut known = Known { given: given(args), measured_rate: None, counters: None, notes: vec![] };
    match watch(args, workspace, place).await {
        Err(failure) => known.notes.push(format!("the target could not be asked: {}", failure.message)),
        Ok((state, rate)) => {
            known.counters = state.arm(&stable.version).map(|arm| arm.counters.clone());
            known.measured_rate = rate;
            if known.counters.is_none() {
                known
                    .notes
                    .push(format!("the target does not serve {stable}, which the registry says it holds"));
            }
            if rate.is_none() && args.rate.is_none() {
                known.notes.push(format!("no request came to the target within {}", args.watch));
            }
        }
    }
    known
}

/// What the target serves, and the requests per second that it had meanwhile.
async fn watch(
    args: &PlanArgs,
    workspace: &Workspace,
    place: Place<'_>,
) -> Result<(TargetState, Option<f64>), Failure> {
    let opened = open_target(workspace, place.model, place.settings)?;
    let look = async |name: &ModelName| opened.target.observe(name).await.map_err(failed);
    let (began, before) = (workspace.clock.now(), look(place.name).await?);
    if args.rate.is_some() {
        return Ok((before, None));
    }
    workspace.clock.sleep(args.watch).await;
    let (ended, after) = (workspace.clock.now(), look(place.name).await?);
    let seconds = ended.since(began).as_secs_f64();
    let came = new_requests(&before, &after);
    Ok((after, (came > 0.0 && seconds > 0.0).then(|| came / seconds)))
}

/// Requests that came between two looks, to all versions. Counters that began anew count from zero.
#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]
fn new_requests(before: &TargetState, after: &TargetState) -> f64 {
    let requests = |counters: &Counters| counters.requests;
    let came = after.arms.iter().map(|arm| {
        let earlier = before.arm(&arm.version).map_or(0, |arm| requests(&arm.counters));
        let now = requests(&arm.counters);
        now.checked_sub(earlier).unwrap_or(now)
    });
    came.sum::<u64>() as f64
}
