//! `tagship monitor slo`.

use tagship_domain::{Exit, schema, slo::SloReport};
use tagship_monitor::slo::together;
use tagship_release as release;
use tagship_report::terminal;
use tagship_runner::{
    Failure,
    args::{CheckFailure, ObjectivesArgs},
};

use crate::{answer::Answer, failure::failed, monitoring::slo::judge, workspace::Workspace};

/// Judges the objectives and remembers nothing.
pub(super) async fn run(args: &ObjectivesArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let (environment, _) = workspace.environment(name, model)?;
    if model.monitor.slo.is_empty() {
        return Err(Failure::usage(format!("{name} has no objectives"))
            .hint(format!("add models.{name}.monitor.slo to the configuration")));
    }
    let registry = workspace.registry().await?;
    let current = release::current(&registry, name, environment).map_err(failed)?;
    let Some(current) = current else {
        let text = format!("judge the objectives: no version of {name} serves in {environment}");
        return Err(Failure::new(Exit::Incomplete, "nothing-serves", text)
            .hint("deploy one first, e.g. `tagship rollout`"));
    };
    let at = workspace.clock.now();
    let objectives = judge(workspace, &model.monitor.slo, &current.version, at).await?;
    let report = SloReport {
        model: name.clone(),
        environment: environment.clone(),
        version: current.version,
        at,
        good: together(&objectives),
        objectives,
    };
    let text = terminal::slo(&report, &workspace.style());
    let json = schema::to_json(&report).map_err(Failure::incomplete)?;
    let (exit, decision) = match (report.good, args.fail_on) {
        (Some(false), Some(CheckFailure::Bad)) => (Exit::Negative, "burning"),
        (Some(false), None) => (Exit::Done, "burning"),
        (Some(true), _) => (Exit::Done, "kept"),
        (None, _) => (Exit::Incomplete, "unknown"),
    };
    Ok(Answer::plain(exit, decision, decision, text, json))
}
