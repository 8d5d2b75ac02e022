//! Nodes of scikit-learn's trees. `Tree.__setstate__` copies them as they are (`sklearn/tree/_tree.pyx`), and predictions follow
//! their indices without a check: to memory that is not the model's, or round in a circle for ever.
//!
//! The bytes of an array go by before it is told whose they are, so each run of them is read as nodes from where `Tree` is named.
//! A node is 64 bytes since scikit-learn 1.3, and was 56 before; the library refuses other layouts.

pub(crate) mod asked;
pub(crate) mod neighbours;
mod predictor;
mod read;
pub(crate) mod stored;
#[cfg(test)]
mod tests;

pub(super) use asked::Asks;
pub(super) use neighbours::{Metric, keeps_points};
pub(super) use predictor::{SET_WIDTH, keeps_categories};
use read::capped;
pub(super) use read::{FORMS, Form, Layout, Nodes, Reader};

use super::{
    machine::Machine,
    value::{Element, Kind, Value},
};
use crate::rules;

/// The class, which only scikit-learn's own models hold.
const TREE: (&str, &str) = ("sklearn.tree._tree", "Tree");
/// The parts of a node that lead somewhere. Each takes eight bytes, from the first on.
const PARTS: &[(&str, i32, u32)] = &[("left_child", 0, 8), ("right_child", 8, 8), ("feature", 16, 8)];

impl Machine<'_, '_> {
    /// From here on, arrays may be nodes.
    pub(super) fn expect_nodes(&mut self, module: &str, name: &str) {
        self.trees |= [TREE, predictor::CLASS].contains(&(module, name)) || neighbours::is_tree(module, name);
    }

    fn is_tree(&self, class: u32) -> bool {
        let class = &self.globals[class as usize];
        (class.module.as_str(), class.name.as_str()) == TREE
    }

    /// What the result of a call is, where trees are made of it.
    pub(super) fn tree_part(&self, callee: u32, arguments: &[Value]) -> Option<Element> {
        if self.is_tree(callee) {
            let [Value::Int(features), ..] = arguments else { return None };
            return Some(Element::Tree(*features));
        }
        None
    }

    /// What structured elements are whose parts that matter are read as what they are: scikit-learn copies them one after the
    /// other where the types are not the same.
    pub(super) fn node_layout(&self, names: Value, fields: Value) -> Option<Layout> {
        let (layout, _) = layouts().into_iter().find(|(_, parts)| self.has_parts(names, fields, parts))?;
        self.trees.then_some(layout)
    }

    /// Whether a structured type begins with these parts, by name, offset and bytes.
    fn has_parts(&self, names: Value, fields: Value, parts: &[(&str, i32, u32)]) -> bool {
        let is_text = |value: &Value, text: &str| matches!(value, Value::Text(number) if self.texts.get(*number) == text);
        let (Some(names), Some(fields)) = (
            self.heap.recall(names).filter(|_| self.heap.is(names, Kind::Tuple)),
            self.heap.recall(fields).filter(|_| self.heap.is(fields, Kind::Dict)),
        ) else {
            return false;
        };
        let is_part = |(at, (name, offset, width)): (usize, &(&str, i32, u32))| {
            // The last of those that have one name counts, and a key of another kind may equal any.
            let mut named = fields.chunks_exact(2).filter(|field| is_text(&field[0], name));
            let (Some(field), None) = (named.next(), named.next()) else { return false };
            let part = self.heap.recall(field[1]);
            names.get(at).is_some_and(|first| is_text(first, name))
                && matches!(part, Some([Value::Object(kind), Value::Int(told), ..])
                    if told == offset && self.is_number(*kind, *width))
        };
        fields.iter().step_by(2).all(|key| matches!(key, Value::Text(_)))
            && parts.iter().enumerate().all(is_part)
    }

    /// Whether a type is a number of so many bytes as nodes have it.
    fn is_number(&self, kind: u32, width: u32) -> bool {
        let kind = self.heap.get(kind);
        kind.element == Element::Plain(width) && (kind.little || width == 1)
    }

    /// Holds the nodes of a tree against what there is.
    pub(super) fn check_tree(&mut self, class: u32, target: Value, state: Value) {
        if !self.is_tree(class) {
            return;
        }
        let features = match target {
            Value::Object(id) => match self.heap.get(id).element {
                Element::Tree(features) => Some(features),
                _ => None,
            },
            _ => None,
        };
        let (mut nodes, mut told) = (None, None);
        for pair in self.heap.recall(state).unwrap_or_default().chunks_exact(2) {
            let Value::Text(key) = pair[0] else { continue };
            match (self.texts.get(key), pair[1]) {
                ("nodes", array) => nodes = self.array(array).and_then(|array| array.nodes[0]),
                ("node_count", Value::Int(count)) => told = Some(count),
                _ => {}
            }
        }
        let (Some(features), Some(nodes), Some(told)) = (features, nodes, told) else {
            self.note(
                &rules::PICKLE_LIMIT,
                "a tree whose nodes are not followed; write the model again with joblib",
            );
            return;
        };
        self.ask(target, &nodes);
        if !nodes.lead_inside() || nodes.feature >= features || told > nodes.count {
            let message = "nodes of a tree that lead outside of it, back, or to a feature that there is not; \
                predictions would read other memory, or never end";
            self.note_about(&rules::BAD_BUILD, "sklearn.tree._tree.Tree", message);
        }
    }
}

/// The parts of nodes that matter, by what they are of.
fn layouts() -> [(Layout, Vec<stored::Field<'static>>); 4] {
    [
        (Layout::Tree, PARTS.to_vec()),
        (Layout::Predictor, predictor::parts(8)),
        (Layout::OldPredictor, predictor::parts(4)),
        (Layout::Neighbours, neighbours::PARTS.to_vec()),
    ]
}

/// Whether an encoding gives each sign as the byte that it stands for.
pub(super) fn is_latin(codec: &str) -> bool {
    matches!(codec, "latin1" | "latin-1" | "iso-8859-1")
}

/// Hands on the bytes that the signs of a text stand for, up to the first that stands for none. `begun` is the first byte of a sign
/// that the piece before ended in.
pub(super) fn latin(text: &[u8], begun: &mut u8, mut add: impl FnMut(&[u8])) {
    let mut bytes = vec![0; text.len()];
    let mut count = 0;
    // Without a branch: which bytes are whole signs is as good as chance.
    for byte in text {
        let opens = *byte >= 0xc0;
        bytes[count] = if *byte < 0x80 { *byte } else { *begun << 6 | byte & 0x3f };
        count += usize::from(!opens);
        *begun = if opens { *byte } else { *begun };
    }
    add(&bytes[..count]);
}
