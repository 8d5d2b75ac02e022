//! `tagship registry`.

mod annotations;
mod doctor;
mod gc;
mod read;
mod write;

use std::path::Path;

use tagship_adapters::stores;
use tagship_git::GitRepo;
use tagship_registry::{Options, Registry};
use tagship_runner::{
    Context, Failure, Screen,
    args::{RegistryArgs, RegistryQuestion, RegistryVerb},
};

use self::{annotations::Annotations, doctor::Doctor};
use crate::{answer::Answer, failure::failed, project::gto_settings, verbs::chain, workspace::Workspace};

/// Reads or changes the registry of the repository around the working directory; only explaining a version and removing files
/// need a configuration.
pub(crate) async fn run(args: &RegistryArgs, context: &Context) -> Result<Answer, Failure> {
    let repo = GitRepo::discover(Path::new(".")).map_err(failed)?;
    let settings = gto_settings(repo.root())?;
    let options = Options { stages: settings.stages.clone(), types: settings.types.clone() };
    let annotations = Annotations::new(&repo, &settings);
    let question = match &args.verb {
        RegistryVerb::Write(change) => return write::run(change, &repo, &options, context).await,
        RegistryVerb::Read(question) => question,
        RegistryVerb::Gc(args) => {
            return gc::run(args, &Workspace::open(&args.common, context.clone(), stores::open)?).await;
        }
    };
    let style = crate::style(&Screen::of(context, false));
    let registry = async || -> Result<Registry, Failure> {
        let mut registry = tagship_release::read_registry(&repo, options.clone()).await.map_err(failed)?;
        annotations.describe(&mut registry).await?;
        Ok(registry)
    };
    match question {
        RegistryQuestion::Show { name: None, .. } => read::show_all(&registry().await?, &style),
        RegistryQuestion::Show { name: Some(name), .. } => {
            read::show(&registry().await?, &repo, &annotations, name, &style).await
        }
        RegistryQuestion::History { name, .. } => read::history(&registry().await?, name.as_deref(), &style),
        RegistryQuestion::Check { tag, .. } => read::check(&registry().await?, tag, &style),
        RegistryQuestion::Doctor { repair, yes, .. } => {
            let doctor = Doctor { repo: &repo, options: &options, annotations: &annotations, context };
            doctor.run(*repair, *yes).await
        }
        RegistryQuestion::Explain(args) => {
            chain::explain(args, &Workspace::open(&args.common, context.clone(), stores::open)?).await
        }
    }
}
