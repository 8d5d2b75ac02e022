//! `tagship registry`.

mod gc;
mod read;
mod write;

use std::path::Path;

use tagship_adapters::{SystemClock, stores};
use tagship_git::GitRepo;
use tagship_ports::Clock as _;
use tagship_runner::{
    Context, Failure, Screen,
    args::{RegistryArgs, RegistryQuestion, RegistryVerb},
};

use crate::{answer::Answer, failure::failed, project::registry_options, verbs::chain, workspace::Workspace};

/// Reads or changes the registry of the repository around the working directory; only explaining a version and removing files
/// need a configuration.
pub(crate) async fn run(args: &RegistryArgs, context: &Context) -> Result<Answer, Failure> {
    let repo = GitRepo::discover(Path::new(".")).map_err(failed)?;
    let options = registry_options(repo.root())?;
    let question = match &args.verb {
        RegistryVerb::Write(change) => return write::run(change, &repo, &options, context).await,
        RegistryVerb::Read(question) => question,
        RegistryVerb::Gc(args) => {
            return gc::run(args, &Workspace::open(&args.common, context.clone(), stores::open)?).await;
        }
    };
    let style = crate::style(&Screen::of(context, false));
    let registry = tagship_release::read_registry(&repo, options).await.map_err(failed)?;
    match question {
        RegistryQuestion::Show { name: None, .. } => read::show_all(&registry, &style),
        RegistryQuestion::Show { name: Some(name), .. } => read::show(&registry, &repo, name, &style).await,
        RegistryQuestion::History { name, .. } => read::history(&registry, name.as_deref(), &style),
        RegistryQuestion::Check { tag, .. } => read::check(&registry, tag, &style),
        RegistryQuestion::Explain(args) => {
            chain::explain(args, &Workspace::open(&args.common, context.clone())?).await
        }
        RegistryQuestion::Doctor { .. } => Ok(read::doctor(&registry, SystemClock.now())),
    }
}
