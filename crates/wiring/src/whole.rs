//! What a small program has the program `tagship` do, which lies beside it: verbs that need the store of
//! a cloud provider, or an artifact that has to be fetched.

use std::{env, ffi::OsString, process::ExitCode};

use tagship_adapters::stores;
use tagship_config::ModelConfig;
use tagship_runner::{Context, Failure, args::Common};

use crate::{beside, project::Project};

/// Runs the same verb with the same arguments in the program that holds every store, where a chosen model needs one that
/// is not here. Answers nothing where that is not needed, or the program is not there; then the verb says what is wrong.
pub(crate) fn instead(verb: &str, common: &Common, context: &Context) -> Option<Result<ExitCode, Failure>> {
    let is_heavy =
        |model: &ModelConfig| model.release.store.as_ref().is_some_and(|store| stores::is_heavy(&store.kind));
    where_needed(verb, common, context, is_heavy)
}

/// The same where a chosen model's artifact has to be fetched first.
pub(crate) fn fetching(verb: &str, common: &Common, context: &Context) -> Option<Result<ExitCode, Failure>> {
    where_needed(verb, common, context, |model| model.artifact.elsewhere().is_some())
}

fn where_needed(
    verb: &str,
    common: &Common,
    context: &Context,
    is_needed: impl Fn(&ModelConfig) -> bool,
) -> Option<Result<ExitCode, Failure>> {
    let project = Project::open(common, context.clone()).ok()?;
    if !project.models().ok()?.into_iter().any(|(_, model)| is_needed(model)) {
        return None;
    }
    let program = beside::program("tagship").ok()?;
    Some(beside::become_it(&program, [OsString::from(verb)].into_iter().chain(env::args_os().skip(1))))
}
