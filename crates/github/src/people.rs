//! Pull requests, permissions and reactions; starting other workflows.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use tagship_domain::CommitId;
use tagship_ports::{
    Conversation, Dispatcher, PortError,
    conversation::{Access, PullRequest, Reaction},
    dispatcher::Dispatch,
};

use crate::{GitHub, call::Call, error::Reason, objects::commit_id};

#[derive(Debug, Deserialize)]
struct PullReply {
    number: u64,
    state: String,
    head: Head,
}

#[derive(Debug, Deserialize)]
struct Head {
    sha: String,
    /// Absent where the fork was deleted.
    repo: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    full_name: String,
}

#[derive(Debug, Deserialize)]
struct Permission {
    permission: String,
}

#[async_trait]
impl Conversation for GitHub {
    async fn pull_request(&self, number: u64) -> Result<PullRequest, PortError> {
        let about = format!("read pull request {number}");
        let path = self.client.repo(&["pulls", &number.to_string()]);
        let reply: PullReply =
            self.client.fetch(&Call::get(&about, path).needs("pull-requests: read")).await?;
        let own = &self.client.settings.repository;
        Ok(PullRequest {
            number: reply.number,
            head: commit_id(&reply.head.sha, &about)?,
            from_fork: reply.head.repo.is_none_or(|repo| !repo.full_name.eq_ignore_ascii_case(own)),
            open: reply.state == "open",
        })
    }

    async fn shown(&self, number: u64, topic: &str) -> Result<Option<CommitId>, PortError> {
        self.shown_commit(number, topic).await
    }

    async fn react(&self, comment: u64, reaction: Reaction) -> Result<(), PortError> {
        let content = match reaction {
            Reaction::Seen => "eyes",
            Reaction::Done => "rocket",
            Reaction::Refused => "confused",
        };
        let path = self.client.repo(&["issues", "comments", &comment.to_string(), "reactions"]);
        let call = Call::create(format!("react to comment {comment}"), path, json!({ "content": content }));
        // The host keeps one reaction of a kind per person.
        self.client.send(&call.repeatable().needs("pull-requests: write")).await?;
        Ok(())
    }

    async fn access(&self, login: &str) -> Result<Access, PortError> {
        let about = format!("read what {login} may do");
        let path = self.client.repo(&["collaborators", login, "permission"]);
        let reply: Option<Permission> = self.client.find(&Call::get(about, path)).await?;
        // Finer roles are told as the coarse one that they include.
        Ok(match reply.as_ref().map(|reply| reply.permission.as_str()) {
            Some("admin") => Access::Admin,
            Some("write" | "maintain") => Access::Write,
            Some("read" | "triage") => Access::Read,
            _ => Access::None,
        })
    }
}

#[async_trait]
impl Dispatcher for GitHub {
    async fn dispatch(&self, dispatch: &Dispatch) -> Result<(), PortError> {
        dispatch.check()?;
        let about = format!("dispatch {}", dispatch.what());
        let call = match dispatch {
            Dispatch::Event { name, payload } => Call::create(
                about,
                self.client.repo(&["dispatches"]),
                json!({ "event_type": name, "client_payload": payload }),
            )
            .needs("contents: write"),
            Dispatch::Workflow { file, reference, inputs } => Call::create(
                about,
                self.client.repo(&["actions", "workflows", file, "dispatches"]),
                json!({ "ref": reference, "inputs": inputs }),
            )
            .needs("actions: write"),
        };
        match self.client.send(&call).await {
            Ok(_) => Ok(()),
            Err(error) if error.unsure => {
                Err(error.port.hint("the run may have started: look before you start it again"))
            }
            Err(error) if error.reason == Reason::Missing => Err(error
                .port
                .hint("the workflow must be on the default branch and have `workflow_dispatch`")),
            Err(error) => Err(error.into()),
        }
    }
}
