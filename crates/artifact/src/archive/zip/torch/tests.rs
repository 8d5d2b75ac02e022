//! PyTorch archives, sound, damaged and hostile.

use proptest::prelude::*;

use crate::build::{Stored, judge, passes, rules, state_dict, tensor, unicode, zip_of};

fn archive(pickle: &[u8], more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut members = vec![Stored::new("m/data.pkl", pickle), Stored::new("m/byteorder", b"little")];
    members.extend(more.iter().map(|(name, bytes)| Stored::new(name, bytes)));
    members.push(Stored::new("m/version", b"3\n"));
    zip_of(members)
}

fn sound(bytes: &[u8]) {
    let report = judge("m.pt", bytes);
    assert!(passes(&report), "{:?}", report.findings);
}

fn check(bytes: &[u8], rule: &str) {
    let report = judge("m.pt", bytes);
    assert!(!passes(&report), "{rule}");
    assert!(rules(&report).contains(&rule), "{rule}: {:?}", report.findings);
}

#[test]
fn storages_are_there_and_of_the_right_size() {
    let pickle = state_dict(&tensor("0", 4, 4));
    sound(&archive(&pickle, &[("m/data/0", &[0x3f; 16])]));
    check(&archive(&pickle, &[("m/data/1", &[0x3f; 16])]), "INT521");
    check(&archive(&pickle, &[("m/data/0", &[0x3f; 12])]), "INT522");
    check(&archive(&state_dict(&tensor("0", 4, 5)), &[("m/data/0", &[0x3f; 16])]), "TOR102");
    // One element, repeated by strides of zero.
    let repeated = |size: u32| {
        let size = size.to_le_bytes();
        let sizes = [b"(J", &size[..], b"J", &size, b"t"].concat();
        let plain = tensor("0", 4, 4);
        let at = plain.windows(3).position(|bytes| bytes == [b'K', 4, 0x85]).unwrap();
        [&plain[..at], &sizes, b"(K\0K\0t", &plain[at + 6..]].concat()
    };
    sound(&archive(&state_dict(&repeated(100)), &[("m/data/0", &[0x3f; 16])]));
    check(&archive(&state_dict(&repeated(1 << 30)), &[("m/data/0", &[0x3f; 16])]), "TOR102");
    let twice = [b"\x80\x02(", &tensor("0", 4, 4)[..], &tensor("0", 8, 4), b"t."].concat();
    check(&archive(&twice, &[("m/data/0", &[0x3f; 16])]), "TOR101");
}

#[test]
fn persistent_ids_are_storages_or_nothing() {
    let id = |parts: &[u8]| [b"\x80\x02(", parts, b"tQ."].concat();
    check(&archive(&id(&unicode("storage")), &[]), "TOR101");
    let module = [unicode("module"), b"cos\nsystem\n".to_vec(), unicode("a"), unicode("b")].concat();
    check(&archive(&id(&module), &[]), "TOR101");
    check(&archive(&id(&module), &[]), "PKL101");
    check(&archive(b"\x80\x02P0\n.", &[]), "PKL111");
    check(&zip_of(vec![Stored::new("x.pkl", &state_dict(&tensor("0", 4, 4)))]), "PKL111");
}

#[test]
fn every_part_is_what_its_place_says() {
    let pickle = state_dict(&tensor("0", 4, 4));
    let good: (&str, &[u8]) = ("m/data/0", &[0x3f; 16]);
    check(&archive(&pickle, &[("m/data/0", b"cos\nsystem\n(S'x'\ntR.\0\0\0")]), "TOR104");
    check(&archive(b"not a pickle", &[good]), "INT523");
    check(&archive(&pickle, &[good, ("m/constants.pkl", b"text")]), "INT523");
    check(&archive(&pickle, &[good, ("m/.format_version", b"cos\nsystem\n(S'x'\ntR.")]), "PKL101");
    let script = |code: &[u8]| {
        archive(b"\x80\x02}.", &[("m/constants.pkl", b"\x80\x02).\n"), ("m/code/__torch__.py", code)])
    };
    check(&script(b"def f(self):\n  return torch.from_file(\"x\")\n"), "TOR105");
    let code = archive(
        b"\x80\x02c__torch__\nNet\n)\x81}b.",
        &[("m/constants.pkl", b"\x80\x02)."), ("m/code/__torch__.py", b"class Net(Module):\n  w : Tensor\n")],
    );
    sound(&code);
    check(&archive(b"\x80\x02c__torch__\nNet\n)\x81}b.", &[good]), "INT523");
}

