//! Bytes read as nodes on their way through, in each form that they may have.

use super::{neighbours, predictor};

/// Where a leaf leads.
const LEAF: i64 = -1;

/// What a run of bytes says, read as nodes. What a number cannot tell is the greatest of them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Nodes {
    pub(super) count: i32,
    /// The last node that one leads to.
    pub(super) last: i32,
    /// The last feature that one asks for.
    pub(super) feature: i32,
    /// One leads back, or asks for a feature below the first.
    pub(super) broken: bool,
    /// How many sets of categories they ask for.
    pub(super) sets: i32,
    /// One more than the last feature that they take for categories.
    pub(super) categories: i32,
    /// How many of what the tree orders they cover.
    pub(super) covered: i32,
}

/// What nodes are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Layout {
    /// A decision tree.
    Tree,
    /// A tree of the histogram boosters.
    Predictor,
    /// The same before scikit-learn 1.2.
    OldPredictor,
    /// A tree of neighbours.
    Neighbours,
}

impl Layout {
    /// How nodes of this many bytes are read.
    pub(in super::super) fn form(self, width: u32) -> Option<Form> {
        match (self, width) {
            (Self::Tree, 56) => Some(Form::Narrow),
            (Self::Tree, 64) => Some(Form::Wide),
            (Self::Predictor, 56) => Some(Form::Predictor),
            (Self::OldPredictor, 52) => Some(Form::OldPredictor),
            (Self::Neighbours, 32) => Some(Form::Neighbours),
            _ => None,
        }
    }
}

/// How the bytes of nodes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Form {
    /// A decision tree's before scikit-learn 1.3.
    Narrow,
    /// A decision tree's since then.
    Wide,
    /// A histogram booster's.
    Predictor,
    /// The same before scikit-learn 1.2.
    OldPredictor,
    /// A tree of neighbours'.
    Neighbours,
}

/// How many forms there are.
pub(in super::super) const FORMS: usize = Form::ALL.len();

impl Form {
    pub(in super::super) const ALL: [Self; 5] =
        [Self::Narrow, Self::Wide, Self::Predictor, Self::OldPredictor, Self::Neighbours];

    fn width(self) -> usize {
        match self {
            Self::Narrow | Self::Predictor => 56,
            Self::Wide => 64,
            Self::OldPredictor => 52,
            Self::Neighbours => 32,
        }
    }
}

/// Bytes on their way through, as nodes of one width.
#[derive(Debug)]
pub(in super::super) struct Reader {
    form: Form,
    width: usize,
    /// Bytes of a node that has begun.
    begun: Vec<u8>,
    nodes: Nodes,
}

impl Reader {
    pub(in super::super) fn new(form: Form) -> Self {
        Self { form, width: form.width(), begun: Vec::new(), nodes: Nodes::default() }
    }

    pub(in super::super) fn add(&mut self, piece: &[u8]) {
        if self.nodes.broken {
            // Whatever follows makes them no better; only how many bytes there are is told still.
            self.skip(piece.len());
            return;
        }
        let missing = if self.begun.is_empty() { 0 } else { self.width - self.begun.len() };
        let (head, rest) = piece.split_at(missing.min(piece.len()));
        self.begun.extend_from_slice(head);
        if self.begun.len() == self.width {
            let node = std::mem::take(&mut self.begun);
            self.next(&node);
        }
        let nodes = rest.chunks_exact(self.width);
        self.begun.extend_from_slice(nodes.remainder());
        for node in nodes {
            self.next(node);
            if self.nodes.broken {
                return;
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        let begun = (self.begun.len() + bytes) % self.width;
        self.begun.clear();
        self.begun.resize(begun, 0);
    }

    fn next(&mut self, node: &[u8]) {
        match self.form {
            Form::Predictor => return predictor::next(node, 8, &mut self.nodes),
            Form::OldPredictor => return predictor::next(node, 4, &mut self.nodes),
            Form::Neighbours => return neighbours::next(node, &mut self.nodes),
            Form::Narrow | Form::Wide => {}
        }
        let [left, right, feature, ..] = node.as_chunks::<8>().0 else { return };
        let [left, right, feature] = [left, right, feature].map(|bytes| i64::from_le_bytes(*bytes));
        let nodes = &mut self.nodes;
        if left != LEAF {
            nodes.lead(left, right, feature);
        }
        nodes.count = nodes.count.saturating_add(1);
    }

    /// What it was; `None` where it ends in the middle of a node.
    pub(in super::super) fn end(self) -> Option<Nodes> {
        self.begun.is_empty().then_some(self.nodes)
    }
}

impl Nodes {
    /// Takes a node in that leads to two others.
    pub(super) fn lead(&mut self, left: i64, right: i64, feature: i64) {
        // A child is always made behind its parent.
        let here = i64::from(self.count);
        self.broken |= left <= here || right <= here || feature < 0;
        self.last = self.last.max(capped(left)).max(capped(right));
        self.feature = self.feature.max(capped(feature));
    }

    /// Whether each leads to one that there is.
    pub(super) fn lead_inside(&self) -> bool {
        !self.broken && self.last < self.count
    }
}

/// A number as far as it can be told.
pub(super) fn capped(number: i64) -> i32 {
    i32::try_from(number.max(0)).unwrap_or(i32::MAX)
}
