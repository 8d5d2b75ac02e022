//! What a team lets through, and what it cannot.

use tagship_domain::validation::{ArtifactReport, Verdict};

use super::*;
use crate::{
    ValidationPolicy,
    build::{Files, rules},
    validate_tree,
};

fn addition(global: &str, call: GlobalUse) -> Addition {
    Addition { global: global.parse().unwrap(), call, reason: "ours".to_owned(), until: None }
}

fn adding(global: &str, call: GlobalUse) -> ValidationPolicy {
    ValidationPolicy { additions: vec![addition(global, call)], ..ValidationPolicy::default() }
}

fn without(bundle: Bundle) -> ValidationPolicy {
    let bundles = Bundle::ALL.into_iter().filter(|other| *other != bundle).collect();
    ValidationPolicy { bundles, ..ValidationPolicy::default() }
}

fn judge(name: &'static str, bytes: &[u8], policy: &ValidationPolicy) -> ArtifactReport {
    validate_tree(&Files(vec![(name, bytes.to_vec())]), "artifact", policy, &mut |_| ())
}

/// The rules that fire for a pickle whose body is `body`.
fn fired(body: &[u8], policy: &ValidationPolicy) -> Vec<String> {
    let report = judge("m.pkl", &[b"\x80\x04", body, b"."].concat(), policy);
    rules(&report).into_iter().map(str::to_owned).collect()
}

const CLASS: &[u8] = b"cchurn.features\nEncoder\n";

#[test]
fn what_the_team_adds_is_used_as_it_says_and_stays_visible() {
    let made = [CLASS, b")\x81}\x8c\x01cK\x01sb"].concat();
    let called = [CLASS, b"K\x02\x85R"].concat();
    let named = CLASS.to_vec();
    for (body, enough) in
        [(&named, GlobalUse::Reference), (&made, GlobalUse::Newobj), (&called, GlobalUse::Reduce)]
    {
        assert_eq!(fired(body, &ValidationPolicy::default()), ["PKL102"]);
        for how in [GlobalUse::Reference, GlobalUse::Newobj, GlobalUse::Reduce] {
            let found = fired(body, &adding("churn.features.Encoder", how));
            assert!(found.contains(&"POL004".to_owned()), "{how:?}: {found:?}");
            assert_eq!(found.len() == 1, how >= enough, "{how:?}: {found:?}");
        }
        assert_eq!(fired(body, &adding("churn.Encoder", GlobalUse::Reduce)), ["PKL102"], "no prefix of it");
    }
    let report = judge(
        "m.pkl",
        &[b"\x80\x04", &made[..], b"."].concat(),
        &adding("churn.features.Encoder", GlobalUse::Newobj),
    );
    assert_eq!(report.verdict, Verdict::Pass);
    assert_eq!(report.findings[0].target.as_deref(), Some("churn.features.Encoder"));
    assert!(report.findings[0].message.ends_with("by the policy: ours"), "{}", report.findings[0].message);
}

#[test]
fn what_the_team_adds_takes_inert_arguments_and_a_plain_state_only() {
    let policy = adding("churn.features.Encoder", GlobalUse::Reduce);
    let wrong = |body: &[&[u8]]| {
        let found = fired(&body.concat(), &policy);
        assert!(found.iter().any(|rule| rule.starts_with("PKL")), "{found:?}");
    };
    wrong(&[CLASS, b"cbuiltins\nlen\n\x85R"]);
    wrong(&[CLASS, b"ccollections\nOrderedDict\n)R\x85\x81"]);
    wrong(&[CLASS, b"cos\nsystem\n\x85R"]);
    wrong(&[CLASS, b"K\x02\x85}\x8c\x01aK\x01s\x92"]);
    wrong(&[b"ccopyreg\n__newobj__\n", CLASS, b"cbuiltins\nlen\n\x86R"]);
    wrong(&[CLASS, b")R}\x8c\x0c__setstate__K\x01sb"]);
    wrong(&[CLASS, b")R\x8c\x01aK\x01s"]);
    // What it gives is nothing that may be called.
    wrong(&[CLASS, b")R)R"]);
    wrong(&[b"cfunctools\npartial\n", CLASS, b"\x85R)R"]);
}

#[test]
fn what_is_named_only_makes_no_instance_either_way() {
    let policy = adding("churn.features.Encoder", GlobalUse::Reference);
    let made = [&b"ccopyreg\n_reconstructor\n"[..], CLASS, b"cbuiltins\nobject\nN\x87R"].concat();
    assert_eq!(fired(&made, &policy), ["PKL106", "POL004"]);
    assert_eq!(fired(&made, &adding("churn.features.Encoder", GlobalUse::Newobj)), ["POL004"]);
    let random =
        [&b"cnumpy.random._pickle\n__bit_generator_ctor\n"[..], b"cnumpy.random\nours\n\x85R"].concat();
    let found = fired(&random, &adding("numpy.random.ours", GlobalUse::Newobj));
    assert!(found.contains(&"PKL106".to_owned()), "its list's functions call what is listed only: {found:?}");
}

