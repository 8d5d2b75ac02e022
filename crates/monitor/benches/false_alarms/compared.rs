//! Both profiles on the same draws, and Evidently's scores where they alarm as often as the default profile.

use tagship_domain::drift::{DriftProfile, DriftReport};
use tagship_monitor::drift::{Column, Settings, conclude, measure};
use tagship_stats::random::Random;

use super::laws::Law;

/// What a profile says about a column.
struct Seen {
    drifted: bool,
    /// The larger, the more it speaks for drift.
    strength: f64,
}

/// Draws in which nothing has changed.
pub(super) struct Unchanged {
    law: Law,
    rows: [usize; 2],
    first: u64,
    seen: Vec<[Seen; 2]>,
}

/// Shares of draws that are called drifted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// By the default profile.
    pub(super) ours: f64,
    /// By Evidently's rules.
    pub(super) theirs: f64,
    /// By Evidently's scores, at the threshold at which they alarm as often as the default profile.
    pub(super) equal: f64,
}

impl Unchanged {
    /// So many draws, by the seeds from `first` on.
    pub(super) fn draw(law: Law, rows: [usize; 2], first: u64, draws: u64) -> Self {
        let seen = (first..first + draws).map(|seed| drawn(law, rows, seed, 0.0)).collect();
        Self { law, rows, first, seen }
    }

    /// How often a change is found; of none, the false alarms.
    pub(super) fn found(&self, change: f64) -> Found {
        let draws = self.seen.len() as u64;
        let threshold = self.threshold();
        if change <= 0.0 {
            return found(&self.seen, threshold);
        }
        let seeds = self.first + draws..self.first + 2 * draws;
        let changed: Vec<_> = seeds.map(|seed| drawn(self.law, self.rows, seed, change)).collect();
        found(&changed, threshold)
    }

    /// Evidently's strongest scores where nothing has changed, as many as ours alarmed, lie above it.
    fn threshold(&self) -> f64 {
        let mut strengths: Vec<f64> = self.seen.iter().map(|seen| seen[1].strength).collect();
        strengths.sort_by(|one, other| other.total_cmp(one));
        let alarms = self.seen.iter().filter(|seen| seen[0].drifted).count();
        strengths.get(alarms).copied().unwrap_or(f64::NEG_INFINITY)
    }
}

fn found(seen: &[[Seen; 2]], threshold: f64) -> Found {
    let share = |is: &dyn Fn(&[Seen; 2]) -> bool| {
        seen.iter().filter(|seen| is(seen)).count() as f64 / seen.len() as f64
    };
    Found {
        ours: share(&|seen| seen[0].drifted),
        theirs: share(&|seen| seen[1].drifted),
        equal: share(&|seen| seen[1].strength > threshold),
    }
}

fn drawn(law: Law, rows: [usize; 2], seed: u64, change: f64) -> [Seen; 2] {
    let mut random = Random::new(seed);
    let column = column(law, rows, &mut random, change);
    [DriftProfile::Default, DriftProfile::Evidently].map(|profile| {
        let settings = Settings { profile, ..Settings::default() };
        seen(&conclude(vec![measure(&column, &settings)], &settings))
    })
}

fn column(law: Law, rows: [usize; 2], random: &mut Random, change: f64) -> Column {
    let reference = law.side(rows[0], random, 0.0);
    let current = law.side(rows[1], random, change);
    Column::of(law.name, Some(reference), Some(current))
}

fn seen(report: &DriftReport) -> Seen {
    let column = &report.columns[0];
    let score = column.score.unwrap_or(f64::NAN);
    // A p-value speaks for drift where it is small, a distance where it is large.
    let strength = if column.p_value.is_some() { -score } else { score };
    Seen { drifted: column.drifted == Some(true), strength }
}

/// Shares of tables with a column of each law, unchanged, in which any column is called drifted: by the default profile, and
/// by Evidently's rules.
pub(super) fn tables(laws: &[Law], rows: [usize; 2], first: u64, draws: u64) -> [f64; 2] {
    let mut alarms = [0_u32; 2];
    for seed in first..first + draws {
        let mut random = Random::new(1_000_000 + seed);
        let columns: Vec<Column> = laws.iter().map(|law| column(*law, rows, &mut random, 0.0)).collect();
        for (place, profile) in [DriftProfile::Default, DriftProfile::Evidently].into_iter().enumerate() {
            let settings = Settings { profile, ..Settings::default() };
            let measured = columns.iter().map(|column| measure(column, &settings)).collect();
            let report = conclude(measured, &settings);
            alarms[place] += u32::from(report.columns.iter().any(|column| column.drifted == Some(true)));
        }
    }
    alarms.map(|alarms| f64::from(alarms) / draws as f64)
}
