//! Distinct short texts: names of modules, classes and attributes, and whatever else is short. A model of texts has a vocabulary of
//! up to some million words, so they stand one behind the other, and are found by a table of their numbers.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::value::Full;

/// Bytes that they may take, each with what it takes to find it.
const MAX_BYTES: usize = 48 << 20;
/// Bytes that it takes to find one.
const EACH: usize = 12;

#[derive(Debug, Default)]
pub(super) struct Texts {
    all: String,
    /// Where each ends in `all`.
    ends: Vec<u32>,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

impl Texts {
    pub(super) fn number(&mut self, text: &str) -> Result<u32, Full> {
        let hash = self.hasher.hash_one(text);
        if let Some(number) = self.numbers.find(hash, |number| self.get(*number) == text) {
            return Ok(*number);
        }
        if self.all.len() + text.len() + EACH * (self.ends.len() + 1) > MAX_BYTES {
            return Err(Full);
        }
        let number = u32::try_from(self.ends.len()).map_err(|_error| Full)?;
        self.all.push_str(text);
        self.ends.push(u32::try_from(self.all.len()).map_err(|_error| Full)?);
        let Self { all, ends, numbers, hasher } = self;
        numbers.insert_unique(hash, number, |number| hasher.hash_one(get(all, ends, *number)));
        Ok(number)
    }

    pub(super) fn get(&self, number: u32) -> &str {
        get(&self.all, &self.ends, number)
    }
}

fn get<'a>(all: &'a str, ends: &[u32], number: u32) -> &'a str {
    let number = number as usize;
    let begin = number.checked_sub(1).map_or(0, |before| ends[before]);
    &all[begin as usize..ends[number] as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number() {
        let mut texts = Texts::default();
        let words: Vec<String> = (0..5_000).map(|word| format!("{word:x}")).collect();
        for _ in 0..2 {
            for (number, word) in (0..).zip(&words) {
                assert_eq!(texts.number(word), Ok(number));
                assert_eq!(texts.get(number), word);
            }
        }
        assert_eq!(texts.number(""), Ok(5_000));
        assert_eq!(texts.get(5_000), "");
    }

    #[test]
    fn there_is_an_end_to_them() {
        let mut texts = Texts::default();
        let long = "x".repeat(1 << 20);
        let full =
            (0..100).map(|word| texts.number(&format!("{word}{long}"))).position(|number| number.is_err());
        assert_eq!(full, Some(47));
        assert_eq!(texts.number(&format!("7{long}")), Ok(7), "what is there is found still");
    }
}
