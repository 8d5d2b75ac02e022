//! Bytes read as whole numbers on their way through.

/// What a run of bytes says, read as little-endian numbers of one width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) count: u64,
    pub(super) least: i64,
    pub(super) greatest: i64,
    /// All of them together, or the greatest that can be told; nothing where one is below zero.
    pub(super) sum: i32,
    /// One is below the one before; nothing where one is below zero.
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
            self.add(&number);
        }
        let begun = match self.width {
            4 => {
                let (numbers, begun) = rest.as_chunks();
                self.all(numbers.iter().map(|number| i32::from_le_bytes(*number)));
                begun
            }
            _ => {
                let (numbers, begun) = rest.as_chunks();
                self.all(numbers.iter().map(|number| i64::from_le_bytes(*number)));
                begun
            }
        };
        self.begun.extend_from_slice(begun);
    }

    /// Takes whole numbers in. What a float is, read as one, is soon below zero: then only the bounds of all matter, and a
    /// processor finds those of many at a time.
    fn all<N: Copy + Ord + Into<i64>>(&mut self, mut numbers: impl ExactSizeIterator<Item = N>) {
        while self.numbers.least >= 0
            && let Some(number) = numbers.next()
        {
            self.next(number.into());
        }
        self.numbers.count += numbers.len() as u64;
        let Some(first) = numbers.next() else { return };
        let (least, greatest) = numbers
            .fold((first, first), |(least, greatest), number| (least.min(number), greatest.max(number)));
        self.numbers.least = self.numbers.least.min(least.into());
        self.numbers.greatest = self.numbers.greatest.max(greatest.into());
    }

    fn next(&mut self, number: i64) {
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
