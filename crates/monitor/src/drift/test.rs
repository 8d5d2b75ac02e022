//! The tests by name, each with its definition, its threshold and which side of it is drift.

use std::{fmt, str::FromStr};

use tagship_domain::drift::ColumnKind;
use tagship_stats::drift::{
    Counts, Empty, Sample, Shares, Tested, anderson_darling, bins, cramer_von_mises, energy, epps_singleton,
    kolmogorov_smirnov, mann_whitney_less, student, wasserstein,
};

use super::column::Pair;

/// More distinct values of the reference are put into bins.
const BINNED: usize = 20;
/// The spread of a reference is at least this, so that a constant one divides nothing by zero.
const LEAST_SPREAD: f64 = 0.001;

/// A test of a column. Names and thresholds are Evidently's; what its documentation and its code do not agree on is as its
/// code has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// Kolmogorov and Smirnov.
    Ks,
    /// Goodness of fit to the reference's shares.
    Chisquare,
    /// Two proportions, of rows that are not the first category.
    Z,
    /// Wasserstein's distance in standard deviations of the reference.
    Wasserstein,
    /// Distance of Jensen and Shannon.
    Jensenshannon,
    /// Divergence of Kullback and Leibler.
    KlDiv,
    /// Population stability index.
    Psi,
    /// Distance of Hellinger.
    Hellinger,
    /// Student's test.
    TTest,
    /// Mann and Whitney, to one side.
    Mannw,
    /// Anderson and Darling.
    Anderson,
    /// Cramer and von Mises.
    CramerVonMises,
    /// Energy distance.
    Ed,
    /// Epps and Singleton.
    Es,
    /// Likelihood ratio of the table of counts.
    GTest,
    /// Fisher's exact test of two categories.
    FisherExact,
}

/// A name that no test has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownTest(String);

/// What a score and a threshold say.
#[derive(Debug, Clone, Copy)]
enum Drift {
    Below,
    AtMost,
    AtLeast,
    Above,
}

/// A test's answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Answer {
    pub(super) score: f64,
    pub(super) statistic: f64,
    pub(super) p_value: Option<f64>,
}

impl Test {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Ks,
        Self::Chisquare,
        Self::Z,
        Self::Wasserstein,
        Self::Jensenshannon,
        Self::KlDiv,
        Self::Psi,
        Self::Hellinger,
        Self::TTest,
        Self::Mannw,
        Self::Anderson,
        Self::CramerVonMises,
        Self::Ed,
        Self::Es,
        Self::GTest,
        Self::FisherExact,
    ];

    /// As it is written in commands and documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ks => "ks",
            Self::Chisquare => "chisquare",
            Self::Z => "z",
            Self::Wasserstein => "wasserstein",
            Self::Jensenshannon => "jensenshannon",
            Self::KlDiv => "kl_div",
            Self::Psi => "psi",
            Self::Hellinger => "hellinger",
            Self::TTest => "t_test",
            Self::Mannw => "mannw",
            Self::Anderson => "anderson",
            Self::CramerVonMises => "cramer_von_mises",
            Self::Ed => "ed",
            Self::Es => "es",
            Self::GTest => "g_test",
            Self::FisherExact => "fisher_exact",
        }
    }

    /// What the score is compared with.
    #[must_use]
    pub const fn threshold(self) -> f64 {
        self.rule().0
    }

    /// Whether it can be asked about columns of this kind.
    #[must_use]
    pub const fn fits(self, kind: ColumnKind) -> bool {
        match self {
            Self::Ks
            | Self::Wasserstein
            | Self::TTest
            | Self::Mannw
            | Self::Anderson
            | Self::CramerVonMises
            | Self::Ed
            | Self::Es => matches!(kind, ColumnKind::Numeric),
            _ => true,
        }
    }

    /// Whether a score says drift; NaN says nothing.
    pub(super) fn says_drift(self, score: f64) -> Option<bool> {
        let (threshold, drift) = self.rule();
        (!score.is_nan()).then_some(match drift {
            Drift::Below => score < threshold,
            Drift::AtMost => score <= threshold,
            Drift::AtLeast => score >= threshold,
            Drift::Above => score > threshold,
        })
    }

    const fn rule(self) -> (f64, Drift) {
        match self {
            Self::Ks => (0.05, Drift::AtMost),
            Self::Chisquare | Self::Z | Self::TTest | Self::Mannw | Self::Es => (0.05, Drift::Below),
            Self::Anderson | Self::GTest | Self::FisherExact => (0.1, Drift::Below),
            Self::CramerVonMises => (0.1, Drift::AtMost),
            Self::Ed => (0.1, Drift::Above),
            Self::Wasserstein | Self::Jensenshannon | Self::KlDiv | Self::Psi | Self::Hellinger => {
                (0.1, Drift::AtLeast)
            }
        }
    }

    /// Asks it; `None` where it does not apply to these values.
    pub(super) fn ask(self, pair: &Pair<'_>) -> Option<Answer> {
        let of_counts = |of: fn(&Counts) -> Option<Tested>| of(&pair.counts()).map(Answer::of);
        match self {
            Self::Chisquare => of_counts(Counts::goodness_of_fit),
            Self::Z => of_counts(Counts::two_proportions),
            Self::GTest => of_counts(Counts::likelihood_ratio),
            Self::FisherExact => of_counts(Counts::fisher_exact),
            Self::Jensenshannon | Self::KlDiv | Self::Psi | Self::Hellinger => {
                self.of_shares(&Shares::of(&self.binned(pair))?).map(Answer::distance)
            }
            _ => match pair {
                Pair::Numbers(reference, current) => self.of_numbers(reference, current),
                Pair::Categories(..) => None,
            },
        }
    }

    /// The tests that only numbers have.
    fn of_numbers(self, reference: &Sample, current: &Sample) -> Option<Answer> {
        let tested: fn(&Sample, &Sample) -> Option<Tested> = match self {
            Self::Ks => kolmogorov_smirnov,
            Self::TTest => student,
            Self::Mannw => mann_whitney_less,
            Self::Anderson => anderson_darling,
            Self::CramerVonMises => cramer_von_mises,
            Self::Es => epps_singleton,
            Self::Ed => return energy(reference, current).map(Answer::distance),
            Self::Wasserstein => return spread_distance(reference, current).map(Answer::distance),
            _ => return None,
        };
        tested(reference, current).map(Answer::of)
    }

    fn of_shares(self, shares: &Shares) -> Option<f64> {
        let filled = || shares.clone().filled(Empty::OfSmallest);
        match self {
            Self::Jensenshannon => Some(shares.jensen_shannon()),
            Self::Hellinger => Some(shares.hellinger()),
            Self::KlDiv => Some(filled().kullback_leibler()),
            Self::Psi => Some(filled().population_stability()),
            _ => None,
        }
    }

    /// Counts by value, or of numbers with many values by bins.
    fn binned(self, pair: &Pair<'_>) -> Vec<[u64; 2]> {
        match pair {
            Pair::Numbers(reference, current) if self == Self::Hellinger => {
                bins::counted(reference, current, &bins::sturges_of_distinct(reference, current))
            }
            Pair::Numbers(reference, current) if reference.distinct_up_to(BINNED + 1) > BINNED => {
                bins::counted(reference, current, &bins::sturges(reference, current))
            }
            _ => pair.counts().pairs().to_vec(),
        }
    }
}

