//! Hostile pickles in every container, twice nested, under every name, and in archives that readers see differently.

use std::io::{Read, Write};

use super::{
    Case,
    Fate::{By, Named, NoPass},
    check,
    opcodes::{stack_global, text, unframed},
};
use crate::build::{Stored, npy, safetensors, state_dict, tar, tar_member, tensor, zip, zip_of};

/// What runs in all of them.
pub(super) const HOSTILE: &[u8] = b"cos\nsystem\n(S'echo hello'\ntR.";
/// The same in containers that the tests have no writer of.
const XZ: &[u8] = b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\x02\0!\x01\x0c\0\0\0\x8f\x98A\x9c\x01\0\x1ccos\nsystem\n(S'echo hello'\ntR.\0\0\0\0\xd6j\xc7\xe2U_\xfd$\0\x015\x1dD\x1b\xb1\xe1\x1f\xb6\xf3}\x01\0\0\0\0\x04YZ";
const LZMA: &[u8] = b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\x001\x9b\xca\xc6\xb2|e\xdf\xdf\x91Y\x9f\xb1\xd6~-\x0b\x9f\\\xf4\xc8f '>\xa9\xee(<\x83\xde\x03\xda\xb3\xff\xfe\x86\xe0\0";
const PLAIN: &[u8] = b"\x80\x04N.";

/// Hostile pickles that are recognised by different means.
pub(super) fn payloads() -> Vec<(&'static str, Vec<u8>)> {
    let call = [stack_global("os", "system"), text("echo hello"), b"\x85R".to_vec()].concat();
    vec![
        ("protocol 0", HOSTILE.to_vec()),
        ("protocol 4", super::opcodes::stream(4, &call)),
        ("an instance", b"(S'echo hello'\nios\nsystem\n.".to_vec()),
        ("a broken end", [&unframed(&[&call])[..], b"\xff\xff"].concat()),
        ("no end", [b"\x80\x04", &call[..]].concat()),
        ("a large head", unframed(&[&text(&"a".repeat(200_000)), b"0", &call])),
    ]
}

type Wrap = fn(&[u8]) -> Vec<u8>;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzEncoder::new(bytes, flate2::Compression::fast()).read_to_end(&mut out).unwrap();
    out
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::ZlibEncoder::new(bytes, flate2::Compression::best()).read_to_end(&mut out).unwrap();
    out
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    bzip2::read::BzEncoder::new(bytes, bzip2::Compression::fast()).read_to_end(&mut out).unwrap();
    out
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn old_joblib(bytes: &[u8]) -> Vec<u8> {
    [format!("ZF{:<19}", format!("{:#x}", bytes.len())).into_bytes(), zlib(bytes)].concat()
}

fn objects(bytes: &[u8]) -> Vec<u8> {
    npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", bytes)
}

/// A PyTorch archive with this member beside a sound pickle.
fn torch(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut members = vec![("m/version", &b"3\n"[..]), ("m/byteorder", b"little"), (name, bytes)];
    if name != "m/data.pkl" {
        members.push(("m/data.pkl", b"\x80\x02}."));
    }
    zip(&members)
}

