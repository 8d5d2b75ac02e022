//! What a journey happens on: a repository with its origin, a GitHub behind the validating proxy, a model server, and
//! act to run the repository's workflows.

use std::{cell::Cell, collections::BTreeMap, fmt::Write as _, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use tagship_testkit::{
    Prism, Repository, fixtures,
    github::{FakeGitHub, Received},
};
use tempfile::TempDir;

use super::{
    Tools,
    payload::Event,
    play::{Play, Played},
    server::{ModelServer, TOKEN},
};

/// Where the host has the repository.
const REMOTE: &str = "https://github.com/acme/shop";

/// The foreign actions of the examples, as they pin them: what act lacks a part of, or only GitHub can do.
const FOREIGN: [&str; 3] = [
    "checkout@3d3c42e5aac5ba805825da76410c181273ba90b1",
    "upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a",
    "download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c",
];
/// The journal of the one environment.
const JOURNAL: &str = "refs/tagship/rollouts/production/churn";

/// Which models and environments a repository has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) models: &'static [&'static str],
    pub(super) environments: &'static [&'static str],
}

impl Shape {
    /// One model in one environment.
    pub(super) const SMALL: Self = Self { models: &["churn"], environments: &["production"] };
}

/// One repository at one GitHub.
pub(super) struct Stage<'a> {
    pub(super) tools: &'a Tools,
    pub(super) github: FakeGitHub,
    pub(super) origin: Repository,
    /// Where people work.
    pub(super) work: Repository,
    shape: Shape,
    /// What each environment's target is.
    servers: Vec<ModelServer>,
    proxy: Prism,
    /// The home directory of every job, and act's cache.
    home: TempDir,
    runs: Cell<u32>,
}

impl<'a> Stage<'a> {
    /// A repository whose workflows are copies of examples, with a server for each environment and no model yet.
    pub(super) fn set(tools: &'a Tools, examples: &[&str], shape: Shape) -> Result<Self> {
        let origin = Repository::bare();
        let work = Repository::clone_of(&origin);
        let home = tempfile::tempdir()?;
        let bare = origin.path().display();
        let settings = format!("[url \"file://{bare}/\"]\n\tinsteadOf = {REMOTE}\n[safe]\n\tdirectory = *\n");
        fs::write(home.path().join(".gitconfig"), settings)?;
        let github = FakeGitHub::start();
        github.world(|world| {
            world.access.insert("ada".to_owned(), "write".to_owned());
        });
        github.follow(&origin);
        let proxy = Prism::start(&tools.proxy.program, &tools.proxy.description, &github);
        let serve = tools.binaries.join("tagship-serve");
        let servers = shape.environments.iter().map(|_| ModelServer::start(&serve));
        let servers = servers.collect::<Result<Vec<_>>>()?;
        let runs = Cell::new(0);
        let stage = Self { tools, github, origin, work, shape, servers, proxy, home, runs };
        for example in examples {
            stage.add_workflow(example, &tools.workspace_file(&format!(".github/examples/{example}.yml"))?);
        }
        stage.work.write(".gitignore", "/.tagship/\n");
        stage.configure("");
        Ok(stage)
    }

    /// Writes a workflow, without what act does not know.
    pub(super) fn add_workflow(&self, name: &str, text: &str) {
        // Nothing runs beside anything else here, so that there is no queue.
        let known = text.lines().filter(|line| !line.trim_start().starts_with("queue:"));
        let text = known.collect::<Vec<_>>().join("\n");
        let text = text.replace("/opt/tagship/bin", &self.tools.binaries.display().to_string());
        self.work.write(&format!(".github/workflows/{name}.yml"), text);
    }

    /// Writes a configuration with these settings below every environment.
    pub(super) fn configure(&self, settings: &str) {
        let mut text = "version: 1\nmodels:\n".to_owned();
        for model in self.shape.models {
            let _ = write!(
                text,
                r#"  {model}:
    artifact: models/{model}/model.onnx
    reports: {{ junit: ["reports/*.xml"], metrics: reports/metrics.json, predictions: reports/predictions.csv }}
    validate: {{ formats: [onnx], golden: {{ cases: models/{model}/golden.json, tolerance: 1e-4 }} }}
    gate:
      rules: [ {{ name: accuracy floor, expr: metrics.accuracy >= 0.90 }} ]
    environments:
"#
            );
            for (environment, server) in self.shape.environments.iter().zip(&self.servers) {
                let ModelServer { inference, admin, .. } = server;
                let _ = write!(
                    text,
                    r#"      {environment}:
        target: {{ local: {{ url: "http://{inference}", admin-url: "http://{admin}", token-env: TAGSHIP_SERVE_TOKEN }} }}
"#
                );
                for line in settings.lines() {
                    let _ = writeln!(text, "        {line}");
                }
            }
        }
        self.work.write("tagship.yml", text);
    }

    /// The target of the last environment.
    pub(super) fn server(&self) -> &ModelServer {
        &self.servers[self.servers.len() - 1]
    }

