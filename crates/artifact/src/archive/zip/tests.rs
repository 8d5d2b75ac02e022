//! Archives that readers see differently, written byte by byte.

use proptest::prelude::*;
use tagship_domain::validation::Verdict;

use crate::build::{Stored, judge, judge_files, passes, rules, zip, zip_of};

const PLAIN: &[u8] = b"\x80\x04N.";
const HOSTILE: &[u8] = b"cos\nsystem\n(S'x'\ntR.";

fn check(bytes: &[u8], rule: &str) {
    let report = judge("m.zip", bytes);
    assert!(!passes(&report), "{rule}");
    assert!(rules(&report).contains(&rule), "{rule}: {:?}", report.findings);
}

/// Rejected for what it runs, whatever else is wrong with it.
fn runs(bytes: &[u8]) {
    let report = judge("m.zip", bytes);
    assert_eq!(report.verdict, Verdict::Reject);
    assert!(rules(&report).contains(&"PKL101"), "{:?}", report.findings);
}

#[test]
fn members_are_judged_and_named() {
    let sound = zip_of(vec![Stored::new("a.pkl", PLAIN), Stored::deflated("b/README.md", b"# notes\n")]);
    assert!(passes(&judge("m.zip", &sound)), "{:?}", judge("m.zip", &sound).findings);
    let report = judge_files(vec![("x/m.zip", zip_of(vec![Stored::deflated("a/data.bin", HOSTILE)]))]);
    assert_eq!(report.findings[0].member.as_deref(), Some("x/m.zip!/a/data.bin"));
    let nested = zip(&[("inner.zip", &zip_of(vec![Stored::deflated("c", HOSTILE)]))]);
    let report = judge("m.zip", &nested);
    assert_eq!(report.findings[0].member.as_deref(), Some("m.zip!/inner.zip!/c"));
    check(&zip(&[("README.md", b"# notes\n")]), "INT108");
}

#[test]
fn what_hides_a_member_is_a_finding_and_the_member_still_judged() {
    let hostile = || Stored::new("a.pkl", HOSTILE);
    let plain = || Stored::new("a.pkl", PLAIN);
    for (members, rule) in [
        (vec![Stored { hidden: true, ..hostile() }, plain()], "ARC105"),
        (vec![plain(), Stored { hidden: true, ..hostile() }], "ARC105"),
        (vec![plain(), hostile()], "ARC103"),
        (vec![plain(), Stored::new("./A.pkl", HOSTILE)], "ARC103"),
        (vec![Stored { local_name: "b.pkl".to_owned(), ..hostile() }], "ARC104"),
        (vec![Stored { flags: 1, ..hostile() }], "ARC109"),
        (vec![Stored { flags: 0x20, ..hostile() }], "ARC104"),
        (vec![Stored { crc: 7, ..hostile() }], "INT503"),
        (vec![Stored { mode: 0o120_777, ..hostile() }], "ARC102"),
        (vec![Stored { mode: 0o104_755, ..hostile() }], "ARC114"),
        (vec![Stored::new("../../a.pkl", HOSTILE)], "ARC101"),
        (vec![Stored::new("c:\\a.pkl", HOSTILE)], "ARC101"),
        (vec![Stored { size: 3, ..Stored::deflated("a.pkl", HOSTILE) }], "INT504"),
    ] {
        let file = zip_of(members);
        check(&file, rule);
        runs(&file);
    }
    check(&zip_of(vec![Stored { method: 6, ..plain() }]), "INT507");
    check(&zip_of(vec![Stored { method: 8, ..plain() }]), "INT505");
}

#[test]
fn every_byte_around_the_members_is_explained() {
    let file = zip(&[("a.pkl", PLAIN)]);
    check(&[b"#!/bin/sh\n", &file[..]].concat(), "INT107");
    check(&[b"\x01\x02\x03\xff", &file[..]].concat(), "ARC106");
    check(&[&file[..], b"tail"].concat(), "ARC111");
    // A comment that holds another archive's end.
    let mut two = file.clone();
    let end = two.len() - 22;
    two[end + 20] = 22;
    two.extend_from_slice(&file[end..]);
    check(&two, "ARC110");
    let mut gap = Stored::new("a.pkl", PLAIN);
    gap.data.extend_from_slice(b"gap");
    check(&zip_of(vec![gap]), "INT504");
    check(&file[..file.len() - 30], "INT501");
    check(&[HOSTILE, &file[..]].concat(), "PKL101");
}

#[test]
fn expansion_and_depth_are_bounded() {
    let mut bomb = Stored::deflated("a", &vec![0; 32 << 20]);
    bomb.size = u32::MAX;
    let layer = zip_of(vec![bomb]);
    let many: Vec<Stored> = (0..12).map(|n| Stored::new(&format!("{n}.zip"), &layer)).collect();
    check(&zip_of(many), "ARC112");
    let deep = (0..9).fold(PLAIN.to_vec(), |inner, _| zip(&[("m.zip", &inner)]));
    check(&deep, "ARC113");
}

#[test]
fn no_prefix_or_flip_of_a_hostile_archive_passes() {
    let file = zip_of(vec![Stored::new("a.pkl", HOSTILE), Stored::deflated("b.pkl", HOSTILE)]);
    for length in 0..file.len() {
        assert!(!passes(&judge("m.zip", &file[..length])), "cut at {length}");
    }
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut changed = file.clone();
            changed[at] ^= 1 << bit;
            let report = judge("m.zip", &changed);
            assert!(!passes(&report), "bit {bit} of {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_ends_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..200) {
        let mut file = zip(&[("a.pkl", HOSTILE), ("b", &bytes)]);
        let report = judge("m.zip", &file);
        prop_assert!(report.sha256.is_some() && !passes(&report));
        let place = at % file.len();
        file.splice(place..place, bytes);
        prop_assert!(!passes(&judge("m.zip", &file)));
    }
}
