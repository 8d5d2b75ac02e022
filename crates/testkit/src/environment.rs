//! The environment of every process that a test starts: nothing of the caller's but the search path, and the people
//! and settings that git needs.

use std::process::Command;

use tempfile::TempDir;

/// Variables that say where the system keeps its own things.
const KEPT: [&str; 5] = ["PATH", "TMPDIR", "SystemRoot", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE"];

/// Clears a command's environment. `home` stands for the person's home directory, so that no settings of theirs count.
pub(crate) fn scrub(command: &mut Command, home: &TempDir) {
    command.env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("HOME", home.path()).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Ada").env(format!("GIT_{who}_EMAIL"), "ada@example.com");
    }
}

/// An empty home directory.
pub(crate) fn home() -> TempDir {
    tempfile::tempdir().expect("a temporary directory can be made")
}