/// All containers by name.
pub(super) const WRAPS: &[(&str, Wrap)] = &[
    ("gzip", gzip),
    ("zlib", zlib),
    ("bzip2", bzip2),
    ("lz4", lz4),
    ("zstd", zstd),
    ("joblib's old header", old_joblib),
    ("an object array", objects),
    ("npz", |bytes| zip(&[("arr_0.npy", &objects(bytes))])),
    ("zip", |bytes| zip(&[("data", bytes)])),
    ("a deflated zip", |bytes| zip_of(vec![Stored::deflated("weights.bin", bytes)])),
    ("a zip of many", |bytes| {
        zip(&[("README.md", b"# notes"), ("a/b/c/model.onnx", bytes), ("z.txt", b"z")])
    }),
    ("tar", |bytes| tar(&[("model_weights.ckpt", bytes)])),
    ("tar, by an old type", |bytes| [tar_member("model", 0, "", bytes), vec![0; 1024]].concat()),
    ("a model archive", |bytes| {
        zip(&[("MAR-INF/MANIFEST.json", b"{}"), ("model.pt", bytes), ("handler.txt", b"x")])
    }),
    ("nemo", |bytes| {
        tar(&[
            ("model_config.yaml", b"target: nemo.collections.asr.models.EncDecCTCModel\n"),
            ("model_weights.ckpt", bytes),
        ])
    }),
    ("torch", |bytes| torch("m/data.pkl", bytes)),
    ("torch, constants", |bytes| torch("m/constants.pkl", bytes)),
    ("torch, another pickle", |bytes| torch("m/extra.PKL", bytes)),
    ("torch, notes", |bytes| torch("m/.data/serialization_id", bytes)),
    ("torch, code", |bytes| torch("m/code/__torch__.py", bytes)),
    ("torch, code's notes", |bytes| torch("m/code/__torch__.py.debug_pkl", bytes)),
    ("torch, an attribute", |bytes| torch("m/extra/model.json", bytes)),
    ("torch, another folder", |bytes| torch("other/data.pkl", bytes)),
    ("skops", |bytes| {
        zip(&[("schema.json", br#"{"protocol": 2, "__loader__": "DictNode", "__class__": "dict", "__module__": "builtins", "content": {}}"#), ("1.npy", bytes)])
    }),
    ("keras", |bytes| {
        zip(&[
            ("config.json", br#"{"class_name": "Sequential", "config": {"layers": []}}"#),
            ("metadata.json", b"{}"),
            ("model.weights.h5", bytes),
        ])
    }),
    ("an image's layer", |bytes| gzip(&tar(&[("models/model", bytes)]))),
];

#[test]
fn no_container_hides_a_pickle() {
    let mut cases = vec![
        Case::new("xz", "m.pkl.xz", XZ.to_vec(), Named),
        Case::new("lzma", "m.pkl.lzma", LZMA.to_vec(), Named),
        Case::new("lzma of a small window", "m.pkl", [&b"\x5d\0\x10\0\0"[..], &LZMA[5..]].concat(), Named),
    ];
    for (payload, bytes) in payloads() {
        for (outer, wrap) in WRAPS {
            let one = wrap(&bytes);
            cases.push(Case::new(format!("{payload} in {outer}"), "model.bin", one.clone(), Named));
            for (inner, again) in WRAPS.iter().filter(|_| payload != "a large head") {
                let what = format!("{payload} in {outer} in {inner}");
                // An array of objects holds a pickle, and loaders fail on anything else.
                let fate = if ["an object array", "npz"].contains(inner) { NoPass } else { Named };
                cases.push(Case::new(what, "model.bin", again(&one), fate));
            }
        }
    }
    check(cases);
}

#[test]
fn no_name_makes_a_pickle_something_else() {
    let mut cases = Vec::new();
    for name in [
        "model.onnx",
        "model.safetensors",
        "model.gguf",
        "model.npy",
        "model.npz",
        "model.h5",
        "model.keras",
        "model.tflite",
        "model.json",
        "config.json",
        "labels.txt",
        "README.md",
        "notes.rst",
        "data.csv",
        "LICENSE",
        ".gitattributes",
        "model.pb",
        "saved_model.pb",
        "fingerprint.pb",
        "model.ubj",
        "model.cbm",
        "variables.index",
        "tokenizer.jinja",
        "settings.yaml",
        "MLmodel",
        "oci-layout",
        "model",
        "model.pkl.gz",
        "blobs/sha256/0000",
        "a/b/c/d/e",
        "model.PKL",
        "model.bin",
        "model.pt",
        "model.tar",
        "model.zip",
        "model.7z",
        "model.html",
        "model.py",
    ] {
        for (payload, bytes) in payloads() {
            cases.push(Case::new(format!("{payload} as {name}"), name, bytes, Named));
        }
    }
    check(cases);
}

#[test]
fn archives_that_readers_see_differently_are_rejected() {
    let hostile = || Stored::new("m/data.pkl", HOSTILE);
    let plain = || Stored::new("m/data.pkl", PLAIN);
    let version = || Stored::new("m/version", b"3\n");
    let mut cases = Vec::new();
    let spoiled: Vec<(&str, Stored)> = vec![
        ("encrypted", Stored { flags: 1, ..hostile() }),
        ("strongly encrypted", Stored { flags: 0x41, ..hostile() }),
        ("an encrypted directory", Stored { flags: 0x2000, ..hostile() }),
        ("patched", Stored { flags: 0x20, ..hostile() }),
        ("all flags", Stored { flags: 0xffff, ..hostile() }),
        ("a wrong checksum", Stored { crc: 0, ..hostile() }),
        ("a size of nothing", Stored { size: 0, ..hostile() }),
        ("a size beyond the file", Stored { size: u32::MAX - 1, ..hostile() }),
        ("a link", Stored { mode: 0o120_777, ..hostile() }),
        ("a pipe", Stored { mode: 0o010_644, ..hostile() }),
        ("another local name", Stored { local_name: "m/version".to_owned(), ..hostile() }),
        ("another name in the directory", Stored { central_name: "m/readme".to_owned(), ..hostile() }),
        (
            "a folder's name",
            Stored {
                local_name: "m/data.pkl/".to_owned(),
                central_name: "m/data.pkl/".to_owned(),
                ..hostile()
            },
        ),
        ("hidden", Stored { hidden: true, ..hostile() }),
        ("upper case", Stored::new("M/DATA.PKL", HOSTILE)),
        ("a backslash", Stored::new("m\\data.pkl", HOSTILE)),
        ("a NUL", Stored::new("m/data.pkl\0.txt", HOSTILE)),
        ("outside", Stored::new("../../m/data.pkl", HOSTILE)),
        ("absolute", Stored::new("/m/data.pkl", HOSTILE)),
    ];
    for (what, member) in spoiled {
        cases.push(Case::new(what, "m.pt", zip_of(vec![version(), member.clone()]), Named));
        cases.push(Case::new(
            format!("{what}, and a sound one"),
            "m.pt",
            zip_of(vec![plain(), version(), member.clone()]),
            Named,
        ));
        cases.push(Case::new(
            format!("{what}, in front"),
            "m.pt",
            zip_of(vec![member, version(), plain()]),
            Named,
        ));
    }
    for method in [1u16, 6, 9, 10, 19, 97, 98, 99] {
        let member = Stored { method, ..hostile() };
        cases.push(Case::new(format!("method {method}"), "m.pt", zip_of(vec![version(), member]), NoPass));
    }
    let sound = zip_of(vec![plain(), version()]);
    let evil = zip_of(vec![hostile(), version()]);
    for (what, bytes) in [
        ("one archive behind another", [&sound[..], &evil].concat()),
        ("one archive in front of another", [&evil[..], &sound].concat()),
        ("a pickle in front", [HOSTILE, &sound].concat()),
        ("a pickle behind", [&sound[..], HOSTILE].concat()),
        ("a comment", with_comment(&sound, HOSTILE)),
        ("an archive as a comment", with_comment(&sound, &evil)),
    ] {
        cases.push(Case::new(what, "m.pt", bytes, Named));
    }
    // Bytes of a storage that hold another archive, whose 64-bit end only one kind of reader looks for.
    cases.push(Case::new("a pointer to another directory", "m.pt", two_directories(), By("ARC104")));
    check(cases);
}

fn with_comment(archive: &[u8], comment: &[u8]) -> Vec<u8> {
    let (archive, _) = archive.split_at(archive.len() - 2);
    [archive, &u16::try_from(comment.len()).unwrap().to_le_bytes(), comment].concat()
}

/// A 64-bit end record and the pointer to it, for a directory of `count` entries; the pointer leads to `pointer`.
fn end64(count: u64, size: u64, offset: u64, pointer: u64) -> Vec<u8> {
    let record = [&b"PK\x06\x06"[..], &44u64.to_le_bytes(), &[45, 0, 45, 0], &[0; 8]].concat();
    let counts = [count, count, size, offset].map(u64::to_le_bytes).concat();
    let locator = [&b"PK\x06\x07\0\0\0\0"[..], &pointer.to_le_bytes(), &1u32.to_le_bytes()].concat();
    [record, counts, locator].concat()
}

/// An archive with a sound directory, in whose storage a second one lies that the pointer names.
fn two_directories() -> Vec<u8> {
    let pickle = state_dict(&tensor("0", 250, 250));
    let storage = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes.resize(1000, 0);
        Stored::new("m/data/0", &bytes)
    };
    let members = |bytes: &[u8]| {
        vec![Stored::new("m/data.pkl", &pickle), Stored::new("m/version", b"3\n"), storage(bytes)]
    };
    let blank = zip_of(members(&[]));
    let start = blank.windows(8).position(|bytes| bytes == b"m/data/0").unwrap() + 8;
    // The hidden archive, its offsets counted from the start of the file.
    let hidden = zip_of(vec![Stored::new("m/data.pkl", HOSTILE)]);
    let directory = hidden.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let (local, rest) = hidden.split_at(directory);
    let mut entry = rest[..rest.len() - 22].to_vec();
    entry[42..46].copy_from_slice(&u32::try_from(start).unwrap().to_le_bytes());
    let record_at = (start + local.len() + entry.len()) as u64;
    let record = end64(1, entry.len() as u64, (start + local.len()) as u64, 0);
    let archive = zip_of(members(&[local, &entry, &record[..56]].concat()));
    let (body, end) = archive.split_at(archive.len() - 22);
    let size = u32::from_le_bytes(end[12..16].try_into().unwrap());
    let offset = u32::from_le_bytes(end[16..20].try_into().unwrap());
    [body, &end64(3, u64::from(size), u64::from(offset), record_at), end].concat()
}

#[test]
fn the_pointer_to_a_directory_may_lead_to_it() {
    let archive = zip_of(vec![Stored::new("a.pkl", PLAIN)]);
    let (body, end) = archive.split_at(archive.len() - 22);
    let size = u64::from(u32::from_le_bytes(end[12..16].try_into().unwrap()));
    let offset = u64::from(u32::from_le_bytes(end[16..20].try_into().unwrap()));
    let file = [body, &end64(1, size, offset, body.len() as u64), end].concat();
    let report = super::judge(vec![("m.zip", file)]);
    assert!(crate::build::passes(&report), "{:?}", report.findings);
}

#[test]
fn numbers_of_a_model_are_numbers() {
    let mut cases = Vec::new();
    for (what, wrap) in WRAPS.iter().filter(|(what, _)| {
        ["zip", "tar", "npz", "an object array", "torch", "a model archive"].contains(what)
    }) {
        let mut bytes = wrap(HOSTILE);
        bytes.resize(bytes.len().div_ceil(4) * 4, 0);
        let count = u8::try_from(bytes.len() / 4).unwrap_or(u8::MAX);
        let pickle = state_dict(&tensor("0", count, count));
        let file = zip(&[("m/data.pkl", &pickle), ("m/version", b"3\n"), ("m/data/0", &bytes)]);
        cases.push(Case::new(format!("{what} in a storage"), "m.pt", file, By("TOR104")));
    }
    let pickle = state_dict(&tensor("0", 8, 8));
    let mut raw = HOSTILE.to_vec();
    raw.resize(32, b' ');
    cases.push(Case::new(
        "a pickle in a storage",
        "m.pt",
        zip(&[("m/data.pkl", &pickle), ("m/version", b"3\n"), ("m/data/0", &raw)]),
        By("TOR104"),
    ));
    check(cases);
}

#[test]
fn tar_archives_that_readers_see_differently_are_rejected() {
    let end = vec![0; 1024];
    let archive = |members: &[Vec<u8>]| [members.concat(), end.clone()].concat();
    let hostile = tar_member("data.pkl", b'0', "", HOSTILE);
    let pax = |text: &str| {
        tar_member(
            "pax",
            b'x',
            "",
            format!("{} {text}\n", text.len() + 2 + (text.len() + 4).to_string().len()).as_bytes(),
        )
    };
    let plain = tar_member("a.pkl", b'0', "", PLAIN);
    let prefixed = {
        let mut block = plain.clone();
        block[257..265].copy_from_slice(b"ustar  \0");
        block[345..351].copy_from_slice(b"../../");
        block[148..156].copy_from_slice(b"        ");
        let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    };
    check(vec![
        Case::new(
            "behind the end",
            "m.tar",
            [archive(std::slice::from_ref(&plain)), hostile.clone(), end.clone()].concat(),
            Named,
        ),
        Case::new("without an end", "m.tar", [plain.clone(), hostile.clone()].concat(), Named),
        Case::new("content of a folder", "m.tar", archive(&[tar_member("d", b'5', "", &hostile)]), Named),
        Case::new("content of an old folder", "m.tar", archive(&[tar_member("d/", 0, "", &hostile)]), Named),
        Case::new(
            "content of a link",
            "m.tar",
            archive(&[tar_member("l", b'2', "/etc/passwd", &hostile)]),
            Named,
        ),
        Case::new(
            "a link",
            "m.tar",
            archive(&[plain.clone(), tar_member("l", b'2', "/etc/passwd", b"")]),
            By("ARC102"),
        ),
        Case::new(
            "a hard link",
            "m.tar",
            archive(&[plain.clone(), tar_member("l", b'1', "../../x", b"")]),
            By("ARC102"),
        ),
        Case::new(
            "a device",
            "m.tar",
            archive(&[plain.clone(), tar_member("dev", b'3', "", b"")]),
            By("ARC114"),
        ),
        Case::new(
            "a pipe",
            "m.tar",
            archive(&[plain.clone(), tar_member("pipe", b'6', "", b"")]),
            By("ARC114"),
        ),
        Case::new(
            "a name outside",
            "m.tar",
            archive(&[tar_member("../../a.pkl", b'0', "", PLAIN)]),
            By("ARC101"),
        ),
        Case::new(
            "a longer name outside",
            "m.tar",
            archive(&[tar_member("././@LongLink", b'L', "", b"../../a.pkl\0"), plain.clone()]),
            By("ARC101"),
        ),
        Case::new(
            "a pax name outside",
            "m.tar",
            archive(&[pax("path=../../a.pkl"), plain.clone()]),
            By("ARC101"),
        ),
        Case::new("a prefix of another version", "m.tar", archive(&[prefixed]), By("ARC101")),
        Case::new("a sparse member", "m.tar", archive(&[pax("GNU.sparse.size=9"), plain.clone()]), NoPass),
        Case::new(
            "a global name",
            "m.tar",
            archive(&[tar_member("pax", b'g', "", b"12 path=x.y\n"), plain.clone()]),
            Named,
        ),
        Case::new(
            "twice one name",
            "m.tar",
            archive(&[plain.clone(), tar_member("./A.pkl", b'0', "", PLAIN)]),
            By("ARC103"),
        ),
        Case::new(
            "an unknown type",
            "m.tar",
            archive(&[plain.clone(), tar_member("x", b'V', "", b"")]),
            NoPass,
        ),
    ]);
}

#[test]
fn what_is_two_formats_at_once_is_rejected() {
    let archive = zip(&[("data", HOSTILE)]);
    let header = r#"{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"#;
    let model = safetensors(header, 8);
    let graph = crate::build::model(crate::build::graph(|graph| graph), |model| model);
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    let mut cases = Vec::new();
    for (what, first) in [
        ("safetensors", model.clone()),
        ("ONNX", graph),
        ("PNG", png),
        ("ELF", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec()),
        ("a script", b"#!/bin/sh\necho hello\n".to_vec()),
        ("HTML", b"<html><body>".to_vec()),
        ("JSON", b"{\"a\": 1}".to_vec()),
        ("a pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n".to_vec()),
        ("text", b"hello\n".to_vec()),
        ("tar", tar(&[("a.pkl", PLAIN)])),
        ("gzip", gzip(PLAIN)),
        ("npy", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n", &[0; 8])),
        ("GGUF", b"GGUF\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec()),
    ] {
        for (second, bytes) in
            [("an archive", &archive[..]), ("a pickle", HOSTILE), ("tar", &tar(&[("data", HOSTILE)]))]
        {
            let file = [&first[..], bytes].concat();
            let readable = second == "an archive" || matches!(what, "safetensors" | "tar" | "gzip" | "npy");
            let fate = if readable { Named } else { NoPass };
            cases.push(Case::new(format!("{what} and {second}"), "model.bin", file, fate));
        }
        cases.push(Case::new(format!("a pickle and {what}"), "model.bin", [HOSTILE, &first].concat(), Named));
    }
    check(cases);
}