#[test]
fn an_addition_ends() {
    let day = |text: &str| Some(text.parse().unwrap());
    let now = "2027-03-31T12:00:00Z".parse().unwrap();
    let policy = |until| ValidationPolicy {
        additions: vec![Addition { until, ..addition("churn.features.Encoder", GlobalUse::Newobj) }],
        now,
        ..ValidationPolicy::default()
    };
    assert_eq!(fired(CLASS, &policy(day("2027-03-31"))), ["POL004"]);
    let report = judge("m.pkl", &[CLASS, b"."].concat(), &policy(day("2027-03-30")));
    assert_eq!((report.verdict, rules(&report)), (Verdict::Reject, vec!["PKL102"]));
    assert!(report.findings[0].message.ends_with("(its addition ended on 2027-03-30)"));
}

#[test]
fn a_bundle_that_is_left_out_is_rejected_by_its_name_wherever_it_lies() {
    let pickle = b"\x80\x04csklearn.pipeline\nPipeline\n)\x81.";
    let gzip = {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(pickle).unwrap();
        encoder.finish().unwrap()
    };
    let header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n";
    let array =
        [b"\x93NUMPY\x01\x00", &[u8::try_from(header.len()).unwrap(), 0][..], header, pickle].concat();
    for (name, bytes) in [("m.pkl", &pickle[..]), ("m.pkl.gz", &gzip), ("m.npy", &array)] {
        let report = judge(name, bytes, &without(Bundle::Sklearn));
        assert_eq!((report.verdict, rules(&report)), (Verdict::Reject, vec!["POL003"]), "{name}");
        assert!(report.findings[0].message.contains("`sklearn`"), "{}", report.findings[0].message);
        let report = judge(name, bytes, &without(Bundle::Torch));
        assert_eq!(report.verdict, Verdict::Pass, "{name}: {:?}", report.findings);
    }
    let both = ValidationPolicy {
        additions: vec![addition("sklearn.pipeline.Pipeline", GlobalUse::Reference)],
        ..without(Bundle::Sklearn)
    };
    assert_eq!(
        fired(&pickle[2..pickle.len() - 1], &both),
        ["POL004"],
        "one of it can be added, by the list's rules"
    );
}

#[test]
fn what_runs_code_cannot_be_added() {
    for (global, call, why) in [
        ("os.system", GlobalUse::Reference, Unaddable::Dangerous),
        ("subprocess.Popen", GlobalUse::Reduce, Unaddable::Dangerous),
        ("builtins.eval", GlobalUse::Reference, Unaddable::Dangerous),
        ("__builtin__.eval", GlobalUse::Reference, Unaddable::Dangerous),
        ("torch.load", GlobalUse::Reference, Unaddable::Dangerous),
        ("builtins.type", GlobalUse::Reference, Unaddable::Standard),
        ("codecs.decode", GlobalUse::Newobj, Unaddable::Standard),
        ("_operator.attrgetter", GlobalUse::Newobj, Unaddable::Standard),
        ("numpy.testing.runstring", GlobalUse::Reduce, Unaddable::Library),
    ] {
        assert_eq!(check(&addition(global, call)), Err(why), "{global}");
    }
    for global in ["churn.features.Encoder", "__main__.Encoder", "sklearn.linear_model._new.Model"] {
        assert_eq!(check(&addition(global, GlobalUse::Newobj)), Ok(()), "{global}");
    }
}

#[test]
fn what_cannot_be_added_is_not_let_through_either() {
    let bundles = Bundle::ALL.into();
    let additions = [addition("os.system", GlobalUse::Reduce)];
    let trust = Trust { bundles: &bundles, additions: &additions, now: Timestamp::LATEST };
    assert_eq!(trust.standing("os", "system"), Standing::Unlisted);
}

#[test]
fn a_name_of_the_list_keeps_its_rules() {
    let bundles = BTreeSet::from([Bundle::Sklearn]);
    let additions = [addition("numpy.core.multiarray._reconstruct", GlobalUse::Newobj)];
    let trust = Trust { bundles: &bundles, additions: &additions, now: Timestamp::LATEST };
    assert_eq!(
        trust.standing("numpy._core.multiarray", "_reconstruct"),
        Standing::Added(Usage::Array, &additions[0])
    );
    assert_eq!(trust.standing("numpy", "dtype"), Standing::LeftOut(Bundle::Numpy));
    assert_eq!(trust.standing("collections", "OrderedDict"), Standing::Listed(Usage::DictLike));
}
