//! A column as it is compared: what is left of each side without missing and infinite values.

use std::collections::BTreeMap;

use tagship_domain::drift::ColumnKind;
use tagship_stats::drift::{Counts, Sample, pooled};

/// A column of both sides; a side that does not have it is absent.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The rows that the model was made with.
    pub reference: Option<Side>,
    /// The rows that are judged.
    pub current: Option<Side>,
}

/// One side of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Rows, whatever they hold.
    pub rows: u64,
    /// Rows without a value, or with one that is no number in a column of numbers.
    pub missing: u64,
    /// Rows with an infinite number.
    pub infinite: u64,
    /// The other rows.
    pub values: Values,
}

/// Values of a side.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Finite numbers.
    Numbers(Sample),
    /// How often each category is there.
    Categories(BTreeMap<String, u64>),
}

impl Column {
    /// Where one side holds no value at all, nothing says of what kind it is but the other side.
    #[must_use]
    pub fn of(name: &str, reference: Option<Side>, current: Option<Side>) -> Self {
        let mut column = Self { name: name.to_owned(), reference, current };
        if let (Some(reference), Some(current)) = (&mut column.reference, &mut column.current) {
            if reference.is_missing() {
                reference.values = current.values.none();
            } else if current.is_missing() {
                current.values = reference.values.none();
            }
        }
        column
    }
}

impl Values {
    /// None of the same kind.
    fn none(&self) -> Self {
        match self {
            Self::Numbers(_) => Self::Numbers(Sample::of(vec![])),
            Self::Categories(_) => Self::Categories(BTreeMap::new()),
        }
    }
}

impl Side {
    fn is_missing(&self) -> bool {
        self.missing == self.rows
    }

    /// Numbers as a file holds them: NaN is a missing value.
    #[must_use]
    pub fn of_numbers(values: Vec<f64>, absent: u64) -> Self {
        let count = |is: fn(f64) -> bool| values.iter().filter(|value| is(**value)).count() as u64;
        let (rows, missing, infinite) =
            (values.len() as u64 + absent, count(f64::is_nan) + absent, count(f64::is_infinite));
        Self { rows, missing, infinite, values: Values::Numbers(Sample::of(values)) }
    }

    /// Categories as they were counted.
    #[must_use]
    pub fn of_categories(counts: BTreeMap<String, u64>, absent: u64) -> Self {
        let rows = counts.values().sum::<u64>() + absent;
        Self { rows, missing: absent, infinite: 0, values: Values::Categories(counts) }
    }

    /// Values that can be compared.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.rows - self.missing - self.infinite
    }

    pub(super) fn missing_share(&self) -> f64 {
        if self.rows == 0 { 0.0 } else { float(self.missing) / float(self.rows) }
    }
}

/// Both sides of a column, of one kind.
#[derive(Debug)]
pub(super) enum Pair<'a> {
    Numbers(&'a Sample, &'a Sample),
    Categories(&'a BTreeMap<String, u64>, &'a BTreeMap<String, u64>),
}

impl<'a> Pair<'a> {
    /// `None` where one side holds numbers and the other does not.
    pub(super) fn of(reference: &'a Side, current: &'a Side) -> Option<Self> {
        match (&reference.values, &current.values) {
            (Values::Numbers(one), Values::Numbers(other)) => Some(Self::Numbers(one, other)),
            (Values::Categories(one), Values::Categories(other)) => Some(Self::Categories(one, other)),
            _ => None,
        }
    }

    pub(super) fn kind(&self) -> ColumnKind {
        match self {
            Self::Numbers(..) => ColumnKind::Numeric,
            Self::Categories(..) => ColumnKind::Categorical,
        }
    }

    /// How often each distinct value is on either side.
    pub(super) fn counts(&self) -> Counts {
        match self {
            Self::Numbers(one, other) => Counts::of_values(pooled(one, other)),
            Self::Categories(one, other) => {
                let of = |counts: &BTreeMap<String, u64>, name| counts.get(name).copied().unwrap_or(0);
                let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
                names.sort_unstable();
                names.dedup();
                names.into_iter().map(|name| [of(one, name), of(other, name)]).collect()
            }
        }
    }

    /// Distinct values of both sides together, counted up to `limit` where they are numbers.
    pub(super) fn distinct(&self, limit: usize) -> usize {
        match self {
            Self::Numbers(one, other) => pooled(one, other).take(limit).count(),
            Self::Categories(..) => self.counts().categories(),
        }
    }

    /// The one value of a reference that has no other, against everything else; `None` where the reference has several.
    pub(super) fn constant(&self) -> Option<Counts> {
        let only = match self {
            Self::Numbers(reference, _) => reference.distinct_up_to(2) == 1,
            Self::Categories(reference, _) => reference.len() == 1,
        };
        if !only {
            return None;
        }
        let counts = self.counts();
        let (constant, rest): (Vec<[u64; 2]>, Vec<[u64; 2]>) =
            counts.pairs().iter().partition(|[reference, _]| *reference > 0);
        let others = rest.iter().map(|[_, current]| current).sum();
        Some(constant.into_iter().chain([[0, others]]).collect())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}
