//! Telling people elsewhere: a publisher that sends notices beside what another one shows.

use std::{collections::BTreeSet, sync::Mutex};

use async_trait::async_trait;
use tagship_adapters::notifiers::{self, Channel};
use tagship_config::EnvironmentConfig;
use tagship_domain::{
    Timestamp,
    notice::NoticeKind,
    report::TimelineEntry,
    rollout::{RolloutId, RolloutState},
};
use tagship_ports::{PortError, Problem, Publisher};
use tagship_report::notice;
use tagship_runner::{Context, Failure};

use crate::workspace::{Workspace, located};

/// Shows a rollout, and tells of it. What cannot be told is a warning: it fails nothing and is not tried again.
pub(crate) struct Notifying<'a> {
    shown: &'a dyn Publisher,
    workspace: &'a Workspace,
    channels: Vec<Channel>,
    told: Mutex<BTreeSet<(RolloutId, NoticeKind, Timestamp)>>,
}

impl<'a> Notifying<'a> {
    /// With the notifiers of an environment. One whose secret is missing is left out with a warning, for a run from a
    /// fork has no secrets.
    ///
    /// # Errors
    /// For an unknown kind or wrong settings, with the place that names it.
    pub(crate) fn new(
        shown: &'a dyn Publisher,
        workspace: &'a Workspace,
        settings: &EnvironmentConfig,
    ) -> Result<Self, Failure> {
        let mut channels = vec![];
        for config in &settings.notify {
            match notifiers::open(config, &Context::secret) {
                Ok(channel) => channels.push(channel),
                Err(error) if error.problem == Problem::Denied => warn(workspace, &error),
                Err(error) => return Err(located(&error, &config.notifier)),
            }
        }
        Ok(Self { shown, workspace, channels, told: Mutex::default() })
    }

    async fn tell(&self, state: &RolloutState, timeline: &[TimelineEntry]) {
        let previous = timeline.iter().rev().nth(1).map(|entry| entry.phase);
        let Some(notice) = notice(previous, state) else { return };
        let told = (notice.rollout.clone(), notice.kind, notice.at);
        // What is shown again, because showing it failed, is not told again.
        let is_new = self.told.lock().is_ok_and(|mut known| known.insert(told));
        if !is_new {
            return;
        }
        for channel in &self.channels {
            if let Err(error) = channel.tell(&notice).await {
                warn(self.workspace, &error);
            }
        }
    }
}

fn warn(workspace: &Workspace, error: &PortError) {
    workspace.screen.say(&format!("warning: {error}"));
}

#[async_trait]
impl Publisher for Notifying<'_> {
    async fn publish(&self, state: &RolloutState, timeline: &[TimelineEntry]) -> Result<(), PortError> {
        self.tell(state, timeline).await;
        self.shown.publish(state, timeline).await
    }
}
