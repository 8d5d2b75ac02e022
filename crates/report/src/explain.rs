//! From the chain of a rollout's states to an explanation: what led to each of them, in one sentence a decision.
//!
//! Pure and total: any chain has an explanation. Only what the states say is told; where they do not say why, neither
//! does the explanation.

mod cause;
mod history;
mod words;

use tagship_domain::{
    Duration, Timestamp,
    analysis::{JudgeState, MetricReading},
    explanation::{Cause, Explained, Explanation, Recorded, Standing},
    rollout::{Phase, RolloutState},
};

use crate::sentence;

/// A run that leads a rollout writes every ten minutes at least; what is clearly longer is silence.
const SILENCE: Duration = Duration::from_secs(15 * 60);

/// Explains a rollout; `chain` are its entries, oldest first. Absent where there is none.
pub fn explain(chain: &[Recorded]) -> Option<Explanation> {
    let (first, last) = (chain.first()?, chain.last()?);
    let state = &last.state;
    Some(Explanation {
        rollout: state.id.clone(),
        kind: state.kind,
        model: state.model.clone(),
        environment: state.environment.clone(),
        candidate: state.candidate.version.clone(),
        stable: state.stable.as_ref().map(|stable| stable.version.clone()),
        phase: state.phase,
        sentence: sentence::rollout(state).text,
        started: state.started,
        updated: time(last),
        by: state.by.clone(),
        complete: first.state.phase == Phase::Pending,
        decisions: decisions(chain),
        traffic: history::traffic(chain),
        metrics: history::metrics(chain),
    })
}

/// Stores may keep whole seconds; the state knows better when its phase began.
fn time(recorded: &Recorded) -> Timestamp {
    recorded.at.max(recorded.state.since)
}

/// Every entry that decided something, and between them what did not, folded.
fn decisions(chain: &[Recorded]) -> Vec<Explained> {
    let mut decisions = vec![];
    let mut at = 0;
    while at < chain.len() {
        let before = at.checked_sub(1).and_then(|before| chain.get(before));
        let count =
            chain[at..].iter().enumerate().take_while(|(index, entry)| is_quiet(chain, at + index, entry));
        let count = count.count();
        if count > 0 {
            decisions.push(folded(before, &chain[at..at + count]));
        } else {
            decisions.push(decision(before, &chain[at]));
        }
        at += count.max(1);
    }
    decisions
}

fn is_quiet(chain: &[Recorded], at: usize, entry: &Recorded) -> bool {
    let before = at.checked_sub(1).and_then(|before| chain.get(before));
    before.is_some_and(|before| cause::is_quiet(&before.state, &entry.state))
}

fn decision(before: Option<&Recorded>, entry: &Recorded) -> Explained {
    let (earlier, state) = (before.map(|before| &before.state), &entry.state);
    let cause = cause::of(earlier, state);
    let evidence = evidence(&cause, earlier, state);
    Explained {
        at: time(entry),
        until: None,
        commit: entry.commit.clone(),
        before: earlier.map(Standing::of),
        after: Standing::of(state),
        sentence: words::decision(&cause, earlier, state, &evidence),
        evidence,
        cause,
        run: entry.run.clone().or_else(|| before.is_none().then(|| state.by.run.clone()).flatten()),
        silence: silence(before, entry),
    }
}

/// Entries that changed nothing but what can be seen again, as one.
fn folded(before: Option<&Recorded>, entries: &[Recorded]) -> Explained {
    let looks = entries.iter().flat_map(|entry| &entry.looks).filter(|look| !look.metrics.is_empty()).count();
    let (first, last) = (&entries[0], &entries[entries.len() - 1]);
    let earlier = before.map(|before| &before.state);
    let mut runs = entries.iter().map(|entry| &entry.run);
    let run = runs.next().filter(|first| runs.all(|run| run == *first)).cloned().flatten();
    let silences = before.into_iter().chain(entries).zip(entries).filter_map(|(a, b)| silence(Some(a), b));
    Explained {
        at: time(first),
        until: (entries.len() > 1).then(|| time(last)),
        commit: last.commit.clone(),
        before: earlier.map(Standing::of),
        after: Standing::of(&last.state),
        sentence: words::looks(earlier, &last.state, looks, entries.len()),
        evidence: vec![],
        cause: Cause::Looks { looks, entries: entries.len() },
        run,
        silence: silences.max(),
    }
}

/// How long nothing was written although the rollout did not stand still; absent where that is usual.
fn silence(before: Option<&Recorded>, entry: &Recorded) -> Option<Duration> {
    let before = before.filter(|before| {
        let phase = before.state.phase;
        !phase.stands_still() && !phase.is_terminal()
    })?;
    Some(entry.at.since(before.at)).filter(|length| *length > SILENCE)
}

/// What the metrics showed, where it was weighed: of a verdict those that it is about, else all.
fn evidence(cause: &Cause, before: Option<&RolloutState>, after: &RolloutState) -> Vec<MetricReading> {
    let about = |(name, judge): &(&String, &JudgeState)| match cause {
        Cause::Check => name.as_str() == SMOKE,
        Cause::Metrics => {
            let earlier = before.and_then(|before| before.judges.get(*name));
            name.as_str() != SMOKE && earlier.is_none_or(|earlier| earlier.phase != judge.phase)
        }
        Cause::Clock { .. } => name.as_str() != SMOKE,
        _ => false,
    };
    let reading = |(name, judge): (&String, &JudgeState)| MetricReading {
        name: name.clone(),
        phase: judge.phase,
        message: judge.message.clone(),
        measurement: judge.measurement.clone().unwrap_or_default(),
    };
    after.judges.iter().filter(about).map(reading).collect()
}

/// The smoke check among the judges of a state.
const SMOKE: &str = "smoke";
