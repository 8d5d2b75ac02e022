//! Files built byte by byte in the layout of the oldest version, as h5py writes it by default.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]

mod newer;

use proptest::prelude::*;

use crate::build::{judge, passes, rules};

const NONE: u64 = u64::MAX;

/// A message of an object's header, filled up to eight bytes.
fn message(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    data.resize(data.len().next_multiple_of(8), 0);
    let mut out = kind.to_le_bytes().to_vec();
    out.extend((data.len() as u16).to_le_bytes());
    out.extend([0; 4]);
    out.extend(data);
    out
}

fn header(messages: &[Vec<u8>]) -> Vec<u8> {
    let body = messages.concat();
    let mut out = vec![1, 0];
    out.extend((messages.len() as u16).to_le_bytes());
    out.extend(1u32.to_le_bytes());
    out.extend((body.len() as u32).to_le_bytes());
    out.extend([0; 4]);
    out.extend(body);
    out
}

/// An attribute that holds one text of fixed length.
fn attribute(name: &str, text: &str) -> Vec<u8> {
    let mut kind = vec![0x13, 0, 0, 0];
    kind.extend((text.len() as u32).to_le_bytes());
    let space = [1, 0, 0, 0, 0, 0, 0, 0];
    let mut named = name.as_bytes().to_vec();
    named.push(0);
    let mut out = vec![1, 0];
    for length in [named.len(), kind.len(), space.len()] {
        out.extend((length as u16).to_le_bytes());
    }
    named.resize(named.len().next_multiple_of(8), 0);
    out.extend(named);
    out.extend(kind);
    out.extend(space);
    out.extend(text.as_bytes());
    message(0xc, &out)
}

/// A file whose root group has these messages, with data behind.
fn file(messages: &[Vec<u8>], data: &[u8]) -> Vec<u8> {
    rooted(&group(messages), data)
}

/// Messages of a group that has these beside.
fn group(messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let is_group = message(2, &[&[0, 0][..], &[0xff; 16]].concat());
    [&[is_group][..], messages].concat()
}

/// A file whose root has just these messages.
fn rooted(messages: &[Vec<u8>], data: &[u8]) -> Vec<u8> {
    let root = header(messages);
    let end = (96 + root.len() + data.len()) as u64;
    let mut out = b"\x89HDF\r\n\x1a\n".to_vec();
    out.extend([0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0]);
    for address in [0, NONE, end, NONE, 0, 96] {
        out.extend(address.to_le_bytes());
    }
    out.resize(96, 0);
    out.extend(root);
    out.extend(data);
    out
}

/// A file without any object but the root group.
pub(crate) fn empty() -> Vec<u8> {
    file(&[], &[])
}

/// A float of 32 bits.
const FLOAT: [u8; 20] = [0x11, 0x20, 0x1f, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0];

/// A node of an older tree, with room for all the children that it may have.
fn node(kind: u8, level: u8, count: u8, entries: &[u8]) -> Vec<u8> {
    // Groups have keys of 8 bytes, the chunks of a shape of one axis such of 24.
    let room = if kind == 0 { 32 * 16 + 8 } else { 64 * 32 + 24 };
    let mut node = [b"TREE", &[kind, level, count, 0][..], &[0xff; 16], entries].concat();
    node.resize(24 + room, 0);
    node
}

/// Messages of a dataset of floats.
fn dataset(shape: &[u64], layout: &[u8]) -> Vec<Vec<u8>> {
    let mut space = vec![1, shape.len() as u8, 0, 0, 0, 0, 0, 0];
    for size in shape {
        space.extend(size.to_le_bytes());
    }
    vec![message(1, &space), message(3, &FLOAT), message(8, layout)]
}

fn contiguous(address: u64, size: u64) -> Vec<u8> {
    [&[3, 1][..], &address.to_le_bytes(), &size.to_le_bytes()].concat()
}

const DENSE: &str =
    r#"{"class_name":"Sequential","config":{"layers":[{"class_name":"Dense","config":{"units":1}}]}}"#;
const LAMBDA: &str =
    r#"{"class_name":"Sequential","config":{"layers":[{"class_name":"Lambda","config":{}}]}}"#;

fn check(file: &[u8], rule: &str) {
    let report = judge("m.h5", file);
    assert!(!passes(&report), "{rule}");
    assert!(rules(&report).contains(&rule), "{rule}: {:?}", report.findings);
}

