//! Runs whose jobs wait for the reviewers of an environment.

use async_trait::async_trait;
use serde::Deserialize;
use tagship_domain::{CommitId, Environment, approval::PendingApproval};
use tagship_ports::{Approvals, PortError};

use crate::{GitHub, call::Call};

/// How many of the newest waiting runs are asked what they wait for.
const RUNS: usize = 10;
const NEEDS: &str = "actions: read";

#[derive(Debug, Deserialize)]
struct Runs {
    workflow_runs: Vec<Run>,
}

#[derive(Debug, Deserialize)]
struct Run {
    id: u64,
}

#[derive(Debug, Deserialize)]
struct Pending {
    environment: Named,
    #[serde(default)]
    reviewers: Vec<Asked>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

/// A person or a team.
#[derive(Debug, Deserialize)]
struct Asked {
    reviewer: Reviewer,
}

#[derive(Debug, Deserialize)]
struct Reviewer {
    #[serde(default)]
    login: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

impl Asked {
    fn name(self) -> Option<String> {
        let Reviewer { login, name } = self.reviewer;
        login.or_else(|| name.map(|team| format!("team {team}")))
    }
}

#[async_trait]
impl Approvals for GitHub {
    async fn pending(&self, commit: Option<&CommitId>) -> Result<Vec<PendingApproval>, PortError> {
        let about = "read which deployments wait for approval";
        let call = Call::get(about, self.client.repo(&["actions", "runs"])).query("status", "waiting");
        let call = call.query("per_page", &RUNS.to_string()).needs(NEEDS);
        let call = match commit {
            Some(commit) => call.query("head_sha", commit.as_str()),
            None => call,
        };
        let waiting: Runs = self.client.fetch(&call).await?;
        let mut runs: Vec<u64> = waiting.workflow_runs.into_iter().map(|run| run.id).collect();
        // A run counts as waiting only once nothing else of it runs, which the one that asks still does.
        if let Some(own) = self.own_run().filter(|own| commit.is_some() && !runs.contains(own)) {
            runs.insert(0, own);
        }
        let mut pending = vec![];
        for run in runs {
            let path = self.client.repo(&["actions", "runs", &run.to_string(), "pending_deployments"]);
            let found: Option<Vec<Pending>> = self.client.find(&Call::get(about, path).needs(NEEDS)).await?;
            for Pending { environment, reviewers } in found.unwrap_or_default() {
                // What is called otherwise is no environment of ours.
                let Ok(environment) = Environment::new(environment.name) else { continue };
                let reviewers = reviewers.into_iter().filter_map(Asked::name).collect();
                pending.push(PendingApproval { environment, run: self.run_page(run), reviewers });
            }
        }
        Ok(pending)
    }
}

impl GitHub {
    /// The run that this program is part of.
    fn own_run(&self) -> Option<u64> {
        let (_, id) = self.client.settings.run_url.as_deref()?.rsplit_once("/runs/")?;
        id.parse().ok()
    }

    fn run_page(&self, run: u64) -> String {
        let settings = &self.client.settings;
        format!("{}/{}/actions/runs/{run}", settings.server_url.trim_end_matches('/'), settings.repository)
    }
}
