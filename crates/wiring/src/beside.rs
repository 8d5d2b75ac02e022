//! Another program of the suite, which lies beside this one and does its work in its place.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use tagship_domain::Exit;
use tagship_runner::Failure;

/// Where a program of the suite lies: in the directory of this one.
///
/// # Errors
/// When this program's own file cannot be found, or there is no such program beside it.
pub(crate) fn program(name: &str) -> Result<PathBuf, Failure> {
    let absent = |message| Failure::new(Exit::Incomplete, "no-program", message);
    let own =
        std::env::current_exe().map_err(|error| absent(format!("find the file of this program: {error}")))?;
    beside(&own, name).ok_or_else(|| {
        absent(format!("there is no `{name}` beside {}", own.display()))
            .hint("all programs come in one archive; put this one beside the other")
    })
}

fn beside(own: &Path, name: &str) -> Option<PathBuf> {
    let file = own.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    file.is_file().then_some(file)
}

/// Becomes a program.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn become_it(
    program: &Path,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<ExitCode, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Incomplete, "no-program", format!("start {}: {error}", program.display()))
    };
    let mut command = Command::new(program);
    command.args(arguments);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_looked_for_beside_this_one_and_nowhere_else() {
        let directory = tempfile::tempdir().unwrap();
        let own = directory.path().join("tagship");
        assert_eq!(beside(&own, "tagship-serve"), None);
        let server = directory.path().join(format!("tagship-serve{}", std::env::consts::EXE_SUFFIX));
        std::fs::write(&server, "").unwrap();
        assert_eq!(beside(&own, "tagship-serve"), Some(server));
        let failure = program("tagship-nothing").unwrap_err();
        assert!(failure.to_string().contains("there is no `tagship-nothing` beside"), "{failure}");
    }
}
