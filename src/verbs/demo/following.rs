//! Watching a rollout from outside, as anybody can who has the repository: every new entry of its journal is told.

use std::{pin::pin, time::Duration};

use tagship_domain::{Exit, rollout::RolloutState, schema};
use tagship_runner::Failure;
use tokio::time::sleep;

use super::{
    child::{Ran, Running},
    reading::Block,
    stage::{Stage, broken, journal_ref},
};

/// How often is looked for new entries.
const LOOK: Duration = Duration::from_millis(50);
/// Columns of the widest share, `100%`.
const SHARE: usize = 4;

/// Where somebody stopped reading a journal.
#[derive(Debug)]
pub(super) struct Follower<'a> {
    stage: &'a Stage,
    read: String,
    told: Vec<String>,
}

impl<'a> Follower<'a> {
    /// Follows the journal from here on.
    pub(super) async fn from_now(stage: &'a Stage) -> Result<Self, Failure> {
        let read = stage.repository.git_at_origin(&["rev-parse", &journal_ref()]).await?;
        Ok(Self { stage, read, told: vec![] })
    }

    /// Runs a verb in the clone, which must end with the given exit code, and tells what becomes of its rollout.
    pub(super) async fn verb(&mut self, told: &str, arguments: &[&str], exit: Exit) -> Result<Ran, Failure> {
        self.stage.timeline.fact(&format!("{told}; its journal in git:"));
        let mut ended = pin!(self.stage.children.start(self.stage.repository.clone(), arguments)?.end());
        let ran = loop {
            tokio::select! {
                ran = &mut ended => break ran?,
                () = sleep(LOOK) => self.tell_new().await.map(drop)?,
            }
        };
        self.tell_new().await?;
        self.stage.ended(told, ran, exit)
    }

    /// Starts a verb in the clone and leaves it alone once its rollout is where it should be.
    pub(super) async fn verb_until(
        &mut self,
        told: &str,
        arguments: &[&str],
        there: impl Fn(&RolloutState) -> bool,
    ) -> Result<Running, Failure> {
        self.stage.timeline.fact(&format!("{told}; its journal in git:"));
        let mut running = self.stage.children.start(self.stage.repository.clone(), arguments)?;
        loop {
            if self.tell_new().await?.as_ref().is_some_and(&there) {
                return Ok(running);
            }
            if running.has_ended() {
                let ran = running.end().await?;
                return Err(broken(format!("`{}` to be at work", ran.command), ran.told()));
            }
            sleep(LOOK).await;
        }
    }

    /// Tells the entries since the last time; the newest of them, if there are any.
    async fn tell_new(&mut self) -> Result<Option<RolloutState>, Failure> {
        let range = format!("{}..{}", self.read, journal_ref());
        let entries = self.stage.repository.git_at_origin(&["rev-list", "--reverse", &range]).await?;
        let mut newest = None;
        for entry in entries.lines() {
            let text = self.stage.repository.at_origin(&format!("{entry}:rollout.json")).await?;
            let state: RolloutState =
                schema::from_json(&text).map_err(|error| broken("a rollout in the journal", error))?;
            let share = format!("{:>SHARE$}", state.weight.applied.to_string());
            let row = vec![share, format!("{}: {}", state.phase, state.message)];
            // The entry that only says that everything intended was done reads like the one before.
            if self.told != row {
                self.stage.timeline.rows(&[Block::Table(vec![row.clone()])]);
                self.told = row;
            }
            entry.clone_into(&mut self.read);
            newest = Some(state);
        }
        Ok(newest)
    }
}
