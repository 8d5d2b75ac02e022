//! Watching a rollout from outside, as anybody can who has the repository: every entry of its journal that says
//! something new is told as it comes.

use std::{pin::pin, time::Duration};

use tagship_domain::{
    Exit,
    analysis::{JudgeState, MetricPhase},
    rollout::{Phase, RolloutState},
    schema,
    traffic::Weight,
};
use tagship_report::Mark;
use tagship_runner::Failure;
use tokio::time::sleep;

use super::{
    child::{Ran, Running},
    reading::Block,
    stage::{Stage, broken, journal_ref},
};

/// How often is looked for new entries.
const LOOK: Duration = Duration::from_millis(150);
/// Columns of the widest share, `100%`.
const SHARE: usize = 4;

/// Where somebody stopped reading a journal.
#[derive(Debug)]
pub(super) struct Follower<'a> {
    stage: &'a Stage,
    read: String,
    told: Option<Place>,
    metrics: Vec<Vec<String>>,
}

/// Where a rollout is: entries at the same place differ only in how long it has been there, and by how much.
type Place = (Phase, [Weight; 2], Vec<MetricPhase>);

impl<'a> Follower<'a> {
    /// Follows the journal from here on.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn from_now(stage: &'a Stage) -> Result<Self, Failure> {
        let read = stage.repository.git_at_origin(&["rev-parse", &journal_ref()]).await?;
        Ok(Self { stage, read, told: None, metrics: vec![] })
    }

    /// Runs a verb in the clone, which must end with the given exit code, and tells what becomes of its rollout.
    ///
    /// # Errors
    /// When it ends otherwise.
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
    ///
    /// # Errors
    /// When it ends before.
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
            self.tell(&state);
            entry.clone_into(&mut self.read);
            newest = Some(state);
        }
        Ok(newest)
    }

    /// Tells an entry: the candidate's share, then what happened. Where metrics were measured, a line for each takes
    /// the place of the sentence that holds all of them.
    fn tell(&mut self, state: &RolloutState) {
        let place = place(state);
        if self.told.as_ref() == Some(&place) {
            return;
        }
        let timeline = &self.stage.timeline;
        let travels = state.phase == Phase::Progressing;
        let metrics = if travels { metrics(state, timeline.unicode()) } else { vec![] };
        // The cause of going back was told when it began.
        let is_short = !metrics.is_empty() || state.phase == Phase::RolledBack;
        let said = if is_short { first_clause(&state.message) } else { &state.message };
        let share = format!("{:>SHARE$}", state.weight.applied.to_string());
        let mut rows = vec![vec![share, format!("{}: {said}", state.phase)]];
        if self.metrics != metrics {
            rows.extend(metrics.iter().cloned());
            self.metrics = metrics;
        }
        timeline.rows(&[Block::Table(rows)]);
        self.told = Some(place);
    }
}

fn place(state: &RolloutState) -> Place {
    let judges = state.judges.values().map(|judge| judge.phase).collect();
    (state.phase, [state.weight.applied, state.weight.desired], judges)
}

/// What was measured of each metric so far, without the evidence.
fn metrics(state: &RolloutState, unicode: bool) -> Vec<Vec<String>> {
    let names = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics).map(|metric| &metric.name);
    let judged = names.filter_map(|name| Some((name, state.judges.get(name)?)));
    let row = |(name, judge): (&String, &JudgeState)| {
        let mark = Mark::from(judge.phase).glyph(unicode);
        vec![String::new(), format!("{mark} {name}: {}", first_clause(&judge.message))]
    };
    judged.map(row).collect()
}

fn first_clause(message: &str) -> &str {
    message.split("; ").next().unwrap_or(message)
}