#[test]
fn a_place_in_the_archive_is_no_excuse() {
    let pickle = state_dict(&tensor("0", 4, 4));
    let code = b"a = \"ev\"\nb = \"al\"\ndef handle(data, ctx):\n    return data\n";
    let with = |name: &'static str, bytes: &[u8]| {
        archive(&pickle, &[("m/data/0", &[0x3f; 16]), ("m/constants.pkl", b"\x80\x02)."), (name, bytes)])
    };
    check(&with("m/constants/handler.py", code), "INT106");
    check(&with("m/data/settings.json", br#"{"_target_": "os.system"}"#), "SEC102");
    // Without code of TorchScript, `code` is a folder like any other.
    check(&archive(&pickle, &[("m/data/0", &[0x3f; 16]), ("m/code/handler.py", code)]), "INT106");
    // A server runs the handler that its manifest names, whatever else the archive is.
    let manifest: (&str, &[u8]) = ("MAR-INF/MANIFEST.json", br#"{"model": {"handler": "text_classifier"}}"#);
    check(
        &archive(b"\x80\x02}.", &[("m/constants.pkl", b"\x80\x02)."), manifest, ("m/code/h.py", code)]),
        "INT106",
    );
}

#[test]
fn operators_of_the_mobile_interpreter_are_judged() {
    let script = |texts: &[&str]| {
        let texts: Vec<u8> = texts.iter().flat_map(|text| unicode(text)).collect();
        let list = [b"\x80\x02(", &texts[..], b"t."].concat();
        archive(
            b"\x80\x02c__torch__\nNet\n)\x81}b.",
            &[
                ("m/constants.pkl", b"\x80\x02)."),
                ("m/code/__torch__.py", b"class Net(Module):\n  w : Tensor\n"),
                ("m/bytecode.pkl", &list),
            ],
        )
    };
    sound(&script(&["aten::relu", "prim::ListConstruct", "quantized::linear", "a text: b", "Tensor"]));
    check(&script(&["aten::from_file"]), "TOR105");
    check(&script(&["aten::relu", "aten::save"]), "TOR105");
    check(&script(&["torchaudio::sox_io_save_audio_file"]), "TOR105");
    check(&script(&["mystery::run"]), "TOR106");
    check(&script(&["__torch__.torch.classes.dist_c10d.TCPStore"]), "TOR106");
}

#[test]
fn no_prefix_of_a_hostile_model_passes() {
    let pickle =
        [b"\x80\x02cos\nsystem\n", &unicode("x")[..], b"\x85R0", &state_dict(&tensor("0", 4, 4))[2..]]
            .concat();
    let file = archive(&pickle, &[("m/data/0", &[0x3f; 16])]);
    check(&file, "PKL101");
    for length in 0..file.len() {
        assert!(!passes(&judge("m.pt", &file[..length])), "cut at {length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_flip_in_a_model_is_never_a_pass(at in 0usize..4096, bit in 0u8..8) {
        let pickle = state_dict(&tensor("0", 4, 4));
        let mut file = archive(&pickle, &[("m/data/0", &[0x3f; 16])]);
        let at = at % file.len();
        file[at] ^= 1 << bit;
        // Dates, versions and attributes of a member are not what its loader reads.
        let report = judge("m.pt", &file);
        prop_assert!(!passes(&report) || is_beside_the_point(&file, at), "bit {} of {}", bit, at);
    }
}

/// Whether a byte lies in a field of a header that no reader of a model uses.
fn is_beside_the_point(file: &[u8], at: usize) -> bool {
    let field = |signature: &[u8], fields: &[std::ops::Range<usize>]| {
        file.windows(4).enumerate().any(|(start, bytes)| {
            bytes == signature && at >= start && fields.iter().any(|field| field.contains(&(at - start)))
        })
    };
    // Versions needed, date and time, flags for text and speed; then made-by, disk, attributes, comment.
    field(b"PK\x03\x04", &[4..8, 10..14]) || field(b"PK\x01\x02", &[4..10, 12..16, 34..42])
}
