//! The ports of a host on GitHub's API: forge, journals, tags, the store of releases, and the capabilities around
//! them.
//!
//! Invariants: a write is repeated only where that is harmless, and what may exist already is looked for before it is
//! made again, so that no fault doubles anything; nothing is ever forced; the token goes to the configured hosts only,
//! along no redirect, and into no error; every wait goes through the [`Clock`].
//!
//! octocrab is the service stack under the requests. Requests and answers are our own few fields: its builders lack
//! conditional reads and some methods, and its models are stricter than servers of one's own.

mod answer;
mod approvals;
mod assets;
mod attestations;
mod beside;
mod cache;
mod call;
mod checks;
mod client;
mod comments;
mod deployments;
mod download;
mod drafts;
mod error;
mod fetch;
mod identity;
mod issues;
mod joined;
mod journal;
mod marker;
mod marks;
mod meter;
mod names;
mod objects;
mod parts;
mod people;
mod refs;
mod releases;
mod retry;
mod run_artifacts;
mod settings;
mod shelf;
mod shorten;
mod store;
mod tags;
mod transport;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use tagship_domain::CommitId;
use tagship_ports::{
    Clock, Forge, PortError,
    forge::{Comment, CommentOutcome, CommitCheck, DeploymentStatus, ReleaseNote},
};
use tokio::sync::{Mutex, OnceCell};

pub use meter::Spent;
pub use settings::{Identity, Settings};

use client::Client;

/// One repository on the host, behind every port that it serves. Of one program all parts should share one: it paces
/// their writes and remembers what they read.
pub struct GitHub {
    pub(crate) client: Client,
    pub(crate) login: OnceCell<String>,
    pub(crate) objects: objects::Objects,
    pub(crate) tag_objects: tags::TagObjects,
    pub(crate) own_tips: journal::OwnTips,
    pub(crate) shelf: Mutex<shelf::Shelf>,
}

impl GitHub {
    /// A client of the repository. Nothing is sent yet.
    ///
    /// # Errors
    /// Where a setting can't be right: an address, the repository's name, an empty token.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        Ok(Self {
            client: Client::new(settings, clock)?,
            login: OnceCell::new(),
            objects: objects::Objects::default(),
            tag_objects: tags::TagObjects::default(),
            own_tips: journal::OwnTips::default(),
            shelf: Mutex::default(),
        })
    }

    /// How many requests were sent so far.
    pub fn spent(&self) -> Spent {
        self.client.meter.spent()
    }
}

impl fmt::Debug for GitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHub")
            .field("settings", &self.client.settings)
            .field("spent", &self.spent())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Forge for GitHub {
    async fn comment(&self, comment: &Comment) -> Result<CommentOutcome, PortError> {
        self.upsert_comment(comment).await
    }

    async fn pull_requests_of(&self, commit: &CommitId) -> Result<Vec<u64>, PortError> {
        self.pull_requests_with(commit).await
    }

    async fn checks(&self, commit: &CommitId) -> Result<Vec<CommitCheck>, PortError> {
        self.checks_of(commit).await
    }

    async fn deployment(&self, status: &DeploymentStatus) -> Result<(), PortError> {
        Self::check_environment(status)?;
        self.set_deployment(status).await
    }

    async fn release(&self, note: &ReleaseNote) -> Result<(), PortError> {
        self.show_release(note).await
    }
}
