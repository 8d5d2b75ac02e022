//! `cargo xtask dist`: the programs as they are shipped, in one archive per target, and the line that vouches for it.
//!
//! `actions/_run/run.sh` downloads these archives by the same names.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{process, workspace::Workspace};

/// Where the profile `dist` puts its programs.
pub(crate) const DIRECTORY: &str = "target/dist";

/// Every program, and the most bytes that it may have.
pub(crate) const PROGRAMS: [(&str, u64); 9] = [
    ("tagship", 30_000_000),
    ("tagship-serve", 30_000_000),
    ("tagship-comment", 12_000_000),
    ("tagship-decide", 6_000_000),
    ("tagship-gate", 6_000_000),
    ("tagship-release", 12_000_000),
    ("tagship-rollback", 12_000_000),
    ("tagship-rollout", 12_000_000),
    ("tagship-validate", 6_000_000),
];

/// What else lies in an archive.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// Builds every program for a target, this machine's where none is named, and writes the archive and its line for
/// `checksums.txt` to the profile's directory.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let (target, built) = match arguments {
        [] => (host(workspace)?, workspace.path(DIRECTORY)),
        [target] if !target.starts_with('-') => {
            ((*target).to_owned(), workspace.path(format!("target/{target}/dist")))
        }
        other => bail!("unknown arguments {other:?}; it takes a target, e.g. x86_64-unknown-linux-gnu"),
    };
    // A named target has flags of its own: what builds run on this machine is built without them.
    let named = arguments.first().map(|target| ["--target", target]);
    build(workspace, named.as_ref().map_or(&[], |named| &named[..]))?;
    let directory = workspace.path(DIRECTORY);
    fs::create_dir_all(&directory)?;
    let programs = PROGRAMS.map(|(name, budget)| (format!("{name}{}", std::env::consts::EXE_SUFFIX), budget));
    for (name, budget) in &programs {
        let size = fs::metadata(built.join(name)).with_context(|| format!("look at {name}"))?.len();
        let verdict = if size > *budget { ", MORE than its budget" } else { "" };
        println!("{name:<20} {size:>10} bytes of {budget}{verdict}");
    }
    let name = format!("tagship-{}-{}.tar.gz", env!("CARGO_PKG_VERSION"), target);
    let archive = directory.join(&name);
    let mut tar = workspace.command("tar");
    tar.arg("-czf").arg(&archive).arg("-C").arg(&built).args(programs.iter().map(|(name, _)| name));
    tar.arg("-C").arg(workspace.path("")).args(LICENCES);
    process::run(tar)?;
    let line = format!("{}  {name}\n", digest(workspace, &archive)?);
    let checksum = PathBuf::from(format!("{}.sha256", archive.display()));
    fs::write(&checksum, &line).with_context(|| format!("write {}", checksum.display()))?;
    print!("{line}");
    Ok(())
}

/// Builds every program in the profile `dist`.
pub(crate) fn build(workspace: &Workspace, more: &[&str]) -> Result<()> {
    let build = ["build", "--locked", "--profile", "dist", "--package", "tagship", "--bins"];
    process::run(workspace.cargo(&[&build[..], more].concat()))
}

/// The target that programs are built for where nothing else is said.
fn host(workspace: &Workspace) -> Result<String> {
    let mut rustc = workspace.command("rustc");
    rustc.arg("-vV");
    let told = process::output(rustc)?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("`rustc -vV` names no host")
}

/// The sha256 digest of a file, by the tools that run.sh uses too.
fn digest(workspace: &Workspace, path: &Path) -> Result<String> {
    let mut sha256sum = workspace.command("sha256sum");
    sha256sum.arg(path);
    let mut shasum = workspace.command("shasum");
    shasum.args(["-a", "256"]).arg(path);
    let told = process::output(sha256sum).or_else(|_missing| process::output(shasum))?;
    // sha256sum marks a line whose file name it had to escape, as that of a Windows path.
    let digest = told.split_whitespace().next().unwrap_or_default().trim_start_matches('\\').to_owned();
    ensure!(digest.len() == 64, "{told:?} is no sha256 digest");
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use tagship_runner::manifest::{ACTIONS, ROOT};

    use super::*;

    #[test]
    fn every_action_but_the_root_has_a_program_of_its_own() {
        for action in ACTIONS.iter().filter(|action| action.verb != ROOT) {
            let program = format!("tagship-{}", action.verb);
            assert!(PROGRAMS.iter().any(|(name, _)| *name == program), "{program}");
        }
    }

    #[test]
    fn a_digest_is_that_of_the_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("empty");
        fs::write(&file, "").unwrap();
        let digest = digest(&Workspace::this(), &file).unwrap();
        assert_eq!(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
