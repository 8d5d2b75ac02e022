//! How often a version predicted each class.
//!
//! Bounded and without locks: the first classes that occur take a place each and keep it; what finds no place is
//! counted as one more class, `(other)`. Places fill in order and never change hands, so that a class cannot take two.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write as _},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crate::engine::TensorData;

/// Most classes that are told apart.
const MAX_CLASSES: usize = 32;
/// Longest text of a class that is kept, in bytes.
const MAX_TEXT: usize = 64;
/// The class of everything that finds no place.
const OTHER: &str = "(other)";

/// Predictions by class.
#[derive(Debug, Default)]
pub(super) struct ClassCounts {
    places: [Place; MAX_CLASSES],
    other: AtomicU64,
}

#[derive(Debug, Default)]
struct Place {
    class: OnceLock<Box<str>>,
    count: AtomicU64,
}

impl ClassCounts {
    /// Counts every value of predicted labels; floating-point numbers are no labels.
    pub(super) fn count(&self, labels: &TensorData) {
        match labels {
            TensorData::Bool(values) => self.each(values),
            TensorData::Uint8(values) => self.each(values),
            TensorData::Uint16(values) => self.each(values),
            TensorData::Uint32(values) => self.each(values),
            TensorData::Uint64(values) => self.each(values),
            TensorData::Int8(values) => self.each(values),
            TensorData::Int16(values) => self.each(values),
            TensorData::Int32(values) => self.each(values),
            TensorData::Int64(values) => self.each(values),
            TensorData::Bytes(texts) => texts.iter().for_each(|text| self.one(text)),
            TensorData::Fp32(_) | TensorData::Fp64(_) => {}
        }
    }

    /// Counts by class; absent while nothing was counted.
    pub(super) fn totals(&self) -> Option<BTreeMap<String, u64>> {
        let mut totals = BTreeMap::new();
        for place in &self.places {
            let Some(class) = place.class.get() else { break };
            totals.insert(class.to_string(), place.count.load(Relaxed));
        }
        let other = self.other.load(Relaxed);
        if other > 0 {
            *totals.entry(OTHER.to_owned()).or_default() += other;
        }
        (!totals.is_empty()).then_some(totals)
    }

    fn each<T: Display>(&self, values: &[T]) {
        let mut text = String::new();
        for value in values {
            text.clear();
            // Writing to a string does not fail.
            let _ = write!(text, "{value}");
            self.one(&text);
        }
    }

    fn one(&self, class: &str) {
        let kept = class.len() <= MAX_TEXT;
        for place in self.places.iter().take_while(|_| kept) {
            if **place.class.get_or_init(|| class.into()) == *class {
                place.count.fetch_add(1, Relaxed);
                return;
            }
        }
        self.other.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn labels_of_every_kind_are_counted_as_texts() {
        let counts = ClassCounts::default();
        assert_eq!(counts.totals(), None, "nothing is known yet");
        counts.count(&TensorData::Fp32(vec![1.0]));
        assert_eq!(counts.totals(), None, "scores are no labels");
        counts.count(&TensorData::Int64(vec![1, -1, 1]));
        counts.count(&TensorData::Bool(vec![true]));
        counts.count(&TensorData::Bytes(vec!["churned".to_owned(), "1".to_owned()]));
        let expected = [("-1", 1), ("1", 3), ("churned", 1), ("true", 1)];
        assert_eq!(counts.totals(), Some(expected.map(|(class, count)| (class.to_owned(), count)).into()));
    }

    #[test]
    fn many_classes_and_long_texts_become_other() {
        let counts = ClassCounts::default();
        counts.count(&TensorData::Bytes(vec!["x".repeat(MAX_TEXT + 1), OTHER.to_owned()]));
        counts.count(&TensorData::Uint32((0..100).collect()));
        counts.count(&TensorData::Uint32(vec![0, 30, 31]));
        let totals = counts.totals().unwrap();
        assert_eq!(totals.len(), MAX_CLASSES);
        assert_eq!(totals.values().sum::<u64>(), 105, "every label is counted once");
        assert_eq!((totals["0"], totals["30"], totals[OTHER]), (2, 2, 1 + 1 + 69 + 1));
    }

    #[test]
    fn threads_that_meet_a_class_first_agree_on_its_place() {
        let counts = ClassCounts::default();
        thread::scope(|scope| {
            for thread in 0..8_i64 {
                let labels: Vec<i64> = (0..400).map(|number| (number + thread * 5) % 40).collect();
                scope.spawn(|| counts.count(&TensorData::Int64(labels)));
            }
        });
        let totals = counts.totals().unwrap();
        assert_eq!((totals.len(), totals.values().sum::<u64>()), (MAX_CLASSES + 1, 3200));
        let told_apart = totals.iter().filter(|(class, _)| *class != OTHER);
        assert!(told_apart.map(|(_, count)| *count).all(|count| count == 80), "{totals:?}");
    }
}
