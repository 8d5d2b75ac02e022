//! Bytes read as whole numbers on their way through.

/// What a run of bytes says, read as little-endian numbers of one width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) count: u64,
    pub(super) least: i64,
    pub(super) greatest: i64,
    /// All of them together where none is below zero, or the greatest that can be told.
    pub(super) sum: i32,
    /// One is below the one before.
    pub(super) falls: bool,
}

impl Numbers {
    const NONE: Self = Self { count: 0, least: i64::MAX, greatest: i64::MIN, sum: 0, falls: false };

    /// Whether each is a place among so many; where there are none, any are enough.
    pub(super) fn are_places(&self, places: i64) -> bool {
        self.count == 0 || (self.least >= 0 && self.greatest < places)
    }

    /// The first and the last of them, where none is below zero or below the one before. Two zeros stand for none.
    pub(super) fn offsets(&self) -> Option<(u64, u64)> {
        if self.count == 0 {
            return Some((0, 0));
        }
        let (first, last) = (self.least.try_into().ok()?, self.greatest.try_into().ok()?);
        (!self.falls).then_some((first, last))
    }
}

/// Reads numbers of one width.
#[derive(Debug)]
pub(super) struct Reader {
    width: usize,
    /// Bytes of a number that has begun.
    begun: Vec<u8>,
    last: i64,
    numbers: Numbers,
}

impl Reader {
    /// Of four or eight bytes each.
    pub(super) fn new(width: usize) -> Self {
        Self { width, begun: Vec::new(), last: i64::MIN, numbers: Numbers::NONE }
    }

    pub(super) fn add(&mut self, piece: &[u8]) {
        let missing = if self.begun.is_empty() { 0 } else { self.width - self.begun.len() };
        let (head, rest) = piece.split_at(missing.min(piece.len()));
        self.begun.extend_from_slice(head);
        if self.begun.len() == self.width {
            let number = std::mem::take(&mut self.begun);
            self.next(&number);
        }
        let numbers = rest.chunks_exact(self.width);
        self.begun.extend_from_slice(numbers.remainder());
        for number in numbers {
            self.next(number);
        }
    }

    fn next(&mut self, number: &[u8]) {
        let number = match <[u8; 4]>::try_from(number) {
            Ok(narrow) => i64::from(i32::from_le_bytes(narrow)),
            Err(_) => match number.try_into() {
                Ok(wide) => i64::from_le_bytes(wide),
                Err(_) => return,
            },
        };
        let numbers = &mut self.numbers;
        numbers.falls |= number < self.last;
        self.last = number;
        numbers.count += 1;
        numbers.sum = numbers.sum.saturating_add(i32::try_from(number).unwrap_or(i32::MAX));
        numbers.least = numbers.least.min(number);
        numbers.greatest = numbers.greatest.max(number);
    }

    /// What they were; `None` where the bytes end in the middle of one.
    pub(super) fn end(self) -> Option<Numbers> {
        self.begun.is_empty().then_some(self.numbers)
    }
}
