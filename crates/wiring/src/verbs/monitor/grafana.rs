//! `tagship monitor grafana`: a dashboard of what is watched.

use tagship_domain::Exit;
use tagship_export::grafana::dashboard;
use tagship_runner::{Failure, args::ExportArgs};

use super::rules::written;
use crate::{answer::Answer, monitoring::exported::watched, pipeline::Place, workspace::Workspace};

pub(super) async fn run(args: &ExportArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let (environment, settings) = workspace.environment(name, model)?;
    let place = Place { name, model, environment, settings };
    let (watched, _) = watched(workspace, place, args.version.as_ref()).await?;
    let file = format!("{:#}\n", dashboard(&watched));
    let text = written(args, &file)?;
    Ok(Answer::plain(Exit::Done, "written", "done", text, file))
}
