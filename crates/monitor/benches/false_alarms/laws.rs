//! What columns are drawn from, and how they change.

use std::{collections::BTreeMap, f64::consts::PI};

use tagship_monitor::drift::Side;
use tagship_stats::{normal, random::Random};

/// A distribution of a column.
#[derive(Clone, Copy)]
pub(super) struct Law {
    /// As the table calls it.
    pub(super) name: &'static str,
    shape: Shape,
    /// The change whose detection is counted.
    pub(super) change: f64,
}

#[derive(Clone, Copy)]
enum Shape {
    Normal,
    /// Without a mean.
    Cauchy,
    /// Of so many categories, the first more frequent than the last.
    Categories(usize),
    /// A fifth of the rows lacks a value.
    Missing,
}

pub(super) const LAWS: [Law; 6] = [
    Law { name: "normal, shifted by 0.3 deviations", shape: Shape::Normal, change: 0.3 },
    Law { name: "Cauchy, half as wide again", shape: Shape::Cauchy, change: 0.5 },
    Law { name: "5 categories, u^1.5 to u^1.9", shape: Shape::Categories(5), change: 0.4 },
    Law { name: "50 categories, u^1.5 to u^1.9", shape: Shape::Categories(50), change: 0.4 },
    Law { name: "500 categories, u^1.5 to u^1.9", shape: Shape::Categories(500), change: 0.4 },
    Law { name: "20 % missing, 5 points more", shape: Shape::Missing, change: 0.05 },
];

impl Law {
    /// Draws a side.
    pub(super) fn side(self, rows: usize, random: &mut Random, change: f64) -> Side {
        let unit = |random: &mut Random| random.unit().clamp(1e-12, 1.0 - 1e-12);
        let of = |random: &mut Random| match self.shape {
            Shape::Normal => normal::quantile(unit(random)) + change,
            Shape::Cauchy => (PI * (unit(random) - 0.5)).tan() * (1.0 + change),
            Shape::Missing if random.unit() < 0.2 + change => f64::NAN,
            Shape::Missing | Shape::Categories(_) => normal::quantile(unit(random)),
        };
        let Shape::Categories(kinds) = self.shape else {
            return Side::of_numbers((0..rows).map(|_| of(random)).collect(), 0);
        };
        let mut counts = BTreeMap::new();
        for _ in 0..rows {
            let place = (random.unit().powf(1.5 + change) * kinds as f64).floor();
            *counts.entry(format!("c{place:03.0}")).or_insert(0) += 1;
        }
        Side::of_categories(counts, 0)
    }
}
