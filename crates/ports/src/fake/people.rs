//! People in memory: pull requests, permissions, reactions, issues, started runs, marks on commits.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use async_trait::async_trait;
use tagship_domain::CommitId;

use super::{Faults, lock::held};
use crate::{
    CommitMarks, Conversation, Dispatcher, IssueTracker, PortError, Problem,
    commit_marks::{CheckReport, CommitStatus},
    conversation::{Access, PullRequest, Reaction},
    dispatcher::Dispatch,
    issue_tracker::{Alert, AlertOutcome},
};

/// Pull requests, permissions and reactions in memory.
#[derive(Debug, Default)]
pub struct FakeConversation {
    /// What goes wrong in `pull_request`, `shown`, `react` and `access`.
    pub faults: Faults,
    pull_requests: Mutex<BTreeMap<u64, PullRequest>>,
    reactions: Mutex<BTreeSet<(u64, Reaction)>>,
    access: Mutex<BTreeMap<String, Access>>,
    shown: Mutex<BTreeMap<(u64, String), CommitId>>,
}

impl FakeConversation {
    /// Adds a pull request, or replaces the one of its number.
    pub fn add(&self, pull_request: PullRequest) {
        held(&self.pull_requests).insert(pull_request.number, pull_request);
    }

    /// Grants access.
    pub fn grant(&self, login: &str, access: Access) {
        held(&self.access).insert(login.to_owned(), access);
    }

    /// Says which commit a comment of ours shows.
    pub fn show(&self, number: u64, topic: &str, commit: CommitId) {
        held(&self.shown).insert((number, topic.to_owned()), commit);
    }

    /// Every sign on a comment.
    pub fn reactions(&self) -> Vec<(u64, Reaction)> {
        held(&self.reactions).iter().copied().collect()
    }
}

#[async_trait]
impl Conversation for FakeConversation {
    async fn pull_request(&self, number: u64) -> Result<PullRequest, PortError> {
        let read = || {
            held(&self.pull_requests).get(&number).cloned().ok_or_else(|| {
                PortError::new(Problem::NotFound, format!("read pull request {number}"), "there is none")
            })
        };
        self.faults.around("pull_request", read).await
    }

    async fn shown(&self, number: u64, topic: &str) -> Result<Option<CommitId>, PortError> {
        let read = || Ok(held(&self.shown).get(&(number, topic.to_owned())).cloned());
        self.faults.around("shown", read).await
    }

    async fn react(&self, comment: u64, reaction: Reaction) -> Result<(), PortError> {
        let write = || {
            held(&self.reactions).insert((comment, reaction));
            Ok(())
        };
        self.faults.around("react", write).await
    }

    async fn access(&self, login: &str) -> Result<Access, PortError> {
        let read = || Ok(held(&self.access).get(login).copied().unwrap_or(Access::None));
        self.faults.around("access", read).await
    }
}

/// Marks on commits in memory.
#[derive(Debug, Default)]
pub struct FakeCommitMarks {
    /// What goes wrong in `status` and `check_report`.
    pub faults: Faults,
    statuses: Mutex<Vec<CommitStatus>>,
    reports: Mutex<Vec<CheckReport>>,
}

impl FakeCommitMarks {
    /// The status of every commit and context.
    pub fn statuses(&self) -> Vec<CommitStatus> {
        held(&self.statuses).clone()
    }

    /// Every report.
    pub fn reports(&self) -> Vec<CheckReport> {
        held(&self.reports).clone()
    }
}

#[async_trait]
impl CommitMarks for FakeCommitMarks {
    async fn status(&self, status: &CommitStatus) -> Result<(), PortError> {
        let write = || {
            let mut all = held(&self.statuses);
            all.retain(|there| there.commit != status.commit || there.context != status.context);
            all.push(status.clone());
            Ok(())
        };
        self.faults.around("status", write).await
    }

    async fn check_report(&self, report: &CheckReport) -> Result<(), PortError> {
        let write = || {
            let mut all = held(&self.reports);
            let same = |there: &CheckReport| {
                there.commit == report.commit && there.name == report.name && there.key == report.key
            };
            all.retain(|there| !same(there));
            all.push(report.clone());
            Ok(())
        };
        self.faults.around("check_report", write).await
    }
}

/// Issues in memory.
#[derive(Debug, Default)]
pub struct FakeIssueTracker {
    /// What goes wrong in `raise` and `settle`.
    pub faults: Faults,
    issues: Mutex<Vec<(Alert, bool)>>,
}

impl FakeIssueTracker {
    /// Alerts whose issue is open.
    pub fn open(&self) -> Vec<Alert> {
        held(&self.issues).iter().filter(|(_, open)| *open).map(|(alert, _)| alert.clone()).collect()
    }
}

#[async_trait]
impl IssueTracker for FakeIssueTracker {
    async fn raise(&self, alert: &Alert) -> Result<AlertOutcome, PortError> {
        let write = || {
            let mut issues = held(&self.issues);
            let count = issues.len() as u64;
            let open =
                issues.iter_mut().zip(1..).find(|((there, open), _)| *open && there.topic == alert.topic);
            let Some(((there, _), number)) = open else {
                issues.push((alert.clone(), true));
                return Ok(AlertOutcome::Opened(count + 1));
            };
            if there.title == alert.title && there.body == alert.body {
                return Ok(AlertOutcome::Unchanged(number));
            }
            there.title.clone_from(&alert.title);
            there.body.clone_from(&alert.body);
            Ok(AlertOutcome::Updated(number))
        };
        self.faults.around("raise", write).await
    }

    async fn settle(&self, topic: &str) -> Result<Option<u64>, PortError> {
        let write = || {
            let mut issues = held(&self.issues);
            let open = issues.iter_mut().zip(1..).find(|((there, open), _)| *open && there.topic == topic);
            Ok(open.map(|((_, open), number)| {
                *open = false;
                number
            }))
        };
        self.faults.around("settle", write).await
    }
}

/// Started runs in memory.
#[derive(Debug, Default)]
pub struct FakeDispatcher {
    /// What goes wrong in `dispatch`.
    pub faults: Faults,
    started: Mutex<Vec<Dispatch>>,
}

impl FakeDispatcher {
    /// Everything that was started, oldest first.
    pub fn started(&self) -> Vec<Dispatch> {
        held(&self.started).clone()
    }
}

#[async_trait]
impl Dispatcher for FakeDispatcher {
    async fn dispatch(&self, dispatch: &Dispatch) -> Result<(), PortError> {
        let write = || {
            dispatch.check()?;
            held(&self.started).push(dispatch.clone());
            Ok(())
        };
        self.faults.around("dispatch", write).await
    }
}
