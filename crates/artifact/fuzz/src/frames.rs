//! How an input becomes an artifact of the format that a target is about.
//!
//! A frame repairs what tells the format (a mark, a length, a checksum), and leaves everything else as it is, so that a whole
//! file of that format stays the same.

use super::{
    containers::{TABLE_END, array, four, table, tar, tar_header, zip},
    memory::Memory,
};

/// Three pickles that a legacy PyTorch file begins with: magic number, protocol, description of the machine.
const LEGACY: &[u8] =
    b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}q\x00.";
/// Calls a function that runs a command; ends before its STOP.
const HOSTILE: &[u8] = b"cos\nsystem\n(X\x04\x00\x00\x00echotR";
/// A base-128 field of one byte in front of a message.
const VERSION: u8 = 0x08;
/// Names by which files are judged differently.
const NAMES: &[&str] = &[
    "m",
    "m.pkl",
    "m.onnx",
    "m.safetensors",
    "m.pt",
    "m.npz",
    "m.keras",
    "m.skops",
    "m.h5",
    "m.gguf",
    "m.json",
    "m.txt",
    "m.yaml",
    "m.jinja",
    "saved_model.pb",
    "m.nemo",
    "m.tflite",
    "m.index",
    "byteorder",
    "README.md",
];

pub(super) fn any(input: &[u8]) -> Memory {
    let (choice, rest) = input.split_first().unwrap_or((&0, input));
    Memory::file(NAMES[usize::from(*choice) % NAMES.len()], rest)
}

pub(super) fn pickle(input: &[u8]) -> Memory {
    let announced = input.first() == Some(&0x80);
    Memory::file("m.pkl", if announced { input.to_vec() } else { [b"\x80\x04", input].concat() })
}

pub(super) fn sniff(input: &[u8]) -> Memory {
    Memory::file("m.bin", input)
}

/// What runs a command in one of several places, with the input behind it.
pub(super) fn hostile(input: &[u8]) -> Memory {
    let (choice, tail) = input.split_first().unwrap_or((&0, input));
    let pickle = [b"\x80\x02", HOSTILE].concat();
    let whole = [&pickle[..], b"."].concat();
    match choice % 8 {
        0 => Memory::file("m.pkl", [HOSTILE, tail].concat()),
        1 => Memory::file("m.pkl", [&pickle, tail].concat()),
        2 => Memory::file("m.pkl", [&whole, tail].concat()),
        3 => Memory::file("m.pt", [&torch(&whole)[..], tail].concat()),
        4 => Memory::file("m.npz", zip(&[("a", &[&whole, tail].concat())])),
        5 => Memory::file("m.nemo", [&tar("m.ckpt", &whole)[..], tail].concat()),
        6 => Memory::file("m.pt", [LEGACY, &pickle, tail].concat()),
        _ => Memory::file("m.zip", [&zip(&[("a.bin", &whole), ("b", b"")])[..], tail].concat()),
    }
}

pub(super) fn zip_archive(input: &[u8]) -> Memory {
    Memory::file("m.zip", input)
}

pub(super) fn tar_archive(input: &[u8]) -> Memory {
    let mut file = input.to_vec();
    let mut at = 0;
    while let Some(block) = file.get_mut(at..at + 512) {
        if block.iter().all(|byte| *byte == 0) {
            break;
        }
        tar_header(block);
        let digits = std::str::from_utf8(&block[124..135]).unwrap_or("").trim_matches([' ', '\0']);
        let size = usize::from_str_radix(digits, 8).unwrap_or(0);
        at = at.saturating_add(512).saturating_add(size.next_multiple_of(512));
    }
    Memory::file("m.tar", file)
}

pub(super) fn compressed(input: &[u8]) -> Memory {
    Memory::file("m.pkl.gz", input)
}

pub(super) fn torch_legacy(input: &[u8]) -> Memory {
    let whole = input.starts_with(&LEGACY[..4]);
    Memory::file("m.pt", if whole { input.to_vec() } else { [LEGACY, input].concat() })
}

pub(super) fn torch_zip(input: &[u8]) -> Memory {
    Memory::file("m.pt", torch(input))
}

fn torch(pickle: &[u8]) -> Vec<u8> {
    zip(&[
        ("m/data.pkl", pickle),
        ("m/byteorder", b"little"),
        ("m/data/0", &[0; 16]),
        ("m/data/1", &[0; 8]),
        ("m/version", b"3\n"),
    ])
}

/// The header is as long as it says, or as there is.
pub(super) fn safetensors(input: &[u8]) -> Memory {
    let mut file = input.to_vec();
    if let Some((length, rest)) = file.split_first_chunk_mut::<8>() {
        let told = u64::from_le_bytes(*length);
        *length = told.min(rest.len() as u64).to_le_bytes();
        if let Some(brace) = rest.first_mut() {
            *brace = b'{';
        }
    }
    Memory::file("m.safetensors", file)
}

pub(super) fn index(input: &[u8]) -> Memory {
    let header = br#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
    let shard = [&(header.len() as u64).to_le_bytes()[..], header, &[0]].concat();
    let beside = vec![("1.safetensors", shard)];
    Memory { beside, ..Memory::file("model.safetensors.index.json", input) }
}

pub(super) fn onnx(input: &[u8]) -> Memory {
    let beside = vec![("w.bin", vec![0; 64])];
    Memory { beside, ..Memory::file("m.onnx", versioned(input)) }
}

