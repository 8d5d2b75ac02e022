//! Trees in the ways in which pickles carry their nodes.

mod booster;
mod neighbours;

use super::*;
use crate::build::{judge, passes, rules, unicode};

const SOUND: &[[i64; 3]] = &[[1, 2, 1], [-1, -1, -2], [-1, -1, -2]];

fn bytes_of(nodes: &[[i64; 3]]) -> Vec<u8> {
    let node = |node: &[i64; 3]| {
        let mut bytes: Vec<u8> = node.iter().flat_map(|number| number.to_le_bytes()).collect();
        bytes.resize(64, 7);
        bytes
    };
    nodes.iter().flat_map(node).collect()
}

/// How a pickle carries the bytes of an array.
#[derive(Debug, Clone, Copy)]
enum Carried {
    Bytes,
    Text,
    Buffer,
}

/// What matters of the type of a node.
#[derive(Debug, Clone, Copy)]
struct Layout<'a> {
    /// Byte order of its numbers.
    order: &'a str,
    names: [&'a str; 3],
    fields: &'a [(&'a str, u8)],
    /// Opcodes behind its fields, and behind the type.
    behind: [&'a [u8]; 2],
}

const LAYOUT: Layout<'_> = Layout {
    order: "<",
    names: ["left_child", "right_child", "feature"],
    fields: &[("left_child", 0), ("right_child", 8), ("feature", 16)],
    behind: [b"", b""],
};

fn node_type(layout: Layout<'_>) -> Vec<u8> {
    let number = [
        b"cnumpy\ndtype\n",
        &unicode("i8")[..],
        b"K\0K\x01\x87Rq\x10(K\x03",
        &unicode(layout.order),
        b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb",
    ]
    .concat();
    let field = |name: &str, offset: u8| [&unicode(name)[..], &number, &[b'K', offset, 0x86]].concat();
    [
        b"cnumpy\ndtype\n",
        &unicode("V64")[..],
        b"K\0K\x01\x87Rq\x11(K\x03",
        &unicode("|"),
        b"N(",
        &layout.names.map(unicode).concat(),
        b"t}q\x12(",
        &layout.fields.iter().flat_map(|(name, offset)| field(name, *offset)).collect::<Vec<u8>>(),
        b"u",
        layout.behind[0],
        b"K\x40K\x01K\0tb",
        layout.behind[1],
    ]
    .concat()
}

fn array(nodes: &[[i64; 3]], carried: Carried) -> Vec<u8> {
    let bytes = bytes_of(nodes);
    let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let count = u8::try_from(nodes.len()).unwrap();
    let kind = node_type(LAYOUT);
    let shape = [b'K', count, 0x85];
    let plain = [b"B", &length[..], &bytes].concat();
    if matches!(carried, Carried::Buffer) {
        return [b"cnumpy._core.numeric\n_frombuffer\n(", &plain[..], &kind, &shape, &unicode("C"), b"tR"]
            .concat();
    }
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let encoded = [b"c_codecs\nencode\n", &unicode(&text)[..], &unicode("latin1"), b"\x86R"].concat();
    array_of(if matches!(carried, Carried::Text) { &encoded } else { &plain }, count, &kind)
}

/// An array of so many nodes, the type and the bytes as given.
fn array_of(carried: &[u8], count: u8, kind: &[u8]) -> Vec<u8> {
    let shape = [b'K', count, 0x85];
    let made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R";
    [&made[..], b"(K\x01", &shape, kind, b"\x89", carried, b"tb"].concat()
}

fn tree(array: &[u8], count: u8) -> Vec<u8> {
    [
        b"\x80\x04csklearn.tree._tree\nTree\n(K\x02NK\x01tR}(",
        &unicode("node_count")[..],
        &[b'K', count],
        &unicode("nodes"),
        array,
        b"ub.",
    ]
    .concat()
}

#[test]
fn a_tree_leads_only_to_what_it_has() {
    for carried in [Carried::Bytes, Carried::Text, Carried::Buffer] {
        let report = judge("m.pkl", &tree(&array(SOUND, carried), 3));
        assert!(passes(&report), "{carried:?}: {:?}", report.findings);
        let [root, leaf, other] = [SOUND[0], SOUND[1], SOUND[2]];
        for hostile in [
            [[1, 3, 1], leaf, other],
            [[1, -9, 1], leaf, other],
            [[1, 2, 2], leaf, other],
            [[1, 2, -1], leaf, other],
            [root, [0, 2, 1], other],
            [[0, 2, 1], leaf, other],
        ] {
            let report = judge("m.pkl", &tree(&array(&hostile, carried), 3));
            assert!(rules(&report).contains(&"PKL107"), "{carried:?} {hostile:?}: {:?}", report.findings);
        }
        assert!(!passes(&judge("m.pkl", &tree(&array(SOUND, carried), 4))), "more nodes than there are");
    }
}

