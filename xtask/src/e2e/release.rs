//! The scripts of `release.yml`, against a GitHub behind the describing proxy: what they make, that running them again
//! changes nothing, and that other bytes under the same version are refused.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use tagship_testkit::{Prism, Repository, github::FakeGitHub};
use tempfile::TempDir;

use super::{Ending, Subject, github::Proxy};
use crate::{process, workspace::Workspace};

/// A repository about to be released.
struct Stage<'a> {
    workspace: &'a Workspace,
    github: FakeGitHub,
    proxy: Prism,
    origin: Repository,
    clone: Repository,
    home: TempDir,
}

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let stage = Stage::set(subject.workspace)?;
    stage.archive("tagship-one.tar.gz", "first")?;
    stage.archive("tagship-two.tar.gz", "second")?;

    let commit = stage.commit("1.2.3")?;
    ensure!(stage.commit("1.2.3")? == commit, "the same archives made another commit");
    let names = ["refs/heads/main", "refs/heads/releases/v1", "refs/tags/v1.2.3"];
    ensure!(stage.origin.references() == names, "the origin has {:?}", stage.origin.references());
    let shown = |path: &str| stage.origin.git(&["show", &format!("{commit}:{path}")]);
    ensure!(
        shown("actions/_run/version") == "1.2.3" && shown("readme") == "x",
        "the commit holds other files"
    );
    let checksums = stage.archives().join("checksums.txt");
    fs::write(&checksums, format!("{}\n", shown("actions/_run/checksums.txt")))?;
    let mut check = Command::new("sha256sum");
    check.args(["--check", "--strict", "--quiet", "checksums.txt"]).current_dir(stage.archives());
    process::output(check)?;

    stage.draft("v1.2.3")?;
    stage.draft("v1.2.3")?;
    stage.github.world(|world| {
        ensure!(world.releases.len() == 1, "{} releases were made", world.releases.len());
        let release = &world.releases[0];
        let assets = release["assets"].as_array().map_or(0, Vec::len);
        ensure!(
            assets == 3 && release["draft"] == true,
            "the draft has {assets} files: {}",
            release["draft"]
        );
        world.immutable_releases = true;
        Ok(())
    })?;
    stage.publish("1.2.3", &commit)?;
    stage.publish("1.2.3", &commit)?;
    stage.github.world(|world| {
        ensure!(world.releases[0]["draft"] == false, "it is not published");
        Ok(())
    })?;
    stage.tags_are(&[("v1", &commit), ("v1.2", &commit)])?;

    // Other bytes under a version that is out are refused; a prerelease moves no tag that users name.
    stage.archive("tagship-two.tar.gz", "other")?;
    ensure!(stage.commit("1.2.3").is_err(), "other archives under the same version were taken");
    ensure!(stage.draft("v1.2.3").is_err(), "another file under the same name was taken");
    fs::remove_file(&checksums)?;
    let candidate = stage.commit("1.3.0-rc.1")?;
    stage.draft("v1.3.0-rc.1")?;
    stage.publish("1.3.0-rc.1", &candidate)?;
    stage.tags_are(&[("v1", &commit), ("v1.2", &commit)])?;

    let next = stage.commit("1.3.0")?;
    stage.draft("v1.3.0")?;
    stage.publish("1.3.0", &next)?;
    stage.tags_are(&[("v1", &next), ("v1.2", &commit), ("v1.3", &next)])?;
    stage.origin.git(&["merge-base", "--is-ancestor", &commit, "releases/v1"]);
    let violations = stage.proxy.violations();
    ensure!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
    Ok(Ending::Passed)
}

impl<'a> Stage<'a> {
    fn set(workspace: &'a Workspace) -> Result<Self> {
        let proxy = Proxy::install(workspace)?;
        let (origin, github) = (Repository::bare(), FakeGitHub::start());
        let clone = Repository::clone_of(&origin);
        clone.write("readme", "x");
        clone.commit("Begin");
        clone.git(&["push", "--quiet", "origin", "HEAD:main"]);
        github.world(|world| {
            world.one_server = true;
            world.refs.clear();
        });
        github.follow(&origin);
        let proxy = Prism::start(&proxy.program, &proxy.description, &github.api_url());
        let home = tempfile::tempdir()?;
        fs::create_dir(home.path().join("archives"))?;
        Ok(Self { workspace, github, proxy, origin, clone, home })
    }

    /// Directory of the archives.
    fn archives(&self) -> PathBuf {
        self.home.path().join("archives")
    }

    fn archive(&self, name: &str, content: &str) -> Result<()> {
        let path = self.archives().join(name);
        fs::write(&path, content).with_context(|| format!("write {}", path.display()))
    }

    fn commit(&self, version: &str) -> Result<String> {
        let said = self.script("commit.sh", &[version, &self.archives().display().to_string()])?;
        Ok(said.trim_end().to_owned())
    }

    fn draft(&self, tag: &str) -> Result<()> {
        let mut files = vec![tag.to_owned()];
        for entry in fs::read_dir(self.archives())? {
            files.push(entry?.path().display().to_string());
        }
        self.script("draft.sh", &files.iter().map(String::as_str).collect::<Vec<_>>()).map(drop)
    }

    fn publish(&self, version: &str, commit: &str) -> Result<()> {
        self.script("publish.sh", &[version, commit]).map(drop)
    }

    fn script(&self, name: &str, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(self.workspace.path(".github/release").join(name));
        command.args(arguments).current_dir(self.clone.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.home.path());
        command.env("GITHUB_API_URL", self.proxy.url()).env("GITHUB_SERVER_URL", "https://github.com");
        command.env("GITHUB_REPOSITORY", self.github.repository()).env("GITHUB_TOKEN", self.github.token());
        process::output(command)
    }

    fn tags_are(&self, wanted: &[(&str, &str)]) -> Result<()> {
        for (tag, commit) in wanted {
            let found = self.origin.git(&["rev-parse", &format!("refs/tags/{tag}")]);
            ensure!(found == **commit, "{tag} is at {found}, not at {commit}");
        }
        Ok(())
    }
}
