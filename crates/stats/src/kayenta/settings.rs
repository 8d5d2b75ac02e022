//! How one metric is judged.

/// How one metric is judged. The default is Kayenta's.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Settings {
    /// Which change counts.
    pub direction: Direction,
    /// What a point that is NaN means.
    pub nan: Nan,
    /// What is done about outliers.
    pub outliers: Outliers,
    /// Whether a metric that cannot be judged counts as a failed one in its groups.
    pub must_have_data: bool,
    /// Whether this metric alone may fail everything.
    pub critical: bool,
    /// How large a change must be.
    pub measure: Measure,
    /// Sizes from which a change counts; [`Measure::limits`] where `None`.
    pub limits: Option<Limits>,
}

impl Settings {
    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits.unwrap_or_else(|| self.measure.limits())
    }
}

/// Which change of the candidate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Larger values.
    Increase,
    /// Smaller values.
    Decrease,
    /// Both.
    #[default]
    Either,
}

/// What a point that is NaN means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nan {
    /// It was not measured.
    #[default]
    Remove,
    /// Nothing happened: it is 0.
    Replace,
}

/// What is done about outliers of one side.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Outliers {
    /// Nothing.
    #[default]
    Keep,
    /// Values are left out that lie outside of both the fence of so many interquartile ranges around the quartiles and
    /// the range from the first to the last percentile. 3 is Kayenta's factor.
    Remove {
        /// Interquartile ranges, not negative.
        factor: f64,
    },
}

/// What the size of a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// The candidate's mean over stable's. Unknown, and then not asked, where one of them is not positive.
    #[default]
    MeanRatio,
    /// The common language effect size: how often a value of the candidate is larger than one of stable, ties half.
    Cles,
}

/// Sizes from which a change counts: at least the one for an increase, at most the one for a decrease.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// An increase of at least this makes a metric `High`.
    pub allowed_increase: f64,
    /// A decrease to at most this makes a metric `Low`.
    pub allowed_decrease: f64,
    /// A `High` of at least this fails everything if the metric is critical.
    pub critical_increase: f64,
    /// A `Low` of at most this fails everything if the metric is critical.
    pub critical_decrease: f64,
}

impl Measure {
    /// The size of no change for all four limits: every change counts.
    #[must_use]
    pub const fn limits(self) -> Limits {
        let none = match self {
            Self::MeanRatio => 1.0,
            Self::Cles => 0.5,
        };
        Limits {
            allowed_increase: none,
            allowed_decrease: none,
            critical_increase: none,
            critical_decrease: none,
        }
    }
}