    /// Puts a variant of the fixture model, as every model, with its reports into the working tree.
    pub(super) fn put(&self, variant: &str) {
        for model in self.shape.models {
            self.put_model(model, variant);
        }
        for (to, from) in [
            ("reports/metrics.json", "metrics.json"),
            ("reports/predictions.csv", "predictions.csv"),
            ("reports/junit.xml", "reports/junit.xml"),
        ] {
            self.work.write(to, fixtures::bytes(&format!("models/churn/{variant}/{from}")));
        }
    }

    /// Puts a variant of the fixture model, as this model, into the working tree.
    pub(super) fn put_model(&self, model: &str, variant: &str) {
        for file in ["model.onnx", "golden.json"] {
            let bytes = fixtures::bytes(&format!("models/churn/{variant}/{file}"));
            self.work.write(&format!("models/{model}/{file}"), bytes);
        }
    }

    /// Commits the working tree to main, as a push without a pull request does; answers the commit.
    pub(super) fn push(&self, message: &str) -> String {
        let commit = self.work.commit(message);
        self.work.git(&["push", "--quiet", "origin", "HEAD:main"]);
        commit
    }

    /// Commits the working tree to a branch and opens a pull request; answers its head.
    pub(super) fn propose(&self, number: u64, message: &str, from_fork: bool) -> String {
        self.work.git(&["checkout", "--quiet", "-b", &format!("change-{number}")]);
        let head = self.work.commit(message);
        self.work.git(&["push", "--quiet", "origin", "HEAD"]);
        self.work.git(&["checkout", "--quiet", "main"]);
        self.github.world(|world| {
            world.add_pull(number, &head, from_fork);
        });
        head
    }

    /// Merges a pull request and answers the merge.
    pub(super) fn merge(&self, number: u64) -> String {
        let branch = format!("change-{number}");
        self.work.git(&["merge", "--quiet", "--no-ff", "--message", &format!("Merge #{number}"), &branch]);
        self.work.git(&["push", "--quiet", "origin", "HEAD:main"]);
        let merge = self.work.git(&["rev-parse", "HEAD"]);
        self.github.world(|world| {
            world.pulls_of.entry(merge.clone()).or_default().push(number);
            if let Some(pull) = world.pulls.get_mut(&number) {
                pull["merged"] = true.into();
                pull["state"] = "closed".into();
                pull["merge_commit_sha"] = merge.clone().into();
            }
        });
        merge
    }

    /// Runs a workflow about an event to its end.
    pub(super) fn run(&self, workflow: &str, event: &Event) -> Result<Played> {
        let (play, _checkout) = self.start(workflow, event)?;
        let mut played = play.wait()?;
        for violation in self.proxy.violations() {
            played.log += &violation;
            played.log.push('\n');
        }
        Ok(played)
    }