pub(super) fn saved_model(input: &[u8]) -> Memory {
    let beside = vec![("assets/vocab.txt", b"a\n".to_vec())];
    Memory { beside, ..Memory::file("saved_model.pb", versioned(input)) }
}

fn versioned(input: &[u8]) -> Vec<u8> {
    if input.first() == Some(&VERSION) { input.to_vec() } else { [&[VERSION, 8], input].concat() }
}

pub(super) fn frozen_graph(input: &[u8]) -> Memory {
    Memory::file("frozen.pb", input)
}

pub(super) fn checkpoint(input: &[u8]) -> Memory {
    let file = if input.ends_with(&TABLE_END) { input.to_vec() } else { table(input) };
    let beside = vec![("v.data-00000-of-00001", vec![0xff; 64])];
    Memory { beside, ..Memory::file("v.index", file) }
}

pub(super) fn keras_config(input: &[u8]) -> Memory {
    let metadata = br#"{"keras_version": "3.12.0", "date_saved": "2026-01-01@00:00:00"}"#;
    Memory::file("m.keras", zip(&[("metadata.json", metadata), ("config.json", input)]))
}

pub(super) fn json(input: &[u8]) -> Memory {
    Memory::file("model.json", input)
}

pub(super) fn hdf5(input: &[u8]) -> Memory {
    Memory::file("m.h5", marked(input, 0, b"\x89HDF\r\n\x1a\n"))
}

pub(super) fn gguf(input: &[u8]) -> Memory {
    let mut file = marked(input, 0, b"GGUF");
    if let Some(version) = file.get_mut(4..8) {
        version.copy_from_slice(&[version[0] % 4, 0, 0, 0]);
    }
    Memory::file("m.gguf", file)
}

pub(super) fn npy(input: &[u8]) -> Memory {
    let mut file = marked(input, 0, b"\x93NUMPY\x01\0");
    let left = file.len().saturating_sub(10);
    if let Some(length) = file.get_mut(8..10) {
        let told = usize::from(length[0]) | usize::from(length[1]) << 8;
        length.copy_from_slice(&four(told.min(left))[..2]);
    }
    Memory::file("m.npy", file)
}

pub(super) fn jinja(input: &[u8]) -> Memory {
    Memory::file("chat_template.jinja", text(input))
}

pub(super) fn yaml(input: &[u8]) -> Memory {
    Memory::file("config.yaml", text(input))
}

/// The input as text, so that it is taken for some.
fn text(input: &[u8]) -> String {
    let letter = |c: char| if c.is_control() && !matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
    String::from_utf8_lossy(input).chars().map(letter).collect()
}

pub(super) fn ubjson(input: &[u8]) -> Memory {
    let head = b"{L\0\0\0\0\0\0\0\x07learner";
    let whole = input.starts_with(b"{");
    Memory::file("m.ubj", if whole { input.to_vec() } else { [head, input].concat() })
}

pub(super) fn lightgbm(input: &[u8]) -> Memory {
    let head = "tree\nversion=";
    let text = text(input);
    Memory::file("m.txt", if text.starts_with(head) { text } else { format!("{head}{text}") })
}

pub(super) fn catboost(input: &[u8]) -> Memory {
    let mut file = marked(input, 0, b"CBM1");
    let left = file.len().saturating_sub(8);
    if let Some(length) = file.get_mut(4..8) {
        let told = length.iter().rev().fold(0, |told, byte| told << 8 | usize::from(*byte));
        length.copy_from_slice(&four(told.min(left)));
    }
    Memory::file("m.cbm", file)
}

pub(super) fn tflite(input: &[u8]) -> Memory {
    Memory::file("m.tflite", marked(input, 4, b"TFL3"))
}

/// A schema behind the arrays that it may name: the nodes of a tree, whole numbers, and a sparse matrix.
pub(super) fn skops(input: &[u8]) -> Memory {
    let numbers =
        |numbers: &[i64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let kind = "[('left_child', '<i8'), ('right_child', '<i8'), ('feature', '<i8'), ('', '|V40')]";
    let mut nodes = vec![0; 3 * 64];
    for (node, parts) in nodes.chunks_exact_mut(64).zip([[1, 2, 1], [-1, -1, -2], [-1, -1, -2]]) {
        node[..24].copy_from_slice(&numbers(&parts));
    }
    let list = array("'<i8'", "(2,)", &numbers(&[0, 1]));
    let matrix = zip(&[
        ("indices.npy", &list),
        ("indptr.npy", &array("'<i8'", "(3,)", &numbers(&[0, 1, 2]))),
        ("format.npy", &array("'|S3'", "()", b"csr")),
        ("shape.npy", &array("'<i8'", "(2,)", &numbers(&[2, 2]))),
        ("data.npy", &array("'<f8'", "(2,)", &[0; 16])),
    ]);
    let members = [
        ("nodes.npy", &array(kind, "(3,)", &nodes)[..]),
        ("n.npy", &array("'<i8'", "()", &numbers(&[2]))),
        ("support.npy", &list),
        ("m.npz", &matrix),
        ("schema.json", input),
    ];
    Memory::file("m.skops", zip(&members))
}

/// The input with a mark at its place, where it is long enough for one.
fn marked(input: &[u8], at: usize, mark: &[u8]) -> Vec<u8> {
    let mut file = input.to_vec();
    if let Some(place) = file.get_mut(at..at + mark.len()) {
        place.copy_from_slice(mark);
    }
    file
}
