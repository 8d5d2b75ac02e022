//! What every source of values must do.

use tagship_domain::{Timestamp, Version};

use crate::{Question, ValueSource};

/// What a source knows.
#[derive(Debug, Clone)]
pub struct ValueFixture {
    /// A version that it has values of.
    pub known: Version,
    /// One that it has none of.
    pub unknown: Version,
    /// When the look before ended.
    pub from: Timestamp,
    /// When this one ends.
    pub to: Timestamp,
    /// The newest number of the known version between the two.
    pub newest: f64,
}

/// The newest number is found, asking changes nothing, and what is not known is no number.
pub async fn value_source(source: &dyn ValueSource, fixture: &ValueFixture) {
    let ValueFixture { known, unknown, from, to, newest } = fixture;
    let ask = |version| Question { version, candidate: known, stable: None, from: *from, to: *to };
    let first = source.values(&ask(known)).await.expect("it answers about a version that it knows");
    assert!(first.is_sorted_by_key(|point| point.at), "oldest first: {first:?}");
    assert!(first.iter().all(|point| point.at <= *to), "nothing after the look: {first:?}");
    let found = first.iter().rev().find_map(|point| point.value.as_f64()).expect("there is a number");
    assert!((found - newest).abs() < 1e-9, "{found} is not {newest}");
    let again = source.values(&ask(known)).await.expect("it answers again");
    assert_eq!(first, again, "asking changes nothing");
    if let Ok(points) = source.values(&ask(unknown)).await {
        assert!(points.iter().all(|point| point.value.is_null()), "a number of nothing: {points:?}");
    }
}
