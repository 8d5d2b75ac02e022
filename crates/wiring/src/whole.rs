//! What a small program has the program `tagship` do, which lies beside it: verbs that need the store of a cloud provider.

use std::{
    path::Path,
    process::{Command, ExitCode},
};

use tagship_adapters::stores;
use tagship_domain::Exit;
use tagship_runner::{Context, Failure, args::Common};

use crate::project::Project;

/// Runs the same verb with the same arguments in the program that holds every store, where a chosen model needs one that
/// is not here. Answers nothing where that is not needed, or the program is not there; then the verb says what is wrong.
pub(crate) fn instead(verb: &str, common: &Common, context: &Context) -> Option<Result<ExitCode, Failure>> {
    let project = Project::open(common, context.clone()).ok()?;
    let stores = project.models().ok()?.into_iter().filter_map(|(_, model)| model.release.store.as_ref());
    if !stores.into_iter().any(|store| stores::is_heavy(&store.kind)) {
        return None;
    }
    let name = format!("tagship{}", std::env::consts::EXE_SUFFIX);
    let program = std::env::current_exe().ok()?.with_file_name(name);
    program.is_file().then(|| become_it(&program, verb))
}

fn become_it(program: &Path, verb: &str) -> Result<ExitCode, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Incomplete, "no-program", format!("start {}: {error}", program.display()))
    };
    let mut command = Command::new(program);
    command.arg(verb).args(std::env::args_os().skip(1));
    #[cfg(unix)]
    {
        // It takes this process over, so that who ends the step ends it.
        Err(failed(std::os::unix::process::CommandExt::exec(&mut command)))
    }
    #[cfg(not(unix))]
    {
        let status = command.status().map_err(failed)?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or_else(|| ExitCode::from(Exit::Incomplete.code()), ExitCode::from))
    }
}
