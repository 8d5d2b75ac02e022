//! The older trees (B-tree version 1): children between keys, in nodes of one size that know their neighbours.
//!
//! A reader goes through such a tree in two ways, from neighbour to neighbour and by comparing keys, so that both are held
//! against the file: what only one of them finds is damage.

use std::{collections::HashSet, rc::Rc};

use super::{
    fields::{Fault, Fields},
    image::Image,
    walk::MAX_OBJECTS,
};

/// Levels of a tree: each has at least two entries, and addresses have 64 bits.
const MAX_LEVEL: u8 = 64;

/// What a tree is of.
pub(super) trait Keys {
    /// The number of this kind of tree.
    const KIND: u8;
    type Key;

    /// Bytes of a key.
    fn length(&self, image: &Image) -> u64;
    /// Half of the children that a node has room for.
    fn half(&self, image: &Image) -> u16;
    fn read(&self, image: &Image, fields: &mut Fields<'_>) -> Result<Self::Key, Fault>;
    /// Whether a key stands before another.
    fn before(&self, left: &Self::Key, right: &Self::Key) -> bool;
}

/// The key to the left of a child, and what all levels leave of the place around it.
pub(super) struct Between<K> {
    pub(super) left: Rc<K>,
    /// The greatest of the keys to the left, and the least of those to the right.
    pub(super) lower: Rc<K>,
    pub(super) upper: Rc<K>,
}

/// A node that is still to be read: its address, and what is above and around it where it is not the root.
type Open<K> = (u64, Option<(u8, Between<K>)>);

/// What the children of the lowest nodes are handed to, from left to right.
pub(super) type Take<'a, K> = dyn FnMut(&mut Image, u64, &Between<K>) -> Result<(), Fault> + 'a;

/// Hands out each child of the lowest nodes.
pub(super) fn each<K: Keys>(
    image: &mut Image,
    root: u64,
    keys: &K,
    take: &mut Take<'_, K::Key>,
) -> Result<(), Fault> {
    let mut open: Vec<Open<K::Key>> = vec![(root, None)];
    let mut seen = HashSet::from([root]);
    let mut neighbours = Neighbours::default();
    while let Some((address, above)) = open.pop() {
        let node = Node::read(image, address, keys)?;
        if above
            .as_ref()
            .map_or(node.level > MAX_LEVEL, |(above, _)| node.level.checked_add(1) != Some(*above))
        {
            return Err(Fault::Bad { at: image.place(address), what: "a tree that leads back to itself" });
        }
        neighbours.meet(image, address, &node)?;
        let children = node.between(keys, above.as_ref().map(|(_, around)| around))?;
        for (child, between) in node.children.iter().zip(&children) {
            if node.level == 0 {
                take(image, *child, between)?;
            } else if !seen.insert(*child) {
                return Err(Fault::Bad {
                    at: image.place(address),
                    what: "a tree that has a node in two places",
                });
            }
        }
        if node.level > 0 {
            let below = node.children.iter().copied().zip(children).rev();
            open.extend(below.map(|(child, between)| (child, Some((node.level, between)))));
        }
        if open.len() > MAX_OBJECTS {
            return Err(Fault::Limit {
                at: image.place(address),
                what: "a tree of more nodes than are followed",
            });
        }
    }
    neighbours.end(image)
}

struct Node<K> {
    place: u64,
    level: u8,
    left: u64,
    right: u64,
    children: Vec<u64>,
    /// One more than children.
    keys: Vec<Rc<K>>,
}

impl<K> Node<K> {
    fn read<F: Keys<Key = K>>(image: &mut Image, address: u64, form: &F) -> Result<Self, Fault> {
        let wide = image.offset_width;
        let place = image.place(address);
        let head = image.bytes(address, 8 + 2 * wide as u64)?;
        let mut fields = Fields::new(&head, place);
        fields.signature(*b"TREE", "no tree is here")?;
        if fields.u8()? != F::KIND {
            return Err(fields.bad("a tree of another kind"));
        }
        let level = fields.u8()?;
        let count = u64::from(fields.u16()?);
        let (left, right) = (fields.number(wide)?, fields.number(wide)?);
        let (key, most) = (form.length(image), 2 * u64::from(form.half(image)));
        if count > most {
            return Err(fields.bad("a node with more children than it has room for"));
        }
        // A reader takes a node as a whole, whatever is used of it.
        let body = address + head.len() as u64;
        let room = most * (key + wide as u64) + key;
        if !image.holds(body, room) {
            return Err(Fault::Outside { at: image.place(body), length: room });
        }
        let bytes = image.bytes(body, count * (key + wide as u64) + key)?;
        let mut fields = Fields::new(&bytes, image.place(body));
        let mut node = Self { place, level, left, right, children: Vec::new(), keys: Vec::new() };
        for _ in 0..count {
            node.keys.push(Rc::new(form.read(image, &mut fields)?));
            node.children.push(fields.number(wide)?);
        }
        node.keys.push(Rc::new(form.read(image, &mut fields)?));
        Ok(node)
    }

    /// What lies around each child.
    fn between<F: Keys<Key = K>>(
        &self,
        form: &F,
        above: Option<&Between<K>>,
    ) -> Result<Vec<Between<K>>, Fault> {
        let mut all = Vec::new();
        for pair in self.keys.windows(2) {
            let [left, right] = pair else { continue };
            if !form.before(left, right) {
                return Err(Fault::Bad { at: self.place, what: "a tree whose keys are in no order" });
            }
            let pick = |own: &Rc<K>, outer: Option<&Rc<K>>, outer_wins: &dyn Fn(&K) -> bool| {
                Rc::clone(outer.filter(|outer| outer_wins(outer)).unwrap_or(own))
            };
            all.push(Between {
                lower: pick(left, above.map(|above| &above.lower), &|outer| form.before(left, outer)),
                upper: pick(right, above.map(|above| &above.upper), &|outer| form.before(outer, right)),
                left: Rc::clone(left),
            });
        }
        Ok(all)
    }
}

/// The last node that was met on each level, and which one it says comes after it.
#[derive(Default)]
struct Neighbours(Vec<Option<(u64, u64)>>);

impl Neighbours {
    /// Nodes of a level are met from left to right.
    fn meet<K>(&mut self, image: &Image, address: u64, node: &Node<K>) -> Result<(), Fault> {
        let level = usize::from(node.level);
        self.0.resize(self.0.len().max(level + 1), None);
        let (before, expected) = self.0[level].unwrap_or((image.undefined(), address));
        if node.left != before || expected != address {
            return Err(Fault::Bad {
                at: node.place,
                what: "a node of a tree that does not know its neighbours",
            });
        }
        self.0[level] = Some((address, node.right));
        Ok(())
    }

    fn end(&self, image: &Image) -> Result<(), Fault> {
        match self.0.iter().flatten().find(|(_, right)| *right != image.undefined()) {
            None => Ok(()),
            Some((address, _)) => {
                Err(Fault::Bad { at: image.place(*address), what: "a tree without all its nodes" })
            }
        }
    }
}
