//! Fuzzing of what reads model files: cargo-fuzz on the targets of `crates/artifact/fuzz`, with limits on time and memory.
//!
//! Nothing is installed here. Seeds are what the unit tests judge, written by a run of them; what a run finds new is kept
//! for the next one.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail, ensure};

use crate::{process, workspace::Workspace};

/// The one version that is used.
const VERSION: &str = "0.13.2";
/// The package of the targets, and the crate that it fuzzes.
const PACKAGE: &str = "crates/artifact/fuzz";
/// Its manifest, for whoever only builds it.
pub(crate) const MANIFEST: &str = "crates/artifact/fuzz/Cargo.toml";
const CRATE: &str = "crates/artifact";
/// Seconds that each target runs.
const SECONDS: u32 = 60;
/// What a target may use for one input: memory in megabytes, time in seconds; and how long inputs are.
const LIMITS: [&str; 3] = ["-rss_limit_mb=256", "-timeout=10", "-max_len=4096"];
/// Lines of a failed run that are shown.
const SHOWN: usize = 60;

/// Runs the named targets, or all.
///
/// # Errors
/// When there is no cargo-fuzz, or something was found.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let (names, seconds) = parse(arguments)?;
    let fuzzer = Fuzzer { workspace };
    fuzzer.demand()?;
    fuzzer.fuzz(&names, seconds)
}

fn parse<'a>(arguments: &[&'a str]) -> Result<(Vec<&'a str>, u32)> {
    let (mut names, mut seconds) = (Vec::new(), SECONDS);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match *word {
            "--seconds" => {
                let told = words.next().context("--seconds wants a number")?;
                seconds = told.parse().with_context(|| format!("{told:?} is no number of seconds"))?;
            }
            option if option.starts_with('-') => bail!("{option:?} is no option; there is --seconds N"),
            name => names.push(name),
        }
    }
    Ok((names, seconds))
}

/// cargo-fuzz in this repository.
struct Fuzzer<'a> {
    workspace: &'a Workspace,
}

impl Fuzzer<'_> {
    /// cargo-fuzz's own command; the toolchain is the stable one, so there are no sanitizers.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.workspace.command("cargo");
        command.current_dir(self.workspace.path(CRATE)).arg("fuzz").args(words);
        command
    }

    fn demand(&self) -> Result<()> {
        let hint = format!("run `cargo install cargo-fuzz --version {VERSION} --locked`");
        let told = process::output(self.command(&["--version"]));
        let told = told.with_context(|| format!("there is no cargo-fuzz; {hint}"))?;
        let version = told.split_whitespace().last().unwrap_or("");
        ensure!(
            version == VERSION,
            "this is cargo-fuzz {version}, and targets are run with {VERSION}; {hint}"
        );
        Ok(())
    }

    /// Builds the targets, and runs the named ones, or all, one after the other.
    fn fuzz(&self, names: &[&str], seconds: u32) -> Result<()> {
        let known = self.targets()?;
        if let Some(unknown) = names.iter().find(|name| !known.iter().any(|one| one == *name)) {
            bail!("{unknown:?} is no target; there is {}", known.join(", "));
        }
        let seeds = self.seeds()?;
        process::run(self.command(&["build", "--sanitizer", "none"]))?;
        let mut found = Vec::new();
        for target in known.iter().filter(|name| names.is_empty() || names.contains(&name.as_str())) {
            if !self.fuzz_one(target, &seeds, seconds)? {
                found.push(target.as_str());
            }
        }
        if found.is_empty() {
            return Ok(());
        }
        bail!(
            "{} failed. Repeat one with `cargo fuzz run --sanitizer none TARGET FILE` in {CRATE}; when it is mended, the file \
             belongs to {PACKAGE}/replays/TARGET, with one line beside it that says why",
            found.join(", ")
        )
    }

    /// Every target by name.
    fn targets(&self) -> Result<Vec<String>> {
        let folder = self.workspace.path(PACKAGE).join("fuzz_targets");
        let entries = fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
        names.sort();
        Ok(names)
    }

    /// Has the unit tests write what they judge; the folder with a folder for each target in it.
    fn seeds(&self) -> Result<PathBuf> {
        let folder = self.workspace.path("target/fuzz/seeds");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
        }
        let mut tests = self.workspace.cargo(&["test", "--locked", "--package", "tagship-artifact", "--lib"]);
        tests.args(["--quiet"]).env("TAGSHIP_FUZZ_SEEDS", &folder);
        process::tests(tests)?;
        Ok(folder)
    }

    /// Runs a target; whether it found nothing.
    fn fuzz_one(&self, target: &str, seeds: &std::path::Path, seconds: u32) -> Result<bool> {
        let package = self.workspace.path(PACKAGE);
        let corpus = package.join("corpus").join(target);
        fs::create_dir_all(&corpus).with_context(|| format!("create {}", corpus.display()))?;
        let more = [seeds.join(target), package.join("replays").join(target)];
        let mut command = self.command(&["run", "--sanitizer", "none", target]);
        command.arg(corpus).args(more.iter().filter(|folder| folder.is_dir())).arg("--").args(LIMITS);
        command.args([&format!("-max_total_time={seconds}"), "-print_final_stats=1"]);
        if let Some(dictionary) = self.dictionary(target)? {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        let done = command.output().with_context(|| format!("start {}", process::shown(&command)))?;
        let log = String::from_utf8_lossy(&done.stderr);
        println!("{target:<18} {}", if done.status.success() { summary(&log) } else { "FAILED".to_owned() });
        if !done.status.success() {
            let lines: Vec<&str> = log.lines().collect();
            println!("{}", lines[lines.len().saturating_sub(SHOWN)..].join("\n"));
        }
        Ok(done.status.success())
    }

    /// The dictionary whose first line names a target.
    fn dictionary(&self, target: &str) -> Result<Option<PathBuf>> {
        let folder = self.workspace.path(PACKAGE).join("dictionaries");
        let entries = fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
            let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            let targets = text.lines().next().and_then(|line| line.strip_prefix("# Targets: ")).unwrap_or("");
            if targets.split_whitespace().any(|name| name == target) {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }
}

/// What libFuzzer says at the end: inputs, code that they reach, and most memory.
fn summary(log: &str) -> String {
    let stat = |name: &str| {
        let line = log.lines().find_map(|line| line.strip_prefix(name));
        line.map_or("?", |line| line.trim_start_matches(':').trim()).to_owned()
    };
    let reached = log.lines().rev().find_map(|line| line.split("cov: ").nth(1));
    let reached = reached.and_then(|rest| rest.split_whitespace().next()).unwrap_or("?");
    let (inputs, memory) = (stat("stat::number_of_executed_units"), stat("stat::peak_rss_mb"));
    format!("{inputs:>9} inputs reach {reached:>5} edges in at most {memory} MB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_run_is_told_in_a_line() {
        let log = "#9\tDONE   cov: 5236 ft: 10363 corp: 1966/293Kb\nstat::number_of_executed_units: 300316\n\
                   stat::peak_rss_mb:              41\n";
        assert_eq!(summary(log), "   300316 inputs reach  5236 edges in at most 41 MB");
    }

    #[test]
    fn targets_and_seconds_are_told_apart() {
        assert_eq!(parse(&["zip", "--seconds", "5", "tar"]).unwrap(), (vec!["zip", "tar"], 5));
        assert!(parse(&["--seconds", "soon"]).is_err() && parse(&["--jobs"]).is_err());
    }
}