#[test]
fn nodes_that_are_not_followed_are_no_pass() {
    let none = tree(b"N", 3);
    assert!(rules(&judge("m.pkl", &none)).contains(&"PKL304"));
    // The array was made before anybody could know what for.
    let early = [b"\x80\x04", &array(SOUND, Carried::Bytes)[..], b"q\x010", &tree(b"h\x01", 3)[2..]].concat();
    assert!(rules(&judge("m.pkl", &early)).contains(&"PKL304"));
}

fn read(nodes: &[[i64; 3]], cut: usize) -> Nodes {
    let bytes = bytes_of(nodes);
    let mut reader = Reader::new(Form::Wide);
    bytes.chunks(cut).for_each(|piece| reader.add(piece));
    reader.end().unwrap()
}

#[test]
fn nodes_are_read_in_whatever_pieces_they_come() {
    for cut in [1, 7, 64, 100, 192] {
        let sound = read(&[[1, 2, 3], [-1, -1, -2], [-1, -1, -2]], cut);
        assert_eq!(sound, Nodes { count: 3, last: 2, feature: 3, ..Nodes::default() });
        assert!(read(&[[0, 1, 0], [-1, -1, -2]], cut).broken, "it leads to itself");
        assert!(read(&[[1, -5, 0], [-1, -1, -2]], cut).broken);
        assert!(read(&[[1, 2, -2], [-1, -1, -2]], cut).broken);
    }
}

#[test]
fn signs_of_a_text_are_bytes() {
    let all: Vec<u8> = (0..=255).collect();
    let text: String = all.iter().map(|byte| char::from(*byte)).collect();
    for cut in [1, 2, 3, 500] {
        let (mut out, mut begun) = (Vec::new(), 0);
        text.as_bytes()
            .chunks(cut)
            .for_each(|piece| latin(piece, &mut begun, |bytes| out.extend_from_slice(bytes)));
        assert_eq!(out, all);
    }
}

#[test]
fn nodes_of_one_text_are_not_taken_for_those_of_another() {
    let hostile = bytes_of(&[[1, 9, 1], SOUND[1], SOUND[2]]);
    let escaped: Vec<u8> = hostile.iter().flat_map(|byte| format!("\\u{byte:04x}").into_bytes()).collect();
    for sound in [[&b"U\xc0"[..], &bytes_of(SOUND)].concat(), unicode(&" ".repeat(64))] {
        let line = [&sound[..], b"0V", &escaped, b"\n"].concat();
        let carried = [b"c_codecs\nencode\n", &line[..], &unicode("latin1"), b"\x86R"].concat();
        let report = judge("m.pkl", &tree(&array_of(&carried, 3, &node_type(LAYOUT)), 3));
        assert!(rules(&report).contains(&"PKL304"), "{:?}", report.findings);
    }
}

#[test]
fn nodes_are_what_their_type_says() {
    let rules_of = |layout: Layout<'_>| {
        let length = u32::try_from(bytes_of(SOUND).len()).unwrap().to_le_bytes();
        let carried = [b"B", &length[..], &bytes_of(SOUND)].concat();
        let report = judge("m.pkl", &tree(&array_of(&carried, 3, &node_type(layout)), 3));
        rules(&report).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(rules_of(LAYOUT), Vec::<String>::new());
    let moved = [("left_child", 24), ("right_child", 8), ("feature", 16)];
    let twice = [("left_child", 0), ("right_child", 8), ("feature", 16), ("left_child", 24)];
    let [left, right, feature] = LAYOUT.names;
    for layout in [
        Layout { order: ">", ..LAYOUT },
        Layout { order: "?", ..LAYOUT },
        Layout { fields: &moved, ..LAYOUT },
        Layout { fields: &twice, ..LAYOUT },
        Layout { names: [right, left, feature], ..LAYOUT },
    ] {
        assert!(rules_of(layout).contains(&"PKL304".to_owned()), "{layout:?}: {:?}", rules_of(layout));
    }
    // A type is the same object wherever it is met, and so is the dict that gave it its fields.
    let swapped =
        [b"h\x10(K\x03", &unicode(">")[..], b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb0"].concat();
    let added = [b"h\x12", &unicode("left_child")[..], b"h\x10K\x18\x86s0"].concat();
    for (behind, rule) in
        [([b"", &swapped[..]], "PKL107"), ([&swapped[..], b""], "PKL107"), ([b"", &added[..]], "PKL109")]
    {
        let layout = Layout { behind, ..LAYOUT };
        assert!(rules_of(layout).contains(&rule.to_owned()), "{layout:?}: {:?}", rules_of(layout));
    }
}

#[test]
fn signs_are_bytes_in_latin_alone() {
    let text: String = bytes_of(SOUND).iter().map(|byte| char::from(*byte)).collect();
    let verdict = |codec: &str| {
        let carried = [b"c_codecs\nencode\n", &unicode(&text)[..], &unicode(codec), b"\x86R"].concat();
        passes(&judge("m.pkl", &tree(&array_of(&carried, 3, &node_type(LAYOUT)), 3)))
    };
    assert!(["latin1", "latin-1", "iso-8859-1"].into_iter().all(verdict));
    assert!(!["utf-8", "ascii"].into_iter().any(verdict));
}
