//! Compressed streams, tar archives and arrays, written byte by byte.

use std::io::{Read, Write};

use proptest::prelude::*;

use crate::build::{Stored, judge, npy, passes, rules, tar, tar_member, zip_of};

const PLAIN: &[u8] = b"\x80\x04N.";
const HOSTILE: &[u8] = b"cos\nsystem\n(S'x'\ntR.";

fn check(name: &'static str, bytes: &[u8], rule: &str) {
    let report = judge(name, bytes);
    assert!(!passes(&report), "{rule}");
    assert!(rules(&report).contains(&rule), "{rule}: {:?}", report.findings);
}

fn sound(name: &'static str, bytes: &[u8]) {
    let report = judge(name, bytes);
    assert!(passes(&report), "{:?}", report.findings);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzEncoder::new(bytes, flate2::Compression::fast()).read_to_end(&mut out).unwrap();
    out
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::ZlibEncoder::new(bytes, flate2::Compression::default()).read_to_end(&mut out).unwrap();
    out
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    bzip2::read::BzEncoder::new(bytes, bzip2::Compression::fast()).read_to_end(&mut out).unwrap();
    out
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn joblib_before_0_10(bytes: &[u8]) -> Vec<u8> {
    [format!("ZF{:<19}", format!("{:#x}", bytes.len())).into_bytes(), zlib(bytes)].concat()
}

type Wrap = fn(&[u8]) -> Vec<u8>;
const WRAPS: &[Wrap] = &[gzip, zlib, bzip2, lz4, zstd, joblib_before_0_10];

#[test]
fn what_is_compressed_is_judged_under_its_own_name() {
    for wrap in WRAPS {
        sound("m.pkl", &wrap(PLAIN));
        check("m.pkl", &wrap(HOSTILE), "PKL101");
        check("m.pkl", &wrap(&wrap(HOSTILE)), "PKL101");
        check("m.pkl", &[wrap(PLAIN), b"tail".to_vec()].concat(), "ARC111");
        let report = judge("m.pkl.gz", &wrap(HOSTILE));
        assert_eq!(report.findings[0].member.as_deref(), Some("m.pkl.gz"), "{:?}", report.findings);
    }
    for wrap in [gzip as Wrap, bzip2, lz4, zstd] {
        check("m.pkl", &[wrap(PLAIN), wrap(HOSTILE)].concat(), "PKL101");
    }
    let long = [b"\x80\x04B\0\0\x10\0".to_vec(), vec![0; 1 << 20], b"0".to_vec(), HOSTILE.to_vec()].concat();
    check("m.pkl", &gzip(&long), "PKL101");
}

#[test]
fn damaged_compression_is_named_and_what_came_before_it_judged() {
    // The last four bytes of a frame of zstd are its checksum.
    let mut frame = zstd(PLAIN);
    if let Some(last) = frame.last_mut() {
        *last ^= 1;
    }
    check("m.pkl", &frame, "INT505");
    for wrap in [gzip as Wrap, bzip2] {
        let file = wrap(&[HOSTILE, &[b'N'; 4000]].concat());
        check("m.pkl", &file[..file.len() - 4], "INT505");
        let mut flipped = wrap(PLAIN);
        let at = flipped.len() - 6;
        flipped[at] ^= 1;
        check("m.pkl", &flipped, "INT505");
    }
}

#[test]
fn expansion_without_bound_is_a_bomb() {
    let nothing = bzip2(b"");
    check("m.pkl.bz2", &[bzip2(HOSTILE), nothing.repeat(8000)].concat(), "ARC112");
    let zeros = gzip(&vec![b'N'; 64 << 20]);
    let bomb: Vec<u8> = std::iter::repeat_n(zeros, 6).flatten().collect();
    let once = gzip(&bomb);
    let twice = [once, b"".to_vec()].concat();
    check("m.pkl", &twice, "ARC112");
}

#[test]
fn tar_members_are_judged_and_named() {
    sound("m.tar", &tar(&[("a/m.pkl", PLAIN), ("README.md", b"# notes\n")]));
    sound("m.tar.gz", &gzip(&tar(&[("a/m.pkl", PLAIN)])));
    let report = judge("m.tar", &tar(&[("a/m.bin", HOSTILE)]));
    assert_eq!(report.findings[0].member.as_deref(), Some("m.tar!/a/m.bin"));
    let zip = zip_of(vec![Stored::deflated("x", HOSTILE)]);
    let report = judge("m.nemo", &tar(&[("m.ckpt", &zip)]));
    assert_eq!(report.findings[0].member.as_deref(), Some("m.nemo!/m.ckpt!/x"));
    check("m.nemo", &tar(&[("c.yaml", b"a:\n  _target_: os.system\n"), ("m.pkl", PLAIN)]), "SEC102");
}

#[test]
fn a_large_archive_at_the_end_of_another_is_read_in_place() {
    let padding = vec![0x41; 2 << 20];
    let inner = zip_of(vec![Stored::new("w.txt", &padding), Stored::deflated("x.pkl", HOSTILE)]);
    let report = judge("m.nemo", &tar(&[("model.ckpt", &inner)]));
    assert_eq!(rules(&report), ["PKL101"], "{:?}", report.findings);
    assert_eq!(report.findings[0].member.as_deref(), Some("m.nemo!/model.ckpt!/x.pkl"));
    let outer = zip_of(vec![Stored::new("inner.zip", &inner)]);
    assert!(rules(&judge("m.zip", &outer)).contains(&"PKL101"));
    let packed = gzip(&tar(&[("model.ckpt", &inner)]));
    assert!(rules(&judge("m.tar.gz", &packed)).contains(&"PKL101"), "held in memory");
}

#[test]
fn what_a_tar_reader_could_follow_or_miss_is_a_finding() {
    let end = vec![0; 1024];
    let member = |name: &str, kind, link: &str| [tar_member(name, kind, link, b""), end.clone()].concat();
    check("m.tar", &member("x", b'2', "/etc/passwd"), "ARC102");
    check("m.tar", &member("x", b'1', "y"), "ARC102");
    check("m.tar", &member("x", b'3', ""), "ARC114");
    check("m.tar", &member("../x", b'0', ""), "ARC101");
    check("m.tar", &tar(&[("a", PLAIN), ("./A", PLAIN)]), "ARC103");
    let good = tar(&[("m.pkl", PLAIN)]);
    check("m.tar", &[&good[..], &good[..]].concat(), "ARC111");
    check("m.tar", &good[..good.len() - 1024], "INT506");
    let mut broken = good.clone();
    broken[0] = b'n';
    check("m.tar", &broken, "INT510");
    let renamed = [tar_member("p", b'x', "", b"16 path=evil.py\n"), good].concat();
    check("m.tar", &renamed, "ARC104");
    let sized = [tar_member("p", b'x', "", b"11 size=99\n"), tar(&[("m.pkl", PLAIN)])].concat();
    check("m.tar", &sized, "ARC104");
}

#[test]
fn arrays_have_the_size_that_their_header_says() {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
    sound("a.npy", &npy(header, &[0; 8]));
    sound("a.npy", &[npy(header, &[0; 8]), npy(header, &[0; 8])].concat());
    check("a.npy", &npy(header, &[0; 7]), "INT532");
    check("a.npy", &npy(header, &[0; 9]), "NPY101");
    check("a.npy", &npy("{'descr': exit(), 'fortran_order': False, 'shape': (2,), }\n", &[0; 8]), "INT531");
    let huge =
        "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775808, 9223372036854775808), }\n";
    check("a.npy", &npy(huge, &[0; 8]), "INT532");
    let objects = "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }\n";
    check("a.npy", &npy(objects, HOSTILE), "PKL101");
    sound("a.npz", &zip_of(vec![Stored::deflated("a.npy", &npy(header, &[0; 8]))]));
    check("a.npz", &zip_of(vec![Stored::deflated("a.npy", &npy(objects, HOSTILE))]), "PKL101");
}

#[test]
fn no_prefix_of_a_hostile_stream_passes() {
    for wrap in WRAPS {
        let file = wrap(HOSTILE);
        for length in 0..file.len() {
            assert!(!passes(&judge("m.pkl", &file[..length])), "cut at {length}");
        }
    }
    let file = tar(&[("a.pkl", PLAIN), ("b.pkl", HOSTILE)]);
    for length in 0..file.len() {
        assert!(!passes(&judge("m.tar", &file[..length])), "cut at {length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_flip_in_a_hostile_stream_is_never_a_pass(at in 0usize..4096, bit in 0u8..8) {
        for wrap in WRAPS {
            let mut file = wrap(HOSTILE);
            let at = at % file.len();
            file[at] ^= 1 << bit;
            let report = judge("m.bin", &file);
            prop_assert!(!passes(&report), "bit {} of {}", bit, at);
        }
        let mut file = tar(&[("a.pkl", PLAIN), ("b.pkl", HOSTILE)]);
        let at = at % file.len();
        file[at] ^= 1 << bit;
        prop_assert!(!passes(&judge("m.tar", &file)));
    }
}
