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
