//! Commit statuses and check runs.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use tagship_ports::{
    CommitMarks, PortError,
    commit_marks::{CheckReport, CommitStatus, MarkState},
};

use crate::{GitHub, call::Call, deployments::shortened, error::CallError};

/// Longest summary and text of a check run, in characters; the host takes 65,535.
const LONGEST: usize = 65_000;
const STATUS_NEEDS: &str = "statuses: write";
const CHECK_NEEDS: &str = "checks: write";

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    context: String,
    state: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    target_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct CheckRun {
    id: u64,
    #[serde(default)]
    external_id: Option<String>,
}

#[async_trait]
impl CommitMarks for GitHub {
    async fn status(&self, status: &CommitStatus) -> Result<(), PortError> {
        let about = format!("set status {} of commit {}", status.context, status.commit.short());
        let state = match status.state {
            MarkState::Queued | MarkState::Pending => "pending",
            MarkState::Success => "success",
            MarkState::Failure => "failure",
            MarkState::Error | MarkState::Cancelled => "error",
        };
        let description = shortened(&status.description);
        let find = || async {
            let path = self.client.repo(&["commits", status.commit.as_str(), "status"]);
            let call = Call::get(&about, path).needs("statuses: read");
            let all: Vec<Status> = self.client.list(call, Some("statuses")).await?;
            Ok::<_, CallError>(all.into_iter().find(|there| {
                there.context == status.context
                    && there.state == state
                    && there.description.as_deref() == Some(description.as_str())
                    && there.target_url == status.details
            }))
        };
        // Each one counts towards 1,000 per commit and context, and tells everyone who watches.
        if find().await?.is_some() {
            return Ok(());
        }
        let mut body = json!({ "state": state, "context": status.context, "description": description });
        if let Some(details) = &status.details {
            body["target_url"] = Value::from(details.as_str());
        }
        let path = self.client.repo(&["statuses", status.commit.as_str()]);
        let call = Call::create(&about, path, body).needs(STATUS_NEEDS);
        self.client.create(&call, find).await?;
        Ok(())
    }

    async fn check_report(&self, report: &CheckReport) -> Result<(), PortError> {
        let about = format!("set check {} of commit {}", report.name, report.commit.short());
        let find = || async {
            let path = self.client.repo(&["commits", report.commit.as_str(), "check-runs"]);
            let call = Call::get(&about, path).query("check_name", &report.name).query("filter", "all");
            let all: Vec<CheckRun> = self.client.list(call.needs("checks: read"), Some("check_runs")).await?;
            let mut own: Vec<CheckRun> =
                all.into_iter().filter(|run| run.external_id.as_deref() == Some(&report.key)).collect();
            own.sort_by_key(|run| run.id);
            Ok::<_, CallError>(own.into_iter().next())
        };
        let body = body(report);
        match find().await? {
            Some(run) => {
                let path = self.client.repo(&["check-runs", &run.id.to_string()]);
                self.client.send(&Call::update(&about, path, body).needs(CHECK_NEEDS)).await?;
            }
            None => {
                let mut body = body;
                body["head_sha"] = Value::from(report.commit.as_str());
                let call = Call::create(&about, self.client.repo(&["check-runs"]), body).needs(CHECK_NEEDS);
                self.client.create(&call, find).await?;
            }
        }
        Ok(())
    }
}

fn body(report: &CheckReport) -> Value {
    let mut output = json!({ "title": report.title, "summary": bounded(&report.summary) });
    if !report.text.is_empty() {
        output["text"] = Value::from(bounded(&report.text));
    }
    let mut body = json!({ "name": report.name, "external_id": report.key, "output": output });
    let conclusion = match report.state {
        MarkState::Queued | MarkState::Pending => None,
        MarkState::Success => Some("success"),
        MarkState::Failure | MarkState::Error => Some("failure"),
        MarkState::Cancelled => Some("cancelled"),
    };
    match conclusion {
        None if report.state == MarkState::Queued => body["status"] = Value::from("queued"),
        None => body["status"] = Value::from("in_progress"),
        Some(conclusion) => {
            body["status"] = Value::from("completed");
            body["conclusion"] = Value::from(conclusion);
        }
    }
    if let Some(details) = &report.details {
        body["details_url"] = Value::from(details.as_str());
    }
    body
}

fn bounded(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain("\n\n(cut)".chars()).collect()
}