/// Largest effect that is told: of a reference that did not vary every change is without measure.
const LARGEST: f64 = 1e9;

/// Wasserstein's distance in spreads of the reference, see [`Sample::spread`]; absent where the numbers are too large to be summed.
pub(super) fn standardised_distance(reference: &Sample, current: &Sample) -> Option<f64> {
    let (distance, spread) = (wasserstein(reference, current)?, reference.spread());
    if !distance.is_finite() || !spread.is_finite() {
        return None;
    }
    Some(if distance > 0.0 { (distance / spread).min(LARGEST) } else { 0.0 })
}

/// The same with the floor that Evidently has for deviations, which makes small units of measurement look alike.
pub(super) fn spread_distance(reference: &Sample, current: &Sample) -> Option<f64> {
    let distance = wasserstein(reference, current)?;
    Some(distance / reference.variance().sqrt().max(LEAST_SPREAD))
}

/// The stability index over tenths of the reference where it has at least two of them, else over values.
pub(super) fn stability_index(pair: &Pair<'_>) -> Option<f64> {
    let by_value = || pair.counts().pairs().to_vec();
    let counted = match pair {
        Pair::Numbers(reference, current) => {
            let inner = bins::reference_quantiles(reference, 10);
            if inner.is_empty() { by_value() } else { bins::counted_around(reference, current, &inner) }
        }
        Pair::Categories(..) => by_value(),
    };
    Some(Shares::of(&counted)?.filled(Empty::Fixed(1e-4)).population_stability())
}

impl Answer {
    fn of(tested: Tested) -> Self {
        Self { score: tested.p_value, statistic: tested.statistic, p_value: Some(tested.p_value) }
    }

    fn distance(distance: f64) -> Self {
        Self { score: distance, statistic: distance, p_value: None }
    }
}

impl FromStr for Test {
    type Err = UnknownTest;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|test| test.name() == name).ok_or_else(|| UnknownTest(name.to_owned()))
    }
}

/// With the names that there are.
impl fmt::Display for UnknownTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<&str> = Test::ALL.into_iter().map(Test::name).collect();
        write!(f, "{:?} is no test of drift; there is {}", self.0, known.join(", "))
    }
}

impl std::error::Error for UnknownTest {}
