//! Alerts as issues: one open issue of ours per topic, found by its marker.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tagship_ports::{
    IssueTracker, PortError, Problem,
    issue_tracker::{Alert, AlertOutcome},
};

use crate::{
    GitHub,
    call::Call,
    comments::{Author, LONGEST},
    error::CallError,
    marker::{mark, unmark},
};

/// In front of the topic in a marker's kind.
const KIND: &str = "alert-";
const NEEDS: &str = "issues: write";

/// What an issue's marker says.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Issue {
    number: u64,
    title: String,
    #[serde(default)]
    body: Option<String>,
    user: Option<Author>,
    /// Present where the issue is a pull request.
    #[serde(default)]
    pull_request: Option<Value>,
}

#[async_trait]
impl IssueTracker for GitHub {
    async fn raise(&self, alert: &Alert) -> Result<AlertOutcome, PortError> {
        let about = format!("raise alert {}", alert.topic);
        let run = self.client.settings.run_url.clone();
        let text = mark(&kind(&alert.topic), &About { run }, &alert.body);
        if text.chars().count() > LONGEST {
            let message = format!("its text has more than {LONGEST} characters");
            return Err(PortError::new(Problem::Invalid, about, message));
        }
        let Some((issue, body)) = self.open_issue(&alert.topic, &about).await? else {
            let body = json!({ "title": alert.title, "body": text, "labels": alert.labels });
            let call = Call::create(&about, self.client.repo(&["issues"]), body).needs(NEEDS);
            let find = || async { Ok(self.open_issue(&alert.topic, &about).await?.map(|(issue, _)| issue)) };
            let made: Issue = self.client.create(&call, find).await?;
            // Of two runs that opened one at once, both keep the first and close the other.
            let kept = self.open_issue(&alert.topic, &about).await?;
            return Ok(AlertOutcome::Opened(kept.map_or(made.number, |(kept, _)| kept.number)));
        };
        if issue.title == alert.title && body.trim_end() == alert.body.replace("\r\n", "\n").trim_end() {
            return Ok(AlertOutcome::Unchanged(issue.number));
        }
        let path = self.client.repo(&["issues", &issue.number.to_string()]);
        let call = Call::update(&about, path, json!({ "title": alert.title, "body": text })).needs(NEEDS);
        self.client.send(&call).await?;
        Ok(AlertOutcome::Updated(issue.number))
    }

    async fn settle(&self, topic: &str) -> Result<Option<u64>, PortError> {
        let about = format!("close alert {topic}");
        let Some((issue, _)) = self.open_issue(topic, &about).await? else { return Ok(None) };
        self.close(issue.number, "completed", &about).await?;
        Ok(Some(issue.number))
    }
}

impl GitHub {
    /// The open issue of a topic and its text without the marker. Later doubles are closed.
    async fn open_issue(&self, topic: &str, about: &str) -> Result<Option<(Issue, String)>, CallError> {
        let login = self.login().await?;
        let call = Call::get(about, self.client.repo(&["issues"])).query("state", "open");
        let call = call.query("creator", login).needs(NEEDS);
        let issues: Vec<Issue> = self.client.list(call, None).await?;
        let mut own: Vec<(Issue, String)> = issues
            .into_iter()
            .filter(|issue| issue.pull_request.is_none())
            .filter(|issue| issue.user.as_ref().is_some_and(|user| user.login == login))
            .filter_map(|issue| {
                let (_, body) = unmark::<About>(&kind(topic), issue.body.as_deref().unwrap_or_default())?;
                Some((issue, body))
            })
            .collect();
        own.sort_by_key(|(issue, _)| issue.number);
        let mut own = own.into_iter();
        let first = own.next();
        for (double, _) in own {
            self.close(double.number, "not_planned", about).await?;
        }
        Ok(first)
    }

    async fn close(&self, number: u64, reason: &str, about: &str) -> Result<(), CallError> {
        let path = self.client.repo(&["issues", &number.to_string()]);
        let body = json!({ "state": "closed", "state_reason": reason });
        self.client.send(&Call::update(about, path, body).needs(NEEDS)).await.map(|_| ())
    }
}

fn kind(topic: &str) -> String {
    format!("{KIND}{topic}")
}
