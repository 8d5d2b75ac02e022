//! The numbers of nodes. skops builds what has the number of an earlier node as that node again, whatever stands there; so two nodes of
//! one number must be the same in all that is followed.

use std::collections::HashMap;

use super::value::Part;

/// Numbers that are remembered.
const MAX_NUMBERS: usize = 1 << 19;
/// Numbers above this one are not told apart when they are read.
const LAST_EXACT: f64 = 9_007_199_254_740_991.0;

/// The number that a node says it has.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) enum Id {
    #[default]
    None,
    Number(f64),
    /// Something else, which may equal a number for all that.
    Odd,
}

/// What each number stands for.
#[derive(Debug, Default)]
pub(super) struct Ids(HashMap<u64, [u8; 16]>);

/// What a number tells of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The node is what it says.
    Itself,
    /// An earlier node of the number is something else.
    Another,
    /// It may stand for another one, of which nothing is known.
    Unknown,
}

impl Ids {
    /// Holds a node against an earlier one of its number.
    pub(super) fn tell(&mut self, id: Id, part: &Part) -> Told {
        let number = match id {
            Id::None | Id::Number(0.0) => return Told::Itself,
            Id::Number(number) if number.abs() <= LAST_EXACT => number.to_bits(),
            Id::Number(_) | Id::Odd => return Told::Unknown,
        };
        let print = part.fingerprint();
        match self.0.get(&number) {
            Some(before) if *before != print => Told::Another,
            Some(_) => Told::Itself,
            None if self.0.len() < MAX_NUMBERS => {
                self.0.insert(number, print);
                Told::Itself
            }
            None => Told::Unknown,
        }
    }
}
