//! Races that were lost are run again: each time later, up to a limit, and never two runs at the same beat, so that of many runs
//! that began together one after the other gets through.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash as _, Hasher as _},
};

use tagship_domain::{Duration, Provenance};
use tagship_ports::Clock;

/// How often a race is run at most.
pub(crate) const ATTEMPTS: u32 = 40;
/// The first pause is at most so long, in milliseconds; each one after it twice as long.
const FIRST: u64 = 50;
/// The longest pause, in milliseconds.
const LONGEST: u64 = 5_000;

/// A race for something that one run at a time can change.
pub(crate) struct Race<'a> {
    clock: &'a dyn Clock,
    turns: u32,
    lost: u32,
    /// What tells this run from others.
    who: u64,
}

impl<'a> Race<'a> {
    /// Begins with the first attempt. Runs of the same person differ by `what` they are about.
    pub(crate) fn new(clock: &'a dyn Clock, by: &Provenance, what: impl std::hash::Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        (&by.actor, &by.run, what).hash(&mut hasher);
        Self { clock, turns: 1, lost: 0, who: hasher.finish() }
    }

    /// Goes on to the next attempt after one that was not lost and came to no end; false where that was the last one.
    pub(crate) const fn at_once(&mut self) -> bool {
        self.turns += 1;
        self.turns <= ATTEMPTS
    }

    /// Waits for the next attempt after one was lost; false where that was the last one.
    pub(crate) async fn again(&mut self) -> bool {
        if !self.at_once() {
            return false;
        }
        self.lost += 1;
        let pause = pause(self.lost, self.who, self.clock.now().as_millis());
        self.clock.sleep(Duration::from_millis(pause)).await;
        true
    }
}

/// Between a half and all of what the attempt may wait, in milliseconds.
fn pause(lost: u32, who: u64, now: i64) -> u64 {
    let most = FIRST.checked_shl(lost.saturating_sub(1).min(32)).map_or(LONGEST, |most| most.min(LONGEST));
    let mut hasher = DefaultHasher::new();
    (lost, who, now).hash(&mut hasher);
    most / 2 + hasher.finish() % (most / 2 + 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tagship_domain::Timestamp;
    use tagship_ports::fake::FakeClock;

    use super::*;

    #[tokio::test]
    async fn pauses_grow_to_a_limit_and_attempts_end() {
        let began = Timestamp::from_seconds(1_900_000_000).unwrap();
        let clock = FakeClock::at(began);
        let by = Provenance { actor: "ada".to_owned(), run: None };
        let mut race = Race::new(&clock, &by, 1);
        let (mut before, mut pauses) = (began, vec![]);
        while race.again().await {
            pauses.push(u64::try_from(clock.now().as_millis() - before.as_millis()).unwrap());
            before = clock.now();
        }
        assert_eq!(pauses.len(), 39);
        for (number, pause) in pauses.iter().enumerate() {
            let most = (FIRST << number.min(20)).min(LONGEST);
            assert!((most / 2..=most).contains(pause), "{number}: {pause} of {most}");
        }
        assert!(pauses.iter().sum::<u64>() < 180_000, "three minutes at most: {pauses:?}");
    }

    #[test]
    fn runs_that_lost_at_the_same_moment_wait_differently() {
        let pauses: BTreeSet<u64> = (0..20).map(|who| pause(6, who, 1_900_000_000_000)).collect();
        assert!(pauses.len() > 15, "{pauses:?}");
        assert_eq!(pause(u32::MAX, 0, 0).max(LONGEST), LONGEST);
    }
}
