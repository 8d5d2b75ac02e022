//! Nodes of scikit-learn's trees. `Tree.__setstate__` copies them as they are (`sklearn/tree/_tree.pyx`), and predictions follow
//! their indices without a check: to memory that is not the model's, or round in a circle for ever.
//!
//! The bytes of an array go by before it is told whose they are, so each run of them is read as nodes from where `Tree` is named.
//! A node is 64 bytes since scikit-learn 1.3, and was 56 before; the library refuses other layouts.

mod asked;
mod predictor;
mod read;
#[cfg(test)]
mod tests;

pub(super) use predictor::SET_WIDTH;
pub(super) use read::{FORMS, Form, Layout, Nodes, Reader};

use super::{
    content::{Content, Look},
    machine::Machine,
    value::{Element, Kind, Value},
};
use crate::rules;

/// The class, which only scikit-learn's own models hold.
const TREE: (&str, &str) = ("sklearn.tree._tree", "Tree");
/// The parts of a node that lead somewhere. Each takes eight bytes, from the first on.
const PARTS: &[(&str, i32, u32)] = &[("left_child", 0, 8), ("right_child", 8, 8), ("feature", 16, 8)];
/// Arrays of nodes that are remembered.
const MAX_ARRAYS: usize = 1 << 17;
impl Machine<'_, '_> {
    /// From here on, arrays may be nodes.
    pub(super) fn expect_nodes(&mut self, module: &str, name: &str) {
        self.trees |= [TREE, predictor::CLASS].contains(&(module, name));
    }

    fn is_tree(&self, class: u32) -> bool {
        let class = &self.globals[class as usize];
        (class.module.as_str(), class.name.as_str()) == TREE
    }

    /// What the result of a call is, where trees are made of it.
    pub(super) fn tree_part(&mut self, callee: u32, arguments: &[Value]) -> Option<Element> {
        if self.is_tree(callee) {
            let [Value::Int(features), ..] = arguments else { return None };
            return Some(Element::Tree(*features));
        }
        match (self.globals[callee as usize].name.as_str(), arguments) {
            // Bytes as protocol 2 and older carry them: a text whose signs they are.
            ("encode", [text, Value::Text(codec)]) if is_latin(self.texts.get(*codec)) => {
                self.bytes_of(*text).map(|content| self.nodes_of(content)).map(Element::Raw)
            }
            ("_frombuffer", [bytes, kind, shape, ..]) => {
                self.array_of(*bytes, *kind).or_else(|| self.sets_of(*kind, *shape))
            }
            // As dill writes an array.
            ("_create_array", [_, _, state, _]) => {
                let [shape, kind, bytes] = self.array_state(*state)?;
                self.array_of(bytes, kind).or_else(|| self.sets_of(kind, shape))
            }
            _ => None,
        }
    }

    /// Shape, type and bytes of an array in its state, `(version, shape, dtype, order, bytes)`.
    fn array_state(&self, state: Value) -> Option<[Value; 3]> {
        match self.heap.recall(state)? {
            [_, shape, kind, _, bytes] => Some([*shape, *kind, *bytes]),
            _ => None,
        }
    }

    /// Notes what an array gets for its bytes.
    pub(super) fn keep_nodes(&mut self, target: Value, state: Value) {
        let Value::Object(id) = target else { return };
        let element = self.array_state(state).and_then(|[shape, kind, bytes]| {
            self.array_of(bytes, kind).or_else(|| self.sets_of(kind, shape))
        });
        self.heap.get_mut(id).element = element.unwrap_or(Element::Unknown);
    }

    /// What structured elements are whose parts that matter are read as what they are: scikit-learn copies them one after the
    /// other where the types are not the same.
    pub(super) fn node_layout(&self, names: Value, fields: Value) -> Option<Layout> {
        let layouts = [
            (Layout::Tree, PARTS.to_vec()),
            (Layout::Predictor, predictor::parts(8)),
            (Layout::OldPredictor, predictor::parts(4)),
        ];
        let (layout, _) = layouts.into_iter().find(|(_, parts)| self.has_parts(names, fields, parts))?;
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

    fn array_of(&mut self, bytes: Value, kind: Value) -> Option<Element> {
        let Value::Object(kind) = kind else { return None };
        let kind = self.heap.get(kind);
        let Element::Plain(width) = kind.element else { return None };
        let form = kind.nodes?.form(width)?;
        let forms = match bytes {
            Value::Object(id) => match self.heap.get(id).element {
                Element::Raw(number) => *self.arrays.get(number as usize)?,
                _ => return None,
            },
            bytes => self.bytes_of(bytes)?.nodes,
        };
        let nodes = Form::ALL.iter().zip(forms).find_map(|(one, nodes)| nodes.filter(|_| *one == form));
        Some(Element::Raw(self.array([nodes; FORMS])))
    }

    /// The content of bytes, or of a text each of whose signs is a byte.
    fn bytes_of(&self, value: Value) -> Option<Content> {
        match value {
            Value::Buffer(number) | Value::Latin(number) => self.buffers.get(number as usize).copied(),
            Value::Text(number) => {
                let mut look = Look::default();
                latin(self.texts.get(number).as_bytes(), &mut 0, |bytes| look.add(bytes));
                Some(look.end())
            }
            _ => None,
        }
    }

    fn nodes_of(&mut self, content: Content) -> u32 {
        self.array(content.nodes)
    }

    /// Remembers an array by what it is as nodes of either width.
    pub(super) fn array(&mut self, nodes: [Option<Nodes>; FORMS]) -> u32 {
        if self.arrays.len() < MAX_ARRAYS {
            self.arrays.push(nodes);
            return u32::try_from(self.arrays.len() - 1).unwrap_or(u32::MAX);
        }
        // One that is not remembered is none whose nodes are known.
        u32::MAX
    }

    /// Holds the nodes of a tree against what there is.
    pub(super) fn check_tree(&mut self, class: u32, target: Value, state: Value) {
        if !self.is_tree(class) {
            return;
        }
        let features = match target {
            Value::Object(id) => match self.heap.get(id).element {
                Element::Tree(features) => Some(i64::from(features)),
                _ => None,
            },
            _ => None,
        };
        let (mut nodes, mut told) = (None, None);
        for pair in self.heap.recall(state).unwrap_or_default().chunks_exact(2) {
            let Value::Text(key) = pair[0] else { continue };
            match (self.texts.get(key), pair[1]) {
                ("nodes", Value::Object(id)) => {
                    if let Element::Raw(number) = self.heap.get(id).element {
                        nodes = self.arrays.get(number as usize).and_then(|forms| forms[0]);
                    }
                }
                ("node_count", Value::Int(count)) => told = Some(i64::from(count)),
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

/// Whether an encoding gives each sign as the byte that it stands for.
pub(super) fn is_latin(codec: &str) -> bool {
    matches!(codec, "latin1" | "latin-1" | "iso-8859-1")
}

/// Hands on the bytes that the signs of a text stand for, up to the first that stands for none. `begun` is the first byte of a sign
/// that the piece before ended in.
pub(super) fn latin(text: &[u8], begun: &mut u8, mut add: impl FnMut(&[u8])) {
    let mut bytes = Vec::with_capacity(text.len());
    for byte in text {
        match *byte {
            low @ 0..0x80 => bytes.push(low),
            high @ 0x80..0xc0 => bytes.push(*begun << 6 | high & 0x3f),
            first => *begun = first,
        }
    }
    add(&bytes);
}
