//! `tagship monitor report`: what is known, from git alone.

use std::fmt::Write as _;

use tagship_domain::{Exit, schema};
use tagship_report::{Tone, html, standing, terminal};
use tagship_runner::{
    Failure,
    args::ReportArgs,
    write::{self, Existing},
};

use crate::{answer::Answer, monitoring::known::known, pipeline::Place, workspace::Workspace};

pub(super) async fn run(args: &ReportArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let (environment, settings) = workspace.environment(name, model)?;
    let report = known(workspace, Place { name, model, environment, settings }).await?;
    let stands = standing(&report);
    let mut text = format!("{}. {}\n", stands.headline, stands.sentence);
    if let Some(look) = &report.look {
        let _ = write!(text, "\n{}", terminal::watch(look, &workspace.style()));
    }
    if let Some(path) = &args.html {
        write::shared(path, &html::monitor(&report, None), Existing::Replace)?;
        let _ = writeln!(text, "\nwritten to {}", path.display());
    }
    let decision = match stands.tone {
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Waiting => "recovering",
        Tone::Unknown | Tone::Running | Tone::Neutral => "unknown",
    };
    let json = schema::to_json(&report).map_err(Failure::incomplete)?;
    Ok(Answer::plain(Exit::Done, decision, decision, text, json))
}
