//! Runs that meet: each waits at its first push of a tag until all of them stand there, so that they are sure to race.
#![cfg(unix)]

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Command,
    sync::mpsc,
    thread,
    time::Duration,
};

use tagship_testkit::Cli;
use tempfile::TempDir;

/// How long the last one is waited for, before the test is told that it did not come.
const PATIENCE: Duration = Duration::from_mins(4);

/// A `git` that says when it is about to push a tag, and goes on when it is told to.
const SCRIPT: &str = r#"#!/bin/sh
here="$(dirname "$0")"
PATH="$SEARCH"
case " $* " in
  *" push "*":refs/tags/"*)
    if [ ! -e "$here/open" ]; then
      echo > "$here/arrived"
      read -r _ < "$here/go"
    fi;;
esac
exec git "$@"
"#;

/// Where they meet.
pub(crate) struct Meeting {
    directory: TempDir,
}

impl Meeting {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let git = directory.path().join("git");
        fs::write(&git, SCRIPT).unwrap();
        fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
        for pipe in ["arrived", "go"] {
            let made = Command::new("mkfifo").arg(directory.path().join(pipe)).status();
            assert!(made.unwrap().success(), "a pipe can be made");
        }
        Self { directory }
    }

    /// A program that comes to the meeting.
    pub(crate) fn before(&self, cli: Cli) -> Cli {
        let search = std::env::var_os("PATH").unwrap();
        let mut path = self.directory.path().as_os_str().to_owned();
        path.push(":");
        path.push(&search);
        cli.env("PATH", &path).env("SEARCH", &search)
    }

    /// Waits until so many runs stand there, looks, and lets them go on.
    pub(crate) fn hold(&self, runs: usize, look: impl FnOnce()) {
        let (sender, receiver) = mpsc::channel();
        let mut arrived = self.pipe("arrived");
        thread::spawn(move || {
            let mut lines = vec![0; runs];
            let _ = sender.send(arrived.read_exact(&mut lines));
        });
        let all = receiver.recv_timeout(PATIENCE);
        assert!(matches!(all, Ok(Ok(()))), "every run comes to its push: {all:?}");
        look();
        fs::write(self.directory.path().join("open"), "").unwrap();
        // Its other end is kept open by whoever waits; each takes one line.
        let mut go = self.pipe("go");
        go.write_all("\n".repeat(runs).as_bytes()).unwrap();
        std::mem::forget(go);
    }

    /// Both ends of a pipe, so that opening it waits for nobody.
    fn pipe(&self, name: &str) -> File {
        let path: PathBuf = self.directory.path().join(name);
        OpenOptions::new().read(true).write(true).open(path).unwrap()
    }
}
