//! `tagship monitor history`: the looks that are remembered.

use tagship_domain::{Exit, monitor::LookHistory, schema};
use tagship_report::terminal;
use tagship_runner::Failure;

use crate::{answer::Answer, monitoring::known::newest, pipeline::Place, workspace::Workspace};

pub(super) async fn run(workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let (environment, settings) = workspace.environment(name, model)?;
    let look = newest(workspace, Place { name, model, environment, settings }).await?;
    let looks = look.map_or_else(Vec::new, |(look, _)| {
        let newest = look.point();
        look.trend.into_iter().chain([newest]).collect()
    });
    let history = LookHistory { model: name.clone(), environment: environment.clone(), looks };
    let text = terminal::looks(&history, &workspace.style());
    let json = schema::to_json(&history).map_err(Failure::incomplete)?;
    Ok(Answer::plain(Exit::Done, "shown", "done", text, json))
}
