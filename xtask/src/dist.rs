//! `cargo xtask dist`: the programs as they are shipped, in one archive per target, and the line that vouches for it.
//!
//! `actions/_run/run.sh` downloads these archives by the same names.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{process, workspace::Workspace};

/// A way to build programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profile {
    /// The program that serves models, which has to outlive one that panics.
    Dist,
    /// Every other program.
    Small,
}

impl Profile {
    /// Its name in `Cargo.toml`, and of its directory.
    fn name(self) -> &'static str {
        match self {
            Self::Dist => "dist",
            Self::Small => "small",
        }
    }
}

/// A program that is shipped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// The most bytes that it may have.
    pub(crate) budget: u64,
    profile: Profile,
}

impl Program {
    const fn server(name: &'static str, budget: u64) -> Self {
        Self { name, budget, profile: Profile::Dist }
    }

    const fn small(name: &'static str, budget: u64) -> Self {
        Self { name, budget, profile: Profile::Small }
    }

    /// Where it lies once it is built for this machine.
    pub(crate) fn path(self, workspace: &Workspace) -> PathBuf {
        self.below(&workspace.path("target"))
    }

    fn below(self, built: &Path) -> PathBuf {
        built.join(self.profile.name()).join(format!("{}{}", self.name, std::env::consts::EXE_SUFFIX))
    }
}

/// Every program.
pub(crate) const PROGRAMS: [Program; 10] = [
    Program::small("tagship", 30_000_000),
    Program::server("tagship-serve", 30_000_000),
    Program::small("tagship-comment", 12_000_000),
    Program::small("tagship-decide", 6_000_000),
    Program::small("tagship-gate", 6_000_000),
    Program::small("tagship-monitor", 18_000_000),
    Program::small("tagship-release", 12_000_000),
    Program::small("tagship-rollback", 18_000_000),
    Program::small("tagship-rollout", 18_000_000),
    Program::small("tagship-validate", 6_000_000),
];

/// Where archives are put.
const DIRECTORY: &str = "target/dist";

/// What a linker leaves out of programs that a panic ends.
const WITHOUT_UNWINDING: &str = "xtask/src/dist/without_unwinding.ld";

/// What else lies in an archive.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// Builds every program for a target, this machine's where none is named, and writes the archive and its line for
/// `checksums.txt` to the profile's directory.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let (target, built) = match arguments {
        [] => (host(workspace)?, workspace.path("target")),
        [target] if !target.starts_with('-') => {
            ((*target).to_owned(), workspace.path(format!("target/{target}")))
        }
        other => bail!("unknown arguments {other:?}; it takes a target, e.g. x86_64-unknown-linux-gnu"),
    };
    build_for(workspace, &target, !arguments.is_empty())?;
    let directory = workspace.path(DIRECTORY);
    fs::create_dir_all(&directory)?;
    for program in PROGRAMS {
        let size =
            fs::metadata(program.below(&built)).with_context(|| format!("look at {}", program.name))?.len();
        let verdict = if size > program.budget { ", MORE than its budget" } else { "" };
        println!("{:<20} {size:>10} bytes of {}{verdict}", program.name, program.budget);
    }
    let name = format!("tagship-{}-{}.tar.gz", env!("CARGO_PKG_VERSION"), target);
    let archive = directory.join(&name);
    let mut tar = workspace.command("tar");
    tar.arg("-czf").arg(&archive);
    for program in PROGRAMS {
        let path = program.below(&built);
        tar.arg("-C").args([path.parent(), path.file_name().map(Path::new)].into_iter().flatten());
    }
    tar.arg("-C").arg(workspace.path("")).args(LICENCES);
    process::run(tar)?;
    let line = format!("{}  {name}\n", digest(workspace, &archive)?);
    let checksum = PathBuf::from(format!("{}.sha256", archive.display()));
    fs::write(&checksum, &line).with_context(|| format!("write {}", checksum.display()))?;
    print!("{line}");
    Ok(())
}

/// Builds every program as it is shipped, for this machine.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    build_for(workspace, &host(workspace)?, false)
}

/// Builds the program that has every verb as it is shipped, for this machine.
pub(crate) fn build_first(workspace: &Workspace) -> Result<()> {
    build_these(workspace, &host(workspace)?, false, &PROGRAMS[..1])
}

fn build_for(workspace: &Workspace, target: &str, named: bool) -> Result<()> {
    build_these(workspace, target, named, &PROGRAMS)
}

fn build_these(workspace: &Workspace, target: &str, named: bool, programs: &[Program]) -> Result<()> {
    for program in programs {
        let profile = program.profile.name();
        let mut build = workspace.cargo(&["rustc", "--locked", "--profile", profile, "--package", "tagship"]);
        build.args(["--bin", program.name]);
        if named {
            build.args(["--target", target]);
        }
        if target.contains("linux") {
            // What the loader adjusts takes a bit and not 24 bytes for each place; glibc knows that from 2.36 on, and what
            // is released brings its own.
            build.args(["--", "-C", "link-arg=-Wl,-z,pack-relative-relocs"]);
            if program.profile == Profile::Small {
                let script = workspace.path(WITHOUT_UNWINDING);
                build.arg("-C").arg(format!("link-arg=-Wl,-T,{}", script.display()));
                build.args(["-C", "link-arg=-Wl,--no-eh-frame-hdr"]);
            }
        }
        process::run(build)?;
    }
    Ok(())
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
            assert!(PROGRAMS.iter().any(|shipped| shipped.name == program), "{program}");
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
