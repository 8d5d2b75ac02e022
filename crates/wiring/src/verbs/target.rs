//! `tagship target`.

use std::path::{Path, PathBuf};

use serde_json::json;
use tagship_adapters::{
    SystemClock,
    targets::{ExecTarget, HookPlan, INHERITED, Specimen},
};
use tagship_artifact::digest_path;
use tagship_domain::{Exit, Version, schema};
use tagship_report::terminal;
use tagship_runner::{
    Context, Failure, Screen,
    args::{CheckArgs, TargetArgs, TargetQuestion},
};

use crate::{answer::Answer, failure::failed};

pub(crate) async fn run(args: &TargetArgs, context: &Context) -> Result<Answer, Failure> {
    match &args.question {
        TargetQuestion::Check(args) => check(args, context).await,
    }
}

/// Holds a program to the rules of target exec; needs neither a repository nor a configuration.
async fn check(args: &CheckArgs, context: &Context) -> Result<Answer, Failure> {
    let screen = Screen::of(context, false);
    let variable = |name: &str| {
        if INHERITED.contains(&name) { Context::inherited(name) } else { Context::secret(name) }
    };
    let settings = json!({ "command": args.command, "timeout": args.timeout, "env": args.env });
    let settings = settings.as_object().cloned().unwrap_or_default();
    let target = ExecTarget::from_settings(&settings, Path::new("."), &variable).map_err(failed)?;
    let directory = tempfile::tempdir().map_err(|error| Failure::unwritable("create a directory", &error))?;
    let plan = plan(args, directory.path())?;
    screen.say(&format!(
        "{} will be told to load two versions of {}, to move its traffic between them, and to unload them",
        args.command.join(" "),
        args.model
    ));
    let report = target.check_rules(&plan, &SystemClock).await.map_err(failed)?;
    let text = terminal::hook(&report, &crate::style(&screen));
    let (exit, reason) = match report.exit() {
        Exit::Done => (Exit::Done, "rules-kept"),
        Exit::Negative => (Exit::Negative, "rules-broken"),
        exit => (exit, "not-judged"),
    };
    let json = schema::to_json(&report).map_err(Failure::incomplete)?;
    Ok(Answer::plain(exit, "checked", reason, text, json))
}

fn plan(args: &CheckArgs, directory: &Path) -> Result<HookPlan, Failure> {
    // Versions that no model has by chance.
    let (first, second) = (Version::new(0, 0, 1), Version::new(0, 0, 2));
    let made = |name: &str| -> Result<PathBuf, Failure> {
        let path = directory.join(name).join("model.bin");
        std::fs::create_dir_all(directory.join(name))
            .and_then(|()| std::fs::write(&path, format!("{name} bytes of a check by tagship\n")))
            .map_err(|error| Failure::unwritable(format!("write {}", path.display()), &error))?;
        Ok(path)
    };
    let (one, two) = match args.artifact.as_slice() {
        [] => (made("first")?, made("second")?),
        [only] => (only.clone(), only.clone()),
        [one, two] => (one.clone(), two.clone()),
        _ => return Err(Failure::usage("--artifact is given at most twice: there are two versions")),
    };
    Ok(HookPlan {
        model: args.model.clone(),
        one: specimen(first, one)?,
        two: specimen(second.clone(), two)?,
        other: specimen(second, made("other")?)?,
        patience: args.patience,
    })
}

fn specimen(version: Version, bytes: PathBuf) -> Result<Specimen, Failure> {
    let (digest, _) = digest_path(&bytes)
        .map_err(|error| Failure::usage(format!("read the artifact {}: {error}", bytes.display())))?;
    Ok(Specimen { version, digest, bytes })
}