    /// Starts a workflow about an event, in a fresh clone that is gone with the second answer.
    pub(super) fn start(&self, workflow: &str, event: &Event) -> Result<(Play, Repository)> {
        let checkout = Repository::clone_of(&self.origin);
        if checkout.git(&["rev-parse", "HEAD"]) != event.commit {
            checkout.git(&["checkout", "--quiet", "--detach", &event.commit]);
        }
        checkout.git(&["remote", "set-url", "origin", REMOTE]);
        let file = format!(".github/workflows/{workflow}.yml");
        let number = self.runs.replace(self.runs.get() + 1) + 1;
        let payload = self.home.path().join(format!("event-{number}.json"));
        fs::write(&payload, event.payload.to_string())?;

        let mut act = Command::new(&self.tools.act);
        act.current_dir(checkout.path()).env_clear();
        act.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.home.path());
        act.env("XDG_CACHE_HOME", self.home.path().join("cache"));
        act.args([event.name, "--json", "--no-cache-server", "--actor", "ada", "--eventpath"]).arg(&payload);
        act.args(["--platform", "ubuntu-latest=-self-hosted"]);
        act.args(["--platform", "self-hosted=-self-hosted", "--workflows"]);
        act.arg(&file);
        if fs::read_to_string(checkout.path().join(&file))?.contains("runs-on: ${{ matrix.os }}") {
            // There is one system here, and act mixes up systems that it starts at the same time.
            act.args(["--matrix", "os:ubuntu-latest"]);
        }
        act.arg("--local-repository").arg(format!("tagship/tagship@v1={}", self.tools.actions.display()));
        for foreign in FOREIGN {
            let name = foreign.split('@').next().unwrap_or_default();
            let stand_in = self.tools.workspace.path("tests/e2e/actions").join(name);
            act.arg("--local-repository").arg(format!("actions/{foreign}={}", stand_in.display()));
        }
        act.arg("--secret").arg(format!("GITHUB_TOKEN={}", self.github.token()));
        for name in ["TAGSHIP_SERVE_TOKEN", "STAGING_SERVE_TOKEN", "PRODUCTION_SERVE_TOKEN"] {
            act.arg("--secret").arg(format!("{name}={TOKEN}"));
        }
        for (name, value) in [
            ("HOME", self.home.path().display().to_string()),
            ("TAGSHIP_BINARY_DIR", self.tools.binaries.display().to_string()),
            ("GITHUB_API_URL", self.proxy.api_url()),
            ("GITHUB_GRAPHQL_URL", self.proxy.graphql_url()),
            ("GITHUB_RUN_ID", (1000 + number).to_string()),
            ("NO_COLOR", "1".to_owned()),
            ("GIT_PAGER", "cat".to_owned()),
        ] {
            act.arg("--env").arg(format!("{name}={value}"));
        }
        Ok((Play::start(act)?, checkout))
    }

    /// The phase that the origin's journal of a place tells; absent where none began.
    pub(super) fn phase_of(&self, environment: &str, model: &str) -> Option<String> {
        let journal = format!("refs/tagship/rollouts/{environment}/{model}");
        if !self.origin.references().contains(&journal) {
            return None;
        }
        let state = self.origin.git(&["show", &format!("{journal}:rollout.json")]);
        let state: serde_json::Value = serde_json::from_str(&state).ok()?;
        state["phase"].as_str().map(str::to_owned)
    }

    /// The phase of the one model in production.
    pub(super) fn phase(&self) -> Option<String> {
        self.phase_of("production", "churn")
    }

    /// Names of the origin's tags, sorted.
    pub(super) fn tags(&self) -> Vec<String> {
        let names = self.origin.references();
        names.iter().filter_map(|name| name.strip_prefix("refs/tags/")).map(str::to_owned).collect()
    }

    /// Requests that count against the hourly limit.
    pub(super) fn counted_requests(&self) -> usize {
        self.github.received().iter().filter(|request| counts(request)).count()
    }

    /// The same, with method and path: how often each was sent.
    pub(super) fn requests_by_kind(&self) -> String {
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        for request in self.github.received().iter().filter(|request| counts(request)) {
            let path = request.target.split('?').next().unwrap_or_default();
            let path = path
                .split('/')
                .map(|part| if part.parse::<u64>().is_ok() || part.len() == 40 { "*" } else { part });
            let path = path.collect::<Vec<_>>().join("/");
            *kinds.entry(format!("{} {path} {}", request.method, request.status)).or_default() += 1;
        }
        kinds.iter().map(|(kind, count)| format!("  {count} x {kind}")).collect::<Vec<_>>().join("\n")
    }

    /// How many looks at live traffic the newest rollout of the production environment took.
    pub(super) fn looks(&self) -> usize {
        let entries = self.origin.git(&["log", "--format=%H", JOURNAL]);
        let looks =
            |entry: &str| self.origin.git(&["show", &format!("{entry}:measurements.jsonl")]).lines().count();
        entries.lines().map(looks).sum()
    }

    /// State of every deployment's newest status, the oldest deployment first.
    pub(super) fn deployment_states(&self) -> Vec<String> {
        self.github.world(|world| world.deployment_states().into_iter().map(str::to_owned).collect())
    }

    /// The text of the one status comment of a pull request.
    pub(super) fn only_comment(&self, number: u64) -> Result<String> {
        let statuses = self.comments_of_ours(number, "status");
        ensure!(statuses.len() == 1, "#{number} has {} status comments, not one", statuses.len());
        Ok(statuses[0].clone())
    }

    /// Texts of our comments on a pull request whose topic begins like this.
    pub(super) fn comments_of_ours(&self, number: u64, topic: &str) -> Vec<String> {
        let marker = format!("<!-- tagship:{topic}");
        self.github.world(|world| {
            let ours = world.comments.iter().filter(|(issue, comment)| {
                *issue == number && comment["user"]["login"] == world.login.as_str()
            });
            let bodies = ours.filter_map(|(_, comment)| comment["body"].as_str());
            bodies.filter(|body| body.contains(&marker)).map(str::to_owned).collect()
        })
    }

    /// What holds at the end of every journey: no request or answer was against the description, and no secret is
    /// anywhere that people see.
    pub(super) fn close(&self) -> Result<()> {
        let violations = self.proxy.violations();
        ensure!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
        let shown = self.github.world(|world| {
            format!(
                "{:?}{:?}{:?}{:?}",
                world.comments, world.releases, world.statuses, world.deployment_statuses
            )
        });
        for secret in [self.github.token(), TOKEN] {
            ensure!(!shown.contains(secret), "a secret is shown");
        }
        Ok(())
    }
}

/// Whether a request counts: what has not changed does not, nor does the storage that files really lie in.
fn counts(request: &Received) -> bool {
    request.status != 304 && !request.target.starts_with("/storage/")
}

impl Tools {
    fn workspace_file(&self, relative: &str) -> Result<String> {
        let path: PathBuf = self.workspace.path(relative);
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    }
}
