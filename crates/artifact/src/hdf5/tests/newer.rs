//! Files with what releases since 1.8 write: heaps of links and attributes, and the newer indexes of chunks.

use super::{super::checksum::lookup3, *};

/// A block with its checksum behind it.
pub(super) fn summed(parts: &[&[u8]]) -> Vec<u8> {
    let mut block = parts.concat();
    block.extend(lookup3(&block).to_le_bytes());
    block
}

pub(super) fn numbers(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The start of the first block behind the superblock and the header of the root group.
const BEHIND: u64 = 48 + 7 + 2 * 22 + 4;

/// A file whose root group has what belongs to it in a heap, with blocks behind.
fn newer(kind: u8, heap: u64, tree: u64, blocks: &[u8]) -> Vec<u8> {
    let end = BEHIND + blocks.len() as u64;
    let mut out = summed(&[b"\x89HDF\r\n\x1a\n\x02\x08\x08\0", &numbers(&[0, NONE, end, 48])]);
    let info = |of: u8| {
        let [heap, tree] = if of == kind { [heap, tree] } else { [NONE; 2] };
        [&[of, 18, 0, 0, 0, 0][..], &numbers(&[heap, tree])].concat()
    };
    out.extend(summed(&[b"OHDR\x02\0", &[44], &info(2), &info(0x15)]));
    assert_eq!(out.len() as u64, BEHIND);
    out.extend(blocks);
    out
}

/// The head of a heap whose root block or tree of large objects is there.
fn heap_head(id: u8, huge: u64, root: u64, rows: u8) -> Vec<u8> {
    let sizes = numbers(&[1, huge, 0, NONE, 0, 0, 0, 0, 0, 0, 0, 0]);
    let shape = [&[4, 0][..], &numbers(&[1024, 65536]), &[40, 0, 1, 0], &numbers(&[root]), &[rows, 0]];
    summed(&[b"FRHP\0", &[id, 0, 0, 0, 2, 0, 16, 0, 0], &sizes, &shape.concat()])
}

/// A block of a heap that holds an object behind its own 22 bytes.
fn heap_block(heap: u64, start: u8, object: &[u8]) -> Vec<u8> {
    let mut block = [b"FHDB\0", &numbers(&[heap])[..], &[start, 0, 0, 0, 0], &[0; 4], object].concat();
    block.resize(1024, 0);
    let sum = lookup3(&block);
    block[18..22].copy_from_slice(&sum.to_le_bytes());
    block
}

/// A tree of one leaf with these records, at this place.
fn tree(at: u64, kind: u8, records: &[Vec<u8>]) -> Vec<u8> {
    let length = records.first().map_or(1, Vec::len) as u8;
    let count = records.len() as u8;
    let head =
        [&[0, kind, 0, 2, 0, 0, length, 0, 0, 0, 100, 40][..], &numbers(&[at + 38]), &[count, 0]].concat();
    let head = summed(&[b"BTHD", &head, &numbers(&[u64::from(count)])]);
    [head, summed(&[b"BTLF", &[0, kind], &records.concat()])].concat()
}

/// The name of an object that lies behind the head of the first block.
fn managed(object: &[u8]) -> Vec<u8> {
    [&[0, 22, 0, 0, 0, 0][..], &(object.len() as u16).to_le_bytes()].concat()
}

/// A file with an attribute in a heap, in a block at the root or in one below a block of addresses.
fn dense(attribute: &[u8], below: bool) -> Vec<u8> {
    let (heap, next) = (BEHIND, BEHIND + 146);
    let mut blocks = heap_head(8, NONE, next, u8::from(below));
    if below {
        let children = numbers(&[next + 54, NONE, NONE, NONE]);
        blocks.extend(summed(&[b"FHIB\0", &numbers(&[heap]), &[0; 5], &children]));
    }
    blocks.extend(heap_block(heap, 0, attribute));
    let at = BEHIND + blocks.len() as u64;
    blocks.extend(tree(at, 8, &[[&managed(attribute)[..], &[0; 9]].concat()]));
    newer(0x15, heap, at, &blocks)
}

/// What an attribute's message holds.
fn bare(name: &str, text: &str) -> Vec<u8> {
    attribute(name, text)[8..].to_vec()
}

#[test]
fn attributes_in_a_heap_are_judged() {
    for below in [false, true] {
        let sound = dense(&bare("model_config", DENSE), below);
        assert!(passes(&judge("m.h5", &sound)), "{:?}", judge("m.h5", &sound).findings);
        check(&dense(&bare("model_config", LAMBDA), below), "KER101");
        check(&dense(&bare("info", "cos\nsystem\n(S'echo'\ntR."), below), "PKL101");
        check(&dense(&bare("model_config", DENSE)[..40], below), "INT811");
    }
}

#[test]
fn a_large_attribute_beside_its_heap_is_judged() {
    let build = |text: &str| {
        let (heap, large) = (BEHIND, BEHIND + 146);
        let object = bare("model_config", text);
        let huge = large + object.len() as u64;
        let places = tree(huge, 1, &[numbers(&[large, object.len() as u64, 7])]);
        let names = huge + places.len() as u64;
        let record = [&[16, 7, 0, 0, 0, 0, 0, 0][..], &[0; 9]].concat();
        let blocks = [heap_head(8, huge, NONE, 0), object, places, tree(names, 8, &[record])].concat();
        newer(0x15, heap, names, &blocks)
    };
    assert!(passes(&judge("m.h5", &build(DENSE))), "{:?}", judge("m.h5", &build(DENSE)).findings);
    check(&build(LAMBDA), "KER101");
}

#[test]
fn links_in_a_heap_are_followed() {
    let build = |link: &[u8], behind: &[u8]| {
        let (heap, block) = (BEHIND, BEHIND + 146);
        let names = block + 1024;
        let id = [&[0, 21, 0, 0, 0][..], &(link.len() as u16).to_le_bytes()].concat();
        let names_tree = tree(names, 5, &[[&[0; 4][..], &id].concat()]);
        // The heap of links has places of 32 bits.
        let mut head = heap_head(7, NONE, block, 0);
        head[128] = 32;
        let head = summed(&[&head[..142]]);
        let mut data = [b"FHDB\0", &numbers(&[heap])[..], &[0; 8], link].concat();
        data.resize(1024, 0);
        let sum = lookup3(&data);
        data[17..21].copy_from_slice(&sum.to_le_bytes());
        newer(2, heap, names, &[head, data, names_tree, behind.to_vec()].concat())
    };
    // The object behind a tree of one record.
    let object = BEHIND + 146 + 1024 + 38 + 10 + 11;
    let hard = |to: u64| [&[1, 0, 1, b'x'][..], &numbers(&[to])].concat();
    let config = header(&group(&[attribute("model_config", LAMBDA)]));
    check(&build(&hard(object), &config), "KER101");
    let fine = build(&hard(object), &header(&group(&[attribute("model_config", DENSE)])));
    assert!(passes(&judge("m.h5", &fine)), "{:?}", judge("m.h5", &fine).findings);
    check(&build(&[1, 8, 64, 1, b'x', 4, 0, 0, b'a', 0, b'b'], &[]), "HDF101");
}

/// A dataset of two chunks of four floats, whose index is made of its own place and those of the chunks.
fn indexed(kind: &[u8], filters: &[u8], index: impl Fn(u64, [u64; 2]) -> Vec<u8>) -> Vec<u8> {
    let messages = |at: u64| {
        let layout = [&[4, 2, 0, 2, 1, 4, 4][..], kind, &numbers(&[at])].concat();
        let mut messages = dataset(&[8], &layout);
        messages.extend((!filters.is_empty()).then(|| message(0xb, filters)));
        messages
    };
    let at = file(&messages(0), &[]).len() as u64;
    let length = index(at, [0, 0]).len() as u64;
    let chunks = [at + length, at + length + 16];
    file(&messages(at), &[index(at, chunks), vec![0; 32]].concat())
}

fn fixed(entries: u64, page_bits: u8) -> impl Fn(u64, [u64; 2]) -> Vec<u8> {
    move |at, chunks| {
        let head = summed(&[b"FAHD\0\0\x08", &[page_bits], &numbers(&[entries, at + 28])]);
        let mut block = summed(&[b"FADB\0\0", &numbers(&[at]), &numbers(&chunks)]);
        if page_bits == 0 {
            // A page for each entry, of which both were written.
            block = summed(&[b"FADB\0\0", &numbers(&[at]), &[0xc0]]);
            block.extend(chunks.iter().flat_map(|chunk| summed(&[&numbers(&[*chunk])])));
        }
        [head, block].concat()
    }
}

fn extensible(at: u64, chunks: [u64; 2]) -> Vec<u8> {
    let head = summed(&[b"EAHD\0\0\x08\x04\x01\x01\x02\x0a", &numbers(&[0; 6]), &numbers(&[at + 72])]);
    let index = summed(&[b"EAIB\0\0", &numbers(&[at, chunks[0], at + 138, NONE, NONE, NONE, NONE])]);
    let block = summed(&[b"EADB\0\0", &numbers(&[at]), &[1], &numbers(&[chunks[1]])]);
    [head, index, block].concat()
}

fn records(at: u64, chunks: [u64; 2]) -> Vec<u8> {
    tree(at, 10, &[numbers(&[chunks[0], 0]), numbers(&[chunks[1], 1])])
}

#[test]
fn chunks_are_found_through_each_index() {
    let outside = |_: u64, [first, _]: [u64; 2]| [first, 1 << 40];
    let passing = |file: &[u8]| assert!(passes(&judge("m.h5", file)), "{:?}", judge("m.h5", file).findings);
    let pages: &[u8] = &[3, 10];
    for bits in [10, 0] {
        passing(&indexed(pages, &[], fixed(2, bits)));
        check(&indexed(pages, &[], |at, chunks| fixed(2, bits)(at, outside(at, chunks))), "INT813");
    }
    check(&indexed(pages, &[], fixed(3, 10)), "INT811");
    let growing: &[u8] = &[4, 4, 1, 1, 2, 10];
    passing(&indexed(growing, &[], extensible));
    check(&indexed(growing, &[], |at, chunks| extensible(at, outside(at, chunks))), "INT813");
    let records_of: &[u8] = &[5, 0, 2, 0, 0, 100, 40];
    passing(&indexed(records_of, &[], records));
    check(&indexed(records_of, &[], |at, chunks| records(at, outside(at, chunks))), "INT813");
    // Chunks one behind the other, of which the second lies behind the end.
    passing(&indexed(&[2], &[], |_, _| Vec::new()));
    let mut short = indexed(&[2], &[], |_, _| Vec::new());
    short.truncate(short.len() - 1);
    let end = short.len() as u64;
    short[40..48].copy_from_slice(&end.to_le_bytes());
    check(&short, "INT813");
    // An index for chunks that went through no filter, where they did.
    check(&indexed(pages, &[2, 1, 3, 0, 0, 0, 0, 0], fixed(2, 10)), "INT811");
}

#[test]
fn scaled_numbers_have_the_bits_that_they_need() {
    // Two, zero, four elements of four bytes.
    let filter = [&[2, 1, 6, 0, 0, 0, 5, 0][..], &[2u32, 0, 4, 0, 4].map(u32::to_le_bytes).concat()].concat();
    let build = |packed: &[u8]| {
        let tail = packed.len() as u64;
        let messages = |at: u64| {
            let layout =
                [&[4, 2, 2, 2, 1, 4, 4, 1][..], &numbers(&[tail]), &[0; 4], &numbers(&[at])].concat();
            let mut messages = dataset(&[4], &layout);
            messages.push(message(0xb, &filter));
            messages
        };
        let at = file(&messages(0), &[]).len() as u64;
        file(&messages(at), packed)
    };
    let chunk = |bits: u8, length: usize| [&[bits][..], &[0; 20], &vec![0; length]].concat();
    for (bits, length) in [(0, 1), (3, 2), (31, 16), (32, 16)] {
        let sound = build(&chunk(bits, length));
        assert!(passes(&judge("m.h5", &sound)), "{bits}: {:?}", judge("m.h5", &sound).findings);
        check(&build(&chunk(bits, length - 1)), "INT814");
        check(&build(&chunk(bits, length + 1)), "INT814");
    }
    check(&build(&chunk(33, 17)), "INT814");
    check(&build(&[0; 20]), "INT814");
}

#[test]
fn what_an_extension_of_the_superblock_tells_is_known() {
    let build = |kind: u8| {
        let mut file = newer(
            2,
            NONE,
            NONE,
            &summed(&[b"OHDR\x02\0", &[12], &[kind, 8, 0, 0, 0, 32, 0, 16, 0, 4, 0, 0]]),
        );
        file[20..28].copy_from_slice(&BEHIND.to_le_bytes());
        let sum = lookup3(&file[..44]);
        file[44..48].copy_from_slice(&sum.to_le_bytes());
        file
    };
    for known in [0x13, 0x17] {
        assert!(passes(&judge("m.h5", &build(known))), "{:?}", judge("m.h5", &build(known)).findings);
    }
    for unknown in [0xf, 0x14, 0x18] {
        check(&build(unknown), "HDF201");
    }
}

#[test]
fn no_changed_byte_of_a_heap_passes() {
    let sound = dense(&bare("model_config", DENSE), true);
    for at in 0..sound.len() {
        let mut changed = sound.clone();
        changed[at] ^= 1;
        assert!(!passes(&judge("m.h5", &changed)), "{at}");
        assert!(!passes(&judge("m.h5", &sound[..at])), "{at}");
    }
}
