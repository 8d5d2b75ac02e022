//! XGBoost's old binary format, which it wrote by default up to 1.x and under other names than `.json` and `.ubj` up
//! to 2.x (`learner.cc`, `gbtree_model.h`, `tree_model.cc` of dmlc/xgboost at 1.7). Everything is little-endian and
//! of fixed size, behind counts that the native loader trusts.

use crate::{
    findings::Findings,
    rules,
    stream::{Stop, Stream},
};

const MAGIC: &[u8] = b"binf";
/// Bytes of the learner's parameters, the booster's, a tree's, a linear model's.
const LEARNER: u64 = 136;
const MODEL: u64 = 160;
const TREE: u64 = 148;
const LINEAR: u64 = 136;
/// Bytes of a node, and of its statistics.
const NODE: u64 = 20;
const STATISTICS: u64 = 16;
/// Bytes of a name or an attribute that are believed without looking.
const MAX_TEXT: u64 = 16 << 20;
/// Index and flag of a node without parent or children; a flag says whether it is the left one.
const NONE: u32 = u32::MAX;
const LEFT: u32 = 1 << 31;

/// Whether this begins like such a file: the magic, a feature count, flags and the version of a release.
pub(crate) fn recognise(head: &[u8]) -> bool {
    let Some(parameters) = head.strip_prefix(MAGIC) else { return false };
    let flag = |at: usize| parameters.get(at..at + 4).is_some_and(|flag| matches!(flag, [0 | 1, 0, 0, 0]));
    flag(12) && flag(16)
}

/// Judges a file.
pub(crate) fn scan(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let mut scan = Scan { stream, findings };
    scan.stream.skip(MAGIC.len() as u64)?;
    let learner = scan.words(LEARNER)?;
    let (features, attributes, metrics) = (learner[1], learner[3], learner[4]);
    // Releases before 1.0 left these two empty.
    if let (major @ 1.., minor) = (learner[5], learner[6]) {
        scan.findings.facts.state("xgboost", &format!("{major}.{minor}"));
    }
    let objective = scan.text()?;
    let booster = scan.text()?;
    match booster.as_slice() {
        b"gbtree" => {
            scan.trees(features)?;
        }
        b"dart" => {
            if scan.trees(features)? {
                scan.vector(4)?;
            }
        }
        b"gblinear" => {
            scan.words(LINEAR)?;
            scan.vector(4)?;
        }
        _ => return Err(scan.bad(0, "a booster of a kind that XGBoost does not have")),
    }
    if !objective.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-')) {
        return Err(scan.bad(0, "an objective whose name is none"));
    }
    if attributes == 1 {
        let count = scan.count()?;
        for _ in 0..count {
            scan.text()?;
            scan.text()?;
        }
    }
    if metrics == 1 {
        let count = scan.count()?;
        for _ in 0..count {
            scan.text()?;
        }
    }
    let end = scan.stream.position();
    if scan.stream.peek()?.is_some() {
        return Err(scan.bad(end, "bytes behind the model"));
    }
    Ok(())
}

struct Scan<'s, 'a> {
    stream: &'s mut Stream<'a>,
    findings: &'s mut Findings,
}

impl Scan<'_, '_> {
    /// The trees, and whether there are any.
    fn trees(&mut self, features: u32) -> Result<bool, Stop> {
        let at = self.stream.position();
        let model = self.words(MODEL)?;
        let count = model[0];
        if self.stream.is_sized() && u64::from(count) * TREE > self.stream.remaining() {
            return Err(self.bad(at, "more trees than the file has room for"));
        }
        for _ in 0..count {
            self.tree(features)?;
        }
        self.stream.skip(u64::from(count) * 4)?;
        Ok(count > 0)
    }

    fn tree(&mut self, features: u32) -> Result<(), Stop> {
        let at = self.stream.position();
        let tree = self.words(TREE)?;
        let (roots, nodes) = (tree[0], tree[1]);
        let room = u64::from(nodes) * (NODE + STATISTICS);
        if roots != 1 || nodes == 0 || (self.stream.is_sized() && room > self.stream.remaining()) {
            return Err(self.bad(at, "a tree with more nodes than the file has room for, or none"));
        }
        for number in 0..nodes {
            let at = self.stream.position();
            let node = self.words(NODE)?;
            let (parent, left, right, split) = (node[0], node[1], node[2], node[3]);
            let leaf = left == NONE;
            // A node that was pruned has the largest index as its feature. It was a leaf and stays one (`ChangeToLeaf`), and
            // the root never goes; a walk that came to it would follow its children otherwise.
            if split == NONE {
                if !leaf || right != NONE || number == 0 || parent & !LEFT >= nodes {
                    return Err(self.bad(at, "a pruned node that is no leaf"));
                }
                continue;
            }
            // Children stand behind their parent, or a walk could go round for ever.
            let children = leaf || [left, right].iter().all(|child| *child > number && *child < nodes);
            let above = if number == 0 { parent == NONE } else { parent & !LEFT < number };
            if !children || !above || (!leaf && split & !LEFT >= features) {
                return Err(self.bad(at, "a node whose parent, children or feature do not exist"));
            }
        }
        self.stream.skip(u64::from(nodes) * STATISTICS)
    }

