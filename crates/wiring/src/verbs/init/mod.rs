//! `tagship init`: a configuration and a workflow from what lies in the repository.
//!
//! Nothing is guessed that decides over a release: what is written are the files that were found, the strictest formats
//! they allow, and a rule against regressions. The rest stands in comments.

mod ask;
mod config;
mod find;
mod propose;
mod rights;
mod workflow;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde_json::json;
use tagship_config::Config;
use tagship_domain::Exit;
use tagship_git::GitRepo;
use tagship_runner::{
    Context, Failure,
    args::InitArgs,
    write::{self, Existing},
};

use crate::{answer::Answer, failure::failed};
use propose::Proposal;

/// Where workflows lie.
const WORKFLOW: &str = ".github/workflows/tagship.yml";
/// The default branch of a repository that does not know its own.
const BRANCH: &str = "main";

/// A file to write.
struct Planned {
    path: PathBuf,
    content: String,
}

pub(crate) fn run(args: &InitArgs, context: &Context) -> Result<Answer, Failure> {
    let repo = GitRepo::discover(Path::new(".")).map_err(failed)?;
    let root = repo.root().to_owned();
    if let Some(kind) = args.target.as_deref().filter(|_| args.rbac) {
        return rights::run(kind, &args.config, &root);
    }
    let found = find::find(&root);
    let mut proposal = propose::propose(args, &root, &found)?;
    if ask::may_ask(args, context) {
        ask::confirm(&mut proposal)?;
    }
    let branch = repo.default_branch().unwrap_or_else(|| BRANCH.to_owned());
    let files = plan(args, &root, &proposal, &branch)?;
    if args.dry_run {
        return Ok(shown(&root, &files, &proposal));
    }
    refuse_overwriting(args, &root, &files)?;
    for file in &files {
        write::shared(&file.path, &file.content, Existing::Replace)?;
    }
    Ok(written(&root, &files, &proposal))
}

fn plan(args: &InitArgs, root: &Path, proposal: &Proposal, branch: &str) -> Result<Vec<Planned>, Failure> {
    let text = config::render(proposal);
    // What is written is read back first: a file that the next command refuses helps nobody.
    Config::parse(&args.config.display().to_string(), &text)
        .map_err(|errors| Failure::usage(format!("what was found makes no configuration:\n{errors}")))?;
    let workflow = workflow::render(&args.action, branch, &args.config, proposal)?;
    Ok(vec![
        Planned { path: root.join(&args.config), content: text },
        Planned { path: root.join(WORKFLOW), content: workflow },
    ])
}

fn refuse_overwriting(args: &InitArgs, root: &Path, files: &[Planned]) -> Result<(), Failure> {
    let there: Vec<String> = files
        .iter()
        .filter(|file| file.path.symlink_metadata().is_ok())
        .map(|file| short(root, file))
        .collect();
    if there.is_empty() || args.force {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, "exists", format!("write {}: it exists", there.join(" and ")))
        .hint("pass --force to overwrite it, or --dry-run to see what would be written"))
}

fn shown(root: &Path, files: &[Planned], proposal: &Proposal) -> Answer {
    let mut text = proposal.told();
    for file in files {
        let _ = write!(text, "\n--- {}\n{}", short(root, file), file.content);
    }
    Answer::plain(Exit::Done, "dry-run", "dry-run", text, document(root, files, proposal))
}

fn written(root: &Path, files: &[Planned], proposal: &Proposal) -> Answer {
    let mut text = proposal.told();
    for file in files {
        let _ = writeln!(text, "wrote {}", short(root, file));
    }
    let _ = write!(text, "\nNext:\n{}\n", next_steps(proposal));
    Answer::plain(Exit::Done, "written", "done", text, document(root, files, proposal))
}

fn next_steps(proposal: &Proposal) -> String {
    let mut steps = vec![
        "look at both files; comments in them say what else there is".to_owned(),
        "`tagship validate && tagship gate` judges what is here now".to_owned(),
    ];
    if proposal.server.is_some() {
        steps.push(format!(
            "add the secret {} to the repository: the token of the model server",
            config::TOKEN
        ));
        steps.push("`tagship status` shows what serves where".to_owned());
    } else {
        steps.push("add `environments` to tagship.yml once something serves the model".to_owned());
    }
    steps.push("commit both files and open a pull request: its comment tells the rest".to_owned());
    let lines = steps.iter().zip(1..).map(|(step, number)| format!("  {number}. {step}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn document(root: &Path, files: &[Planned], proposal: &Proposal) -> String {
    let models: Vec<_> = proposal
        .models
        .iter()
        .map(|model| json!({ "model": model.name, "artifact": model.artifact, "format": model.format.as_str() }))
        .collect();
    let files: Vec<_> =
        files.iter().map(|file| json!({ "path": short(root, file), "content": file.content })).collect();
    json!({ "models": models, "files": files, "notes": proposal.notes }).to_string()
}

fn short(root: &Path, file: &Planned) -> String {
    file.path.strip_prefix(root).unwrap_or(&file.path).to_string_lossy().replace('\\', "/")
}