#[test]
fn a_model_is_judged_by_its_configuration() {
    let report = judge("m.h5", &file(&[attribute("model_config", DENSE)], &[]));
    assert!(passes(&report), "{:?}", report.findings);
    check(&file(&[attribute("model_config", LAMBDA)], &[]), "KER101");
    check(&file(&[attribute("model_config", "{}")], &[]), "INT801");
    check(&file(&[attribute("training_config", r#"{"loss":{"class_name":"__lambda__"}}"#)], &[]), "KER101");
    let mut moved = vec![0; 512];
    moved.extend(file(&[], &[]));
    moved[512 + 24..512 + 32].copy_from_slice(&512u64.to_le_bytes());
    let end = moved.len() as u64;
    moved[512 + 40..512 + 48].copy_from_slice(&end.to_le_bytes());
    assert!(passes(&judge("m.h5", &moved)), "{:?}", judge("m.h5", &moved).findings);
}

/// `tables/attributeset.py` unpickles each text that ends in a full stop.
#[test]
fn what_a_reader_would_unpickle_is_judged() {
    for harmless in ["A model of mine.", "(lp1\nI1\na.", "0.", "."] {
        let report = judge("m.h5", &file(&[attribute("info", harmless)], &[]));
        assert!(passes(&report), "{harmless}: {:?}", report.findings);
    }
    let hostile = "cos\nsystem\n(S'echo'\ntR.";
    check(&file(&[attribute("info", hostile)], &[]), "PKL101");
    let report = judge("m.h5", &file(&[attribute("info", &hostile.replace("R.", "R\n."))], &[]));
    assert!(!passes(&report), "what is reached before an unpickler fails: {:?}", report.findings);
    for (name, text) in [("PSEUDOATOM", "object"), ("HICKLE_VERSION", "5.0.3")] {
        assert!(!passes(&judge("m.h5", &file(&[attribute(name, text)], &[]))), "{name}");
    }
}

#[test]
fn shapes_and_filters_that_stand_elsewhere_are_not_passed_over() {
    for kind in [1, 0xb] {
        let mut shared = message(kind, &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        shared[4] = 2;
        let report = judge("m.h5", &file(&[shared], &[]));
        assert!(!passes(&report), "{kind}: {:?}", report.findings);
    }
}

/// HDF5 looks for its signature at 512 bytes and at each place twice as far.
#[test]
fn hdf5_behind_something_else_is_found() {
    for place in [512, 1 << 16, 1 << 18] {
        let header = format!("{:width$}", r#"{"__metadata__":{}}"#, width = 504);
        let mut tensors = crate::build::safetensors(&header, 0);
        tensors.resize(place, 0);
        tensors.extend(empty());
        for name in ["m.safetensors", "m.h5"] {
            check_named(name, &tensors, "INT107");
        }
        check_named("m.h5", &tensors, "INT104");
    }
}

fn check_named(name: &'static str, file: &[u8], rule: &str) {
    let report = judge(name, file);
    assert!(!passes(&report) && rules(&report).contains(&rule), "{name} {rule}: {:?}", report.findings);
}

#[test]
fn data_must_lie_where_its_shape_says() {
    let place = |messages: &[Vec<u8>]| file(messages, &[]).len() as u64;
    let at = place(&dataset(&[4], &contiguous(0, 0)));
    let report = judge("m.h5", &file(&dataset(&[4], &contiguous(at, 16)), &[0; 16]));
    assert!(passes(&report), "{:?}", report.findings);
    assert!(passes(&judge("m.h5", &file(&dataset(&[4], &contiguous(NONE, 16)), &[]))));
    check(&file(&dataset(&[5], &contiguous(at, 20)), &[0; 16]), "INT813");
    check(&file(&dataset(&[5], &contiguous(at, 16)), &[0; 16]), "INT813");
    check(&file(&dataset(&[4], &contiguous(NONE - 8, 16)), &[0; 16]), "INT813");
    check(&file(&dataset(&[1 << 40, 1 << 40], &contiguous(at, 16)), &[0; 16]), "HDF103");
    check(&file(&dataset(&[4], &[9, 1]), &[]), "INT811");
    let sound = chunked(&[], 16, 0, &[0; 16]);
    assert!(passes(&judge("m.h5", &sound)), "{:?}", judge("m.h5", &sound).findings);
    check(&chunked(&[], 999, 0, &[0; 16]), "INT813");
    check(&chunked(&[], 15, 0, &[0; 16]), "INT813");
}

/// A dataset of four floats in one chunk that went through filters.
fn chunked(filters: &[u16], size: u32, left_out: u32, data: &[u8]) -> Vec<u8> {
    let mut pipeline = vec![2, filters.len() as u8];
    for id in filters {
        pipeline.extend(id.to_le_bytes());
        // LZF is beyond the numbers whose names are left away.
        pipeline.resize(pipeline.len() + if *id < 256 { 4 } else { 6 }, 0);
    }
    let messages = |tree: u64| {
        let layout = [&[3, 2, 2][..], &tree.to_le_bytes(), &[4, 0, 0, 0, 4, 0, 0, 0]].concat();
        let mut messages = dataset(&[4], &layout);
        messages.extend((!filters.is_empty()).then(|| message(0xb, &pipeline)));
        messages
    };
    let tree = file(&messages(0), &[]).len() as u64;
    let key = |start: u64| {
        [&[size, left_out].map(u32::to_le_bytes).concat(), &start.to_le_bytes()[..], &[0; 8]].concat()
    };
    let entries = [key(0), (tree + 24 + 64 * 32 + 24).to_le_bytes().to_vec(), key(4)].concat();
    file(&messages(tree), &[&node(1, 0, 1, &entries)[..], data].concat())
}

#[test]
fn packed_chunks_give_what_their_shape_says() {
    let zlib = |bytes: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    };
    let build = |filters: &[u16], left_out, data: &[u8]| chunked(filters, data.len() as u32, left_out, data);
    let deflated = zlib(&[1; 16]);
    let summed = [&[0; 16][..], &[0; 4]].concat();
    let lzf = [0, 1, 0xe0, 6, 0];
    for sound in [
        build(&[1], 0, &deflated),
        build(&[2, 1], 0, &deflated),
        build(&[1], 1, &[1; 16]),
        build(&[3], 0, &summed),
        build(&[3, 1], 0, &zlib(&summed)),
        build(&[32000], 0, &lzf),
    ] {
        assert!(passes(&judge("m.h5", &sound)), "{:?}", judge("m.h5", &sound).findings);
    }
    let mut flipped = deflated.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for damaged in [
        build(&[1], 0, &[0; 16]),
        build(&[1], 0, &flipped),
        build(&[1], 0, &deflated[..deflated.len() - 1]),
        build(&[1], 0, &[&deflated[..], b"x"].concat()),
        build(&[1], 0, &zlib(&[1; 15])),
        build(&[1], 0, &zlib(&[1; 17])),
        build(&[2, 1], 2, &[1; 15]),
        build(&[3], 0, &[&[1; 16][..], &[0; 4]].concat()),
        build(&[3], 0, &[1; 3]),
        build(&[32000], 0, &lzf[..4]),
        build(&[32000], 0, &[0, 1, 0xe0, 5, 0]),
    ] {
        check(&damaged, "INT814");
    }
    check(&build(&[4], 0, &[1; 16]), "HDF201");
    // What a filter must be told is not there.
    check(&build(&[6], 0, &[1; 16]), "INT811");
}

#[test]
fn nothing_may_lead_out_of_the_file() {
    let link = |kind: u8| message(6, &[&[1, 8, kind, 1, b'x'][..], &[4, 0, 0, b'a', 0, b'b']].concat());
    check(&file(&[link(64)], &[]), "HDF101");
    check(&file(&[link(200)], &[]), "HDF101");
    check(&file(&[message(7, &[1, 0, 0, 0])], &[]), "HDF101");
    check(&file(&dataset(&[4], &[4, 3, 0, 0]), &[]), "HDF101");
    check(&file(&[message(0xb, &[2, 1, 0x10, 0x80, 0, 0, 0, 0, 0, 0])], &[]), "HDF102");
    check(&file(&[message(0x77, &[])], &[]), "HDF201");
}

#[test]
fn groups_are_followed_without_end() {
    let object = header(&group(&[attribute("model_config", LAMBDA)]));
    let build = |object: &[u8], level: u8, at: &dyn Fn(&Places) -> u64| {
        listed(object, |places| node(0, level, 1, &[0, at(places), 1].map(u64::to_le_bytes).concat()))
    };
    let entries = |places: &Places| places.entries;
    check(&build(&object, 0, &entries), "KER101");
    check(&build(&object, 1, &|places| places.tree), "INT811");
    check(&build(&object, 0, &|places| places.entries + 1), "INT811");
    check(&build(&[9; 64], 0, &entries), "INT811");
    // An object that is nothing at all.
    check(&build(&header(&[]), 0, &entries), "INT811");
}

/// Where the parts of a file with one object in its root lie.
struct Places {
    tree: u64,
    entries: u64,
    object: u64,
}

/// A file whose root holds an object by the name of "a", in the older way.
fn listed(object: &[u8], tree: impl Fn(&Places) -> Vec<u8>) -> Vec<u8> {
    let table = |tree: u64, heap: u64| message(0x11, &[tree.to_le_bytes(), heap.to_le_bytes()].concat());
    let heap = rooted(&[table(0, 0)], &[]).len() as u64;
    let places = Places { tree: heap + 40, entries: heap + 40 + 544, object: heap + 40 + 544 + 328 };
    let mut data = b"HEAP\0\0\0\0".to_vec();
    data.extend([8u64, 1, heap + 32].map(u64::to_le_bytes).concat());
    data.extend(b"\0a\0\0\0\0\0\0");
    data.extend(tree(&places));
    let mut entries = [&b"SNOD\x01\0\x01\0"[..], &[1, places.object].map(u64::to_le_bytes).concat()].concat();
    entries.resize(328, 0);
    data.extend(entries);
    data.extend(object);
    rooted(&[table(places.tree, heap)], &data)
}

/// Readers go through a group from neighbour to neighbour, or look for a name between the keys.
#[test]
fn a_group_is_found_in_every_way_or_not_at_all() {
    let object = header(&group(&[attribute("model_config", DENSE)]));
    let leaf = |places: &Places| node(0, 0, 1, &[0, places.entries, 1].map(u64::to_le_bytes).concat());
    let sound = listed(&object, leaf);
    assert!(passes(&judge("m.h5", &sound)), "{:?}", judge("m.h5", &sound).findings);
    let heap = rooted(&[message(0x11, &[0; 16])], &[]).len();
    let (tree, entries) = (heap + 40, heap + 40 + 544);
    for (at, what) in [
        (heap + 4, "a version"),
        (heap + 16, "what is free"),
        (tree + 8, "a neighbour before"),
        (tree + 16, "a neighbour behind"),
        (tree + 24, "the key before"),
        (tree + 40, "the key behind"),
        (entries + 4, "a version"),
        (entries + 8, "which name"),
        (16, "the room of a group's entries"),
        (18, "the room of a tree"),
        (21, "the state of the file"),
        (32, "an extension"),
        (72, "what is remembered of the root"),
    ] {
        let mut changed = sound.clone();
        changed[at] = 9;
        if at == 16 || at == 18 {
            changed[at + 1] = 0xff;
        }
        let report = judge("m.h5", &changed);
        assert!(!passes(&report), "{what}");
        assert!(rules(&report).iter().any(|rule| rule.starts_with("INT81")), "{what}: {:?}", report.findings);
    }
}

#[test]
fn types_and_what_fills_them_are_known_to_the_last_bit() {
    let build = |kind: &[u8], fill: &[u8]| {
        let mut messages = dataset(&[4], &contiguous(NONE, 16));
        messages[1] = message(3, kind);
        messages.push(message(5, fill));
        file(&messages, &[])
    };
    let fill = [2, 2, 0, 0];
    assert!(passes(&judge("m.h5", &build(&FLOAT, &fill))));
    for (at, rule) in
        [(0, "INT811"), (1, "HDF201"), (2, "HDF201"), (8, "HDF201"), (10, "HDF201"), (16, "HDF201")]
    {
        let mut kind = FLOAT;
        kind[at] ^= 0x62;
        check(&build(&kind, &fill), rule);
    }
    for fill in
        [[0, 2, 0, 0], [2, 0, 0, 0], [2, 4, 0, 0], [2, 2, 3, 0], [2, 2, 0, 2], [3, 0, 0, 0], [3, 0xc2, 0, 0]]
    {
        check(&build(&FLOAT, &fill), "INT811");
    }
    let compound = |offset: u8| [&[0x36, 1, 0, 0, 4, 0, 0, 0, b'x', 0, offset][..], &FLOAT].concat();
    assert!(passes(&judge("m.h5", &build(&compound(0), &fill))));
    check(&build(&compound(1), &fill), "INT811");
    let array = |length: u8| [&[0x3a, 0, 0, 0, 4, 0, 0, 0, 1, length, 0, 0, 0][..], &FLOAT].concat();
    assert!(passes(&judge("m.h5", &build(&array(1), &fill))));
    check(&build(&array(2), &fill), "INT811");
    let nested = (0..40).fold(FLOAT.to_vec(), |inner, _| [&array(1)[..13], &inner].concat());
    check(&build(&nested, &fill), "HDF201");
    let integer = [0x10, 8, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0];
    let named = |integer: &[u8]| [&[0x38, 2, 0, 0, 1, 0, 0, 0][..], integer, b"NO\0YES\0\0\x01"].concat();
    let mut messages = dataset(&[4], &contiguous(NONE, 4));
    messages[1] = message(3, &named(&integer));
    assert!(passes(&judge("m.h5", &file(&messages, &[]))));
    messages[1] = message(3, &named(&FLOAT));
    check(&file(&messages, &[]), "INT811");
}

/// A text whose length its type does not tell stands among values that all objects share.
#[test]
fn shared_values_are_accounted_for() {
    let build = |length: u32, number: u32, is_null: bool, collection: &dyn Fn(&mut Vec<u8>)| {
        let attribute = |at: u64| {
            let kind =
                [&[0x19, 1, 0, 0, 16, 0, 0, 0][..], &[0x10, 0, 0, 0, 1, 0, 0, 0], &[0, 0, 8, 0]].concat();
            let mut data = vec![1, 0, 2, 0, kind.len() as u8, 0, 8, 0];
            data.extend(b"n\0\0\0\0\0\0\0");
            data.extend(&kind);
            data.resize(data.len().next_multiple_of(8), 0);
            data.extend([1, 0, 0, 0, 0, 0, 0, 0]);
            data.extend([&length.to_le_bytes()[..], &at.to_le_bytes(), &number.to_le_bytes()].concat());
            message(0xc, &data)
        };
        let at = file(&[attribute(0)], &[]).len() as u64;
        let mut values = [&b"GCOL\x01\0\0\0"[..], &4096u64.to_le_bytes(), &[1, 0, 1, 0, 0, 0, 0, 0]].concat();
        values.extend([&5u64.to_le_bytes()[..], b"hello\0\0\0", &[0; 8], &4056u64.to_le_bytes()].concat());
        values.resize(4096, 0);
        collection(&mut values);
        file(&[attribute(if is_null { 0 } else { at })], &values)
    };
    // An empty text is kept like any other; one that was never given is nowhere.
    let empty = build(0, 1, false, &|values| {
        values[24..32].fill(0);
        values[32..48].copy_from_slice(&[&[0; 8][..], &4064u64.to_le_bytes()].concat());
    });
    for sound in [build(5, 1, false, &|_| {}), empty, build(0, 0, true, &|_| {})] {
        assert!(passes(&judge("m.h5", &sound)), "{:?}", judge("m.h5", &sound).findings);
    }
    for length in [0, 4, 6] {
        check(&build(length, 1, false, &|_| {}), "INT811");
    }
    check(&build(5, 2, false, &|_| {}), "INT811");
    check(&build(0, 2, false, &|_| {}), "INT811");
    check(&build(0, 1, true, &|_| {}), "INT811");
    check(&build(5, 0, true, &|_| {}), "INT811");
    for (at, byte) in [(4, 2), (9, 8), (9, 32), (25, 32), (40, 1), (49, 0), (49, 32)] {
        let report = judge("m.h5", &build(5, 1, false, &|values| values[at] = byte));
        assert!(!passes(&report), "{at}");
    }
}

#[test]
fn an_attribute_and_its_message_are_what_they_say() {
    let sound = attribute("model_config", DENSE);
    for (at, byte) in [(16, 0), (28, b'x')] {
        let mut changed = sound.clone();
        changed[at] = byte;
        let report = judge("m.h5", &file(&[changed], &[]));
        assert!(!passes(&report), "{at}");
    }
    let is_group = message(2, &[&[0, 0][..], &[0xff; 16]].concat());
    for flags in [0x40, 0x20, 0x28, 0x38, 6] {
        let mut changed = is_group.clone();
        changed[4] = flags;
        check(&rooted(&[changed], &[]), "INT811");
    }
}

#[test]
fn nothing_is_read_over_and_over() {
    // A thousand datasets with one tree of chunks: each chunk is small work, and all of them together are none.
    let chunks = 60_000;
    let layout = |index: u64| [&[4, 2, 0, 2, 1, 4, 4, 3, 16][..], &index.to_le_bytes()].concat();
    let build = |datasets: u64| {
        let link = |at: u64| message(6, &[&[1, 0, 1, b'a'][..], &at.to_le_bytes()].concat());
        let root = |at: &dyn Fn(u64) -> u64| (0..datasets).map(|one| link(at(one))).collect::<Vec<_>>();
        let tree = file(&root(&|_| 0), &[]).len() as u64;
        let mut data = newer::summed(&[b"FAHD\0\0\x08\x10", &newer::numbers(&[chunks, tree + 28])]);
        let entries = newer::numbers(&[tree]).repeat(chunks as usize);
        data.extend(newer::summed(&[b"FADB\0\0", &newer::numbers(&[tree]), &entries]));
        let first = tree + data.len() as u64;
        let object = header(&dataset(&[4], &layout(tree)));
        let length = object.len() as u64;
        data.extend(object.repeat(datasets as usize));
        file(&root(&|one| first + one * length), &data)
    };
    assert!(passes(&judge("m.h5", &build(2))), "{:?}", judge("m.h5", &build(2)).findings);
    check(&build(1000), "HDF201");
}

#[test]
fn a_file_ends_where_it_says() {
    let whole = file(&[attribute("model_config", DENSE)], &[0; 32]);
    for cut in [8, 60, 100, whole.len() - 1] {
        let report = judge("m.h5", &whole[..cut]);
        assert!(rules(&report).iter().any(|rule| rule.starts_with("INT81")), "{cut}: {:?}", report.findings);
    }
    check(&[&whole[..], b"x"].concat(), "HDF104");
    let mut version = whole.clone();
    version[8] = 9;
    check(&version, "INT811");
}

#[test]
fn the_root_is_a_group() {
    check(&rooted(&[], &[]), "INT811");
    check(&rooted(&[attribute("model_config", DENSE)], &[]), "INT811");
    // The root moved onto the count of references, which reads as a header without messages.
    let mut moved = file(&[attribute("model_config", LAMBDA)], &[]);
    moved[64] = 100;
    check(&moved, "INT811");
}

#[test]
fn a_model_tells_its_numbers_and_the_version_of_keras() {
    let messages = [
        vec![attribute("keras_version", "2.15.0")],
        dataset(&[2, 2], &[&[3, 0, 16, 0][..], &[0; 16]].concat()),
    ];
    let report = judge("m.h5", &file(&messages.concat(), &[]));
    let facts = report.facts.unwrap();
    assert_eq!(
        (facts.parameters, facts.dtypes),
        (Some(4), [("float32".to_owned(), 4)].into()),
        "{:?}",
        report.findings
    );
    assert_eq!(facts.stated[0].value, "2.15.0");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_piece_of_a_hostile_file_passes(cut in 0usize..400, tail in 1usize..40, at in 0usize..400, byte in any::<u8>()) {
        let hostile = file(&[attribute("model_config", LAMBDA)], &[]);
        prop_assert!(!passes(&judge("m.h5", &hostile[..cut.min(hostile.len() - 1)])));
        let longer = [&hostile[..], &vec![0; tail]].concat();
        prop_assert!(!passes(&judge("m.h5", &longer)));
        // A flip inside of the text or its name may make another model of it; one before them may not end in a pass.
        let mut flipped = hostile.clone();
        let text = hostile.windows(12).position(|window| window == b"model_config").unwrap_or(0);
        let at = at % text;
        flipped[at] = byte;
        // A message that is turned into another has no configuration any more.
        prop_assert!(at >= 112 || !passes(&judge("m.h5", &flipped)), "{at}");
    }
}
