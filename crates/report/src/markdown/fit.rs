//! Making a page fit: what is least important goes first, and the page says what went.

use super::{block::Block, inline::Inline};

/// How long a page may be. Sizes below 6,000 are taken as 6,000: less cannot hold a headline and a footer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    units: usize,
    bytes: usize,
    rows: usize,
}

const LEAST: usize = 6_000;

impl Default for Limits {
    /// Those of a comment.
    fn default() -> Self {
        Self::COMMENT
    }
}

impl Limits {
    /// A comment: forges refuse more than 65,536 characters or 262,144 bytes; room is left for the hidden marker.
    pub const COMMENT: Self = Self { units: 60_000, bytes: 240_000, rows: 25 };
    /// A step summary: a runner drops one of more than 1 MiB as a whole.
    pub const SUMMARY: Self = Self { units: (1 << 20) - 4096, bytes: (1 << 20) - 4096, rows: 300 };

    /// At most this many characters, counted as UTF-16 units (never fewer than characters), and bytes of UTF-8, and
    /// at most this many rows of one table.
    pub fn new(units: usize, bytes: usize, rows: usize) -> Self {
        Self { units: units.max(LEAST), bytes: bytes.max(LEAST), rows: rows.max(1) }
    }

    /// Most rows of one table.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// What is left of the limits for a share of the page, in percent.
    pub(crate) fn share(&self, percent: usize) -> Self {
        Self { units: self.units * percent / 100, bytes: self.bytes * percent / 100, rows: self.rows }
    }

    /// What is left when `size` is taken.
    pub(crate) fn less(&self, size: Size) -> Self {
        let Size { units, bytes } = size;
        Self {
            units: self.units.saturating_sub(units),
            bytes: self.bytes.saturating_sub(bytes),
            rows: self.rows,
        }
    }

    /// Whether a text of this size is within.
    pub(crate) fn holds(&self, size: Size) -> bool {
        size.units <= self.units && size.bytes <= self.bytes
    }
}

/// The size of a text in both measures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    units: usize,
    bytes: usize,
}

impl Size {
    /// From numbers.
    pub(crate) const fn new(units: usize, bytes: usize) -> Self {
        Self { units, bytes }
    }

    /// The size of a text.
    pub(crate) fn of(text: &str) -> Self {
        Self { units: text.encode_utf16().count(), bytes: text.len() }
    }

    /// Together.
    #[must_use]
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { units: self.units + other.units, bytes: self.bytes + other.bytes }
    }

    fn minus(self, other: Self) -> Self {
        Self { units: self.units.saturating_sub(other.units), bytes: self.bytes.saturating_sub(other.bytes) }
    }
}

/// How important a block is; the last ones are dropped first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Cause and what to do.
    Cause,
    /// The strip of stages.
    Stages,
    /// What failed.
    Culprits,
    /// The shares of traffic that a rollout goes through.
    Way,
    /// Candidate against stable.
    Metrics,
    /// What is watched since.
    Monitoring,
    /// What, which version and why.
    Facts,
    /// What happened so far.
    Timeline,
    /// What to do when all is well.
    Command,
    /// What passed.
    Passed,
    /// The rest.
    Rest,
    /// How metrics went look by look.
    Looks,
}

/// A block that may be dropped.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// How important it is.
    pub(crate) rank: Rank,
    /// What it is, for the line that says what is missing; plural or a mass noun, e.g. `the timeline`.
    pub(crate) name: &'static str,
    /// What it shows.
    pub(crate) block: Block,
}

/// All blocks of one model, and how much its details matter.
#[derive(Debug)]
pub(crate) struct Parts {
    /// The blocks in reading order.
    pub(crate) list: Vec<Part>,
    /// Whether all is well, so that its details go before those of a model that needs attention.
    pub(crate) calm: bool,
    /// Line that unfolds them, and whether they are unfolded already; shown as they are where there is none.
    pub(crate) fold: Option<(Inline, bool)>,
    /// Names of the blocks that were dropped.
    dropped: Vec<&'static str>,
}

impl Parts {
    /// Nothing is dropped yet.
    pub(crate) fn new(list: Vec<Part>, calm: bool, fold: Option<(Inline, bool)>) -> Self {
        Self { list, calm, fold, dropped: Vec::new() }
    }

    /// Whether nothing is left to unfold.
    pub(crate) fn is_gone(&self) -> bool {
        self.fold.is_some() && self.list.is_empty() && !self.dropped.is_empty()
    }

    /// As one block; empty where nothing is left to unfold.
    pub(crate) fn block(&self, place: &Inline) -> Block {
        let mut blocks: Vec<Block> = self.list.iter().map(|part| part.block.clone()).collect();
        match &self.fold {
            Some(_) if self.list.is_empty() => return Block::default(),
            _ if self.dropped.is_empty() => {}
            _ => blocks.push(Block::paragraph(&self.missing(place))),
        }
        match &self.fold {
            Some((line, open)) => Block::fold(line, *open, &blocks),
            None => Block::stack(&blocks),
        }
    }

    fn missing(&self, place: &Inline) -> Inline {
        let mut names = self.dropped.clone();
        names.sort_unstable();
        names.dedup();
        let names = Inline::join(names.into_iter().map(Inline::fixed), ", ");
        Inline::fixed("<sub>✂️ Left out to keep this short: ")
            .and(names)
            .and(Inline::fixed(" – see "))
            .and(place.clone())
            .and(Inline::fixed(".</sub>"))
    }
}

/// Drops blocks until all of them fit, least important first, from calm models before others, from the last model
/// before the first.
pub(crate) fn fit(all: &mut [Parts], limits: Limits, place: &Inline) {
    let sizes: Vec<Size> = all.iter().map(|parts| Size::of(parts.block(place).as_str())).collect();
    let mut total = sizes.iter().fold(Size::default(), |sum, size| sum.plus(*size).plus(GAP));
    let mut sizes = sizes;
    let mut order: Vec<(usize, bool, usize, &'static str)> = Vec::new();
    for (index, parts) in all.iter().enumerate() {
        for part in &parts.list {
            // Two ranks: what passed for a model in trouble is worth as much as the timeline of a calm one.
            let worth = part.rank as usize + if parts.calm { 2 } else { 0 };
            order.push((worth, parts.calm, index, part.name));
        }
    }
    order.sort_unstable();
    while !limits.holds(total) {
        let Some((_, _, index, name)) = order.pop() else { return };
        let parts = &mut all[index];
        parts.list.retain(|part| part.name != name);
        parts.dropped.push(name);
        let now = Size::of(parts.block(place).as_str());
        total = total.minus(sizes[index]).plus(now);
        sizes[index] = now;
    }
}

/// The blank line between two blocks.
pub(crate) const GAP: Size = Size { units: 1, bytes: 1 };
