//! `tagship monitor rules`: objectives as rules of Prometheus, with their unit tests.

use std::{fmt::Write as _, path::Path};

use serde_json::json;
use tagship_domain::{Duration, Exit};
use tagship_export::rules::{rules, unit_tests};
use tagship_runner::{
    Failure,
    args::{ExportArgs, RulesArgs},
    write::{self, Existing},
};

use crate::{answer::Answer, monitoring::exported::watched, pipeline::Place, workspace::Workspace};

pub(super) async fn run(args: &RulesArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let (environment, settings) = workspace.environment(name, model)?;
    let place = Place { name, model, environment, settings };
    let (mut watched, elsewhere) = watched(workspace, place, args.export.version.as_ref()).await?;
    watched.looks_every = Some(args.looks_every).filter(|every| *every > Duration::default());
    for objective in &elsewhere {
        workspace.tell_once(&format!("warning: {objective} is left out: it is not read from Prometheus"));
    }
    let rules = rules(&watched);
    let mut text = written(&args.export, &rules)?;
    let mut tests = None;
    if let (Some(output), Some(path)) = (&args.export.output, &args.tests) {
        let made = unit_tests(&watched, beside(output, path)?);
        write::shared(path, &made, existing(&args.export))?;
        let _ = writeln!(text, "wrote {}", path.display());
        tests = Some(made);
    }
    let json = json!({ "version": watched.version, "rules": rules, "tests": tests, "left_out": elsewhere });
    Ok(Answer::plain(Exit::Done, "written", "done", text, format!("{json:#}\n")))
}

/// The text for the screen: the file itself, or where it went.
pub(super) fn written(args: &ExportArgs, file: &str) -> Result<String, Failure> {
    let Some(path) = &args.output else { return Ok(file.to_owned()) };
    write::shared(path, file, existing(args))?;
    Ok(format!("wrote {}\n", path.display()))
}

fn existing(args: &ExportArgs) -> Existing {
    if args.force { Existing::Replace } else { Existing::Keep }
}

/// The name by which tests find the rules: they look for it in their own folder.
fn beside<'a>(rules: &'a Path, tests: &Path) -> Result<&'a str, Failure> {
    let name = rules.file_name().and_then(|name| name.to_str());
    name.filter(|_| rules.parent() == tests.parent()).ok_or_else(|| {
        Failure::usage(format!("write {}: it does not lie beside the rules", tests.display()))
            .hint("name two files of one folder with --output and --tests")
    })
}
