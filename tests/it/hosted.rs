//! A workbench whose repository is on GitHub: verbs run as steps of a workflow.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tagship_testkit::{Cli, Output, github::FakeGitHub};

use crate::workbench::Workbench;

/// The number of the pull request that the tests open.
pub(crate) const PULL: u64 = 7;

/// A repository on a host.
pub(crate) struct Hosted {
    pub(crate) bench: Workbench,
    pub(crate) github: FakeGitHub,
    runs: std::cell::Cell<usize>,
}

/// What a step left behind.
pub(crate) struct Step {
    pub(crate) done: Output,
    pub(crate) outputs: String,
    pub(crate) summary: String,
}

impl Hosted {
    /// The repository of a workbench with a running server, on a host.
    pub(crate) fn new() -> Self {
        Self::of(Workbench::with_server())
    }

    pub(crate) fn of(bench: Workbench) -> Self {
        let github = FakeGitHub::start();
        github.follow(&bench.origin);
        Self { bench, github, runs: std::cell::Cell::new(0) }
    }

    /// The commit that is checked out.
    pub(crate) fn head(&self) -> String {
        self.bench.clone.git(&["rev-parse", "HEAD"])
    }

    /// Opens a pull request for the checkout's commit.
    pub(crate) fn propose(&self, from_fork: bool) {
        let head = self.head();
        self.github.world(|world| world.add_pull(PULL, &head, from_fork));
    }

    /// A step of a new run about an event.
    pub(crate) fn step(&self, arguments: &[&str], event: &str, payload: &Value) -> Step {
        self.step_with(arguments, event, payload, |cli| cli)
    }

    /// The same, with something changed about the program before it starts.
    pub(crate) fn step_with(
        &self,
        arguments: &[&str],
        event: &str,
        payload: &Value,
        change: impl FnOnce(Cli) -> Cli,
    ) -> Step {
        let run = self.runs.get() + 1;
        self.runs.set(run);
        let directory = self.bench.clone.path().join(format!(".tagship/run-{run}"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("event.json"), payload.to_string()).unwrap();
        let cli = self.surround(self.bench.cli(arguments), run, event, &directory);
        let done = change(cli).run();
        let read = |file: &str| fs::read_to_string(directory.join(file)).unwrap_or_default();
        Step { done, outputs: read("output"), summary: read("summary") }
    }

    /// A program with the environment of a step of run number `run` about the event in `event.json` of a directory.
    pub(crate) fn surround(&self, cli: Cli, run: usize, event: &str, directory: &Path) -> Cli {
        let cli = [
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_API_URL", self.github.api_url()),
            ("GITHUB_SERVER_URL", self.github.server_url()),
            ("GITHUB_GRAPHQL_URL", self.github.graphql_url()),
            ("GITHUB_REPOSITORY", self.github.repository().to_owned()),
            ("GITHUB_ACTOR", "ada".to_owned()),
            ("GITHUB_RUN_ID", run.to_string()),
            ("GITHUB_SHA", self.head()),
            ("GITHUB_EVENT_NAME", event.to_owned()),
            ("TAGSHIP_GITHUB_TOKEN", self.github.token().to_owned()),
        ]
        .into_iter()
        .fold(cli, |cli, (name, value)| cli.env(name, value));
        [
            ("GITHUB_EVENT_PATH", "event.json"),
            ("GITHUB_OUTPUT", "output"),
            ("GITHUB_STEP_SUMMARY", "summary"),
            ("RUNNER_TEMP", "temp"),
        ]
        .into_iter()
        .fold(cli, |cli, (name, file)| cli.env(name, directory.join(file)))
    }

    /// `tagship run` about a push of the checkout to main.
    pub(crate) fn push(&self) -> Step {
        let payload = json!({ "ref": "refs/heads/main", "after": self.head(), "repository": { "default_branch": "main" } });
        self.step(&["run"], "push", &payload)
    }

    /// The payload of a pull request that was opened.
    pub(crate) fn opened(&self, from_fork: bool) -> Value {
        let home = self.github.repository();
        let head = if from_fork { "someone/shop" } else { home };
        json!({
            "action": "opened", "repository": { "default_branch": "main", "full_name": home },
            "pull_request": {
                "number": PULL, "merged": false,
                "head": { "sha": self.head(), "ref": "change", "repo": { "full_name": head } },
                "base": { "ref": "main", "repo": { "full_name": home } },
            },
        })
    }

    /// The status comment of the pull request.
    pub(crate) fn comment(&self) -> String {
        let bodies = self
            .github
            .world(|world| world.comment_bodies(PULL).into_iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(bodies.len(), 1, "one comment: {bodies:#?}");
        bodies[0].clone()
    }

    /// States of the commit statuses of a context, the oldest first.
    pub(crate) fn statuses(&self, context: &str) -> Vec<String> {
        self.github.world(|world| {
            let of_context = world.statuses.iter().filter(|(_, status)| status["context"] == context);
            of_context.map(|(_, status)| status["state"].as_str().unwrap_or_default().to_owned()).collect()
        })
    }
}

impl Step {
    /// The value of an output of one line.
    #[track_caller]
    pub(crate) fn output(&self, name: &str) -> &str {
        let mut lines = self.outputs.lines();
        let start = format!("{name}<<");
        assert!(lines.any(|line| line.starts_with(&start)), "no output {name}: {}", self.outputs);
        lines.next().unwrap_or_default()
    }
}