    /// A count and as many elements of this size.
    fn vector(&mut self, width: u64) -> Result<(), Stop> {
        let at = self.stream.position();
        let count = self.stream.little_endian(8)?;
        match count.checked_mul(width) {
            Some(bytes) => self.stream.skip(bytes),
            None => Err(self.bad(at, "a count that no file can hold")),
        }
    }

    /// How many texts follow; each takes its length at least.
    fn count(&mut self) -> Result<u64, Stop> {
        let at = self.stream.position();
        let count = self.stream.little_endian(8)?;
        if self.stream.is_sized() && count.saturating_mul(8) > self.stream.remaining() {
            return Err(self.bad(at, "more attributes than the file has room for"));
        }
        Ok(count)
    }

    /// A text; what is kept of it is enough for a name.
    fn text(&mut self) -> Result<Vec<u8>, Stop> {
        let at = self.stream.position();
        let length = self.stream.little_endian(8)?;
        if length > MAX_TEXT {
            return Err(self.bad(at, "a text that is too long for a name or an attribute"));
        }
        let mut text = Vec::new();
        self.stream.take(length, 256, &mut text)?;
        Ok(text)
    }

    /// A block of numbers of four bytes.
    fn words(&mut self, bytes: u64) -> Result<Vec<u32>, Stop> {
        let mut block = Vec::new();
        self.stream.take(bytes, usize::try_from(bytes).unwrap_or(0), &mut block)?;
        Ok(block
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
            .collect())
    }

    fn bad(&mut self, at: u64, message: &str) -> Stop {
        self.findings.at(&rules::BOOSTER_SCHEMA, at, message);
        Stop::Reported
    }
}

#[cfg(test)]
mod tests {
    use crate::build::{judge, passes, rules, told};

    fn words(words: &[u32], bytes: usize) -> Vec<u8> {
        let mut block: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        block.resize(bytes, 0);
        block
    }

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
    }

    /// A split and two leaves.
    fn model(nodes: [[u32; 5]; 3], count: u32, tail: &[u8]) -> Vec<u8> {
        let nodes: Vec<u8> = nodes.iter().flat_map(|node| words(node, 20)).collect();
        [
            b"binf".to_vec(),
            words(&[0, 2, 0, 1, 0, 1, 7], 136),
            text("binary:logistic"),
            text("gbtree"),
            words(&[count], 160),
            words(&[1, 3], 148),
            nodes,
            vec![0; 3 * 16 + 4],
            1u64.to_le_bytes().to_vec(),
            text("objective"),
            text("{}"),
            tail.to_vec(),
        ]
        .concat()
    }

    const NODES: [[u32; 5]; 3] =
        [[u32::MAX, 1, 2, 1, 0], [1 << 31, u32::MAX, u32::MAX, 0, 0], [0, u32::MAX, u32::MAX, 0, 0]];

    #[test]
    fn a_whole_model_passes_and_no_prefix_does() {
        let whole = model(NODES, 1, b"");
        let report = judge("m.model", &whole);
        assert!(passes(&report), "{:?}", report.findings);
        assert_eq!(told(&report.facts.unwrap()), ["xgboost: 1.7"]);
        for end in (0..whole.len()).step_by(7) {
            assert!(!passes(&judge("m.model", &whole[..end])), "{end}");
        }
    }

    #[test]
    fn counts_and_indices_that_lie_are_found() {
        let check = |bytes: &[u8]| {
            let report = judge("m.model", bytes);
            assert!(!passes(&report) && rules(&report).contains(&"INT952"), "{:?}", report.findings);
        };
        check(&model(NODES, 1, b"cos\nsystem\n(S'x'\ntR."));
        check(&model(NODES, u32::MAX, b""));
        let with = |at: usize, field: usize, value: u32| {
            let mut nodes = NODES;
            nodes[at][field] = value;
            model(nodes, 1, b"")
        };
        check(&with(0, 1, 3));
        check(&with(0, 2, 0));
        check(&with(0, 3, 2));
        check(&with(2, 0, 2));
        check(&with(0, 0, 1));
    }

    #[test]
    fn a_pruned_node_is_a_leaf() {
        let with = |at: usize, node: [u32; 5]| {
            let mut nodes = NODES;
            nodes[at] = node;
            judge("m.model", &model(nodes, 1, b""))
        };
        let pruned = with(2, [0, u32::MAX, u32::MAX, u32::MAX, 0]);
        assert!(passes(&pruned), "{:?}", pruned.findings);
        for (at, node) in [
            (2, [0, 0, 0, u32::MAX, 0]),
            (2, [0, 0x4000_0000, 0x4000_0000, u32::MAX, 0]),
            (2, [0, u32::MAX, 0x4000_0000, u32::MAX, 0]),
            (2, [0x4000_0000, u32::MAX, u32::MAX, u32::MAX, 0]),
            (0, [u32::MAX, u32::MAX, u32::MAX, u32::MAX, 0]),
        ] {
            let report = with(at, node);
            assert!(rules(&report).contains(&"INT952"), "{node:?}: {:?}", report.findings);
        }
    }
}
