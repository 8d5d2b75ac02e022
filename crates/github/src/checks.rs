//! Checks of a commit, from both places where the host keeps them: check runs and commit statuses.

use std::collections::BTreeMap;

use serde::Deserialize;
use tagship_domain::CommitId;
use tagship_ports::{
    PortError,
    forge::{CheckState, CommitCheck},
};

use crate::{GitHub, call::Call};

#[derive(Debug, Deserialize)]
struct CheckRun {
    name: String,
    status: String,
    conclusion: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Status {
    context: String,
    state: String,
}

#[derive(Debug, Deserialize)]
struct PullRequest {
    number: u64,
}

impl GitHub {
    pub(crate) async fn checks_of(&self, commit: &CommitId) -> Result<Vec<CommitCheck>, PortError> {
        let about = format!("read the checks of commit {}", commit.short());
        let path = self.client.repo(&["commits", commit.as_str(), "check-runs"]);
        // Only the newest run of each check: an earlier one that was started again says nothing any more.
        let call = Call::get(&about, path).query("filter", "latest").needs("checks: read");
        let runs: Vec<CheckRun> = self.client.list(call, Some("check_runs")).await?;
        let path = self.client.repo(&["commits", commit.as_str(), "status"]);
        let call = Call::get(&about, path).needs("statuses: read");
        let statuses: Vec<Status> = self.client.list(call, Some("statuses")).await?;

        let mut worst: BTreeMap<String, CheckState> = BTreeMap::new();
        let runs = runs.into_iter().map(|run| (run_state(&run), run.name));
        let statuses = statuses.into_iter().map(|status| (status_state(&status.state), status.context));
        for (state, name) in runs.chain(statuses) {
            // Two workflows may have a check of one name: it is green when all of them are.
            let there = worst.entry(name).or_insert(state);
            if rank(state) > rank(*there) {
                *there = state;
            }
        }
        Ok(worst.into_iter().map(|(name, state)| CommitCheck { name, state }).collect())
    }

    pub(crate) async fn pull_requests_with(&self, commit: &CommitId) -> Result<Vec<u64>, PortError> {
        let about = format!("find the pull requests of commit {}", commit.short());
        let path = self.client.repo(&["commits", commit.as_str(), "pulls"]);
        let call = Call::get(about, path).needs("pull-requests: read");
        let found: Vec<PullRequest> = self.client.list(call, None).await?;
        let mut numbers: Vec<u64> = found.into_iter().map(|found| found.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }
}

fn rank(state: CheckState) -> u8 {
    match state {
        CheckState::Success => 0,
        CheckState::Pending => 1,
        CheckState::Failure => 2,
    }
}

fn run_state(run: &CheckRun) -> CheckState {
    match (run.status.as_str(), run.conclusion.as_deref()) {
        ("completed", Some("success" | "neutral" | "skipped")) => CheckState::Success,
        // Failed, cancelled, timed out, waits for a person, or a word that came later: not good.
        ("completed", _) => CheckState::Failure,
        _ => CheckState::Pending,
    }
}

fn status_state(state: &str) -> CheckState {
    match state {
        "success" => CheckState::Success,
        "pending" => CheckState::Pending,
        _ => CheckState::Failure,
    }
}
