//! Configurations as Keras writes them, and the published ways to make it run something else.

use proptest::prelude::*;

use super::*;
use crate::{build, hdf5};

fn fired(text: &str) -> Vec<String> {
    crate::seeds::input("keras_config", text.as_bytes());
    let mut findings = Findings::new();
    scan_config(text.as_bytes(), true, &mut findings).unwrap();
    findings.into_list(None).into_iter().map(|finding| finding.rule.into_owned()).collect()
}

/// A model with one layer.
fn model(layer: &str) -> String {
    format!(
        r#"{{"module":"keras","class_name":"Sequential","config":{{"name":"s","layers":[{layer}]}},"registered_name":null}}"#
    )
}

fn dense(activation: &str) -> String {
    model(&format!(
        r#"{{"module":"keras.layers","class_name":"Dense","config":{{"units":1,"activation":{activation}}},
            "registered_name":null}}"#
    ))
}

/// `serialization_lib` joins module and name, and looks up what that leads to.
#[test]
fn names_that_lead_through_modules_are_rejected() {
    for (class, config) in [
        ("layers.Lambda", "{}"),
        ("function", r#""saving.load_model""#),
        ("function", r#""utils.save_img""#),
        ("keras>layers.Lambda", "{}"),
    ] {
        let layer = format!(
            r#"{{"module":"keras","class_name":"{class}","config":{config},"registered_name":null}}"#
        );
        let rules = fired(&model(&layer));
        assert!(rules.iter().any(|rule| rule == "KER103"), "{class} {config}: {rules:?}");
    }
}

#[test]
fn what_keras_writes_is_sound() {
    for text in [
        dense(r#""relu""#),
        dense(r#"{"module":"builtins","class_name":"function","config":"relu","registered_name":"relu"}"#),
        model(
            r#"{"class_name":"Dense","config":{"kernel_initializer":{"class_name":"GlorotUniform","config":{}}}}"#,
        ),
        model(
            r#"{"module":"keras.src.ops.numpy","class_name":"Add","config":{"name":"add"},"registered_name":"Add",
                "inbound_nodes":[{"args":[{"class_name":"__keras_tensor__","config":{"shape":[null,4]}}],"kwargs":{}}]}"#,
        ),
        model(r#"{"module":"keras.layers","class_name":"StringLookup","config":{"vocabulary":["a","b"]}}"#),
        model(r#"{"class_name":"Custom>Adam","config":{}}"#),
    ] {
        assert_eq!(fired(&text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn every_published_way_is_seen_at_any_depth() {
    let nested = |layer: &str| model(&model(&model(layer)));
    for (layer, rule) in [
        (
            r#"{"class_name":"Lambda","config":{"function":["4wEAAAA=",null,null],"function_type":"lambda"}}"#,
            "KER101",
        ),
        (r#"{"module":"keras.layers","class_name":"Lambda","config":{}}"#, "KER101"),
        (
            r#"{"class_name":"Dense","config":{"activation":{"class_name":"__lambda__","config":{"code":"4w"}}}}"#,
            "KER101",
        ),
        (
            r#"{"module":"keras.layers","class_name":"TorchModuleWrapper","config":{"module":"UEs="}}"#,
            "KER102",
        ),
        (r#"{"module":"keras.layers","class_name":"TFSMLayer","config":{"filepath":"/tmp/x"}}"#, "KER102"),
        (r#"{"module":"os","class_name":"function","config":"system","registered_name":"system"}"#, "KER103"),
        (r#"{"config":"system","class_name":"function","module":"os"}"#, "KER103"),
        (r#"{"module":"builtins","class_name":"eval","config":{}}"#, "KER103"),
        (
            r#"{"module":"builtins","class_name":"function","config":"eval","registered_name":"function"}"#,
            "KER103",
        ),
        (r#"{"class_name":"function","config":null,"registered_name":"__import__"}"#, "KER103"),
        (r#"{"module":"keras.utils","class_name":"function","config":"get_file"}"#, "KER102"),
        (
            r#"{"module":"keras.config","class_name":"function","config":"enable_unsafe_deserialization"}"#,
            "KER102",
        ),
        (
            r#"{"module":"keras.layers","class_name":"StringLookup","config":{"vocabulary":"/etc/passwd"}}"#,
            "KER104",
        ),
        (r#"{"class_name":"Dense","config":{},"class_name":"Lambda"}"#, "KER105"),
        (r#"{"module":null,"class_name":"Evil","config":{},"registered_name":"my_package>Evil"}"#, "KER201"),
        (
            r#"{"module":"builtins","class_name":"function","config":"mine","registered_name":"mine"}"#,
            "KER201",
        ),
        (
            r#"{"module":"keras.layers","class_name":"Dense","config":{},"registered_name":"my>Dense"}"#,
            "KER201",
        ),
    ] {
        for text in [model(layer), nested(layer)] {
            assert!(fired(&text).iter().any(|fired| fired == rule), "{text}: {:?}", fired(&text));
        }
    }
    for text in ["", "{}", "[]", r#"{"class_name":"Sequential","#, r#"{"class_name":"Sequential"}"#] {
        assert!(fired(text).contains(&"INT801".to_owned()), "{text}");
    }
}

#[test]
fn metadata_names_a_version() {
    let check = |text: &str| {
        let mut findings = Findings::new();
        scan_metadata(text.as_bytes(), &mut findings).unwrap();
        findings.into_list(None).len()
    };
    assert_eq!(check(r#"{"keras_version":"3.8.0","date_saved":"2026-01-01@00:00:00"}"#), 0);
    for text in ["{}", r#"{"keras_version":"3.8.0""#, r#"{"keras_version":"3","keras_version":"3"}"#] {
        assert_eq!(check(text), 1, "{text}");
    }
}

#[test]
fn an_architecture_by_itself_is_a_model() {
    let report = build::judge("model.json", dense(r#""relu""#).as_bytes());
    assert!(build::passes(&report), "{:?}", report.findings);
    let hostile = model(r#"{"class_name":"Lambda","config":{}}"#);
    assert!(build::rules(&build::judge("model.json", hostile.as_bytes())).contains(&"KER101"));
}

#[test]
fn an_archive_holds_what_keras_writes() {
    let config = dense(r#""relu""#);
    let metadata = br#"{"keras_version":"3.8.0","date_saved":"2026-01-01@00:00:00"}"#;
    let weights = hdf5::tests::empty();
    let sound: [(&str, &[u8]); 3] =
        [("metadata.json", metadata), ("config.json", config.as_bytes()), ("model.weights.h5", &weights)];
    let judge = |members: &[(&str, &[u8])]| build::judge("m.keras", &build::zip(members));
    let report = judge(&sound);
    assert!(build::passes(&report), "{:?}", report.findings);
    assert_eq!(build::told(&report.facts.unwrap()), ["keras: 3.8.0"]);
    let with = |name: &'static str, bytes: &'static [u8]| {
        let kept = sound.iter().copied().filter(|(own, _)| *own != name);
        kept.chain([(name, bytes)]).collect::<Vec<_>>()
    };
    for (members, rule) in [
        (sound[..2].to_vec(), "INT801"),
        (sound[1..].to_vec(), "INT801"),
        (with("config.json", b"{}"), "INT801"),
        (with("config.json", br#"{"class_name":"Lambda","config":{}}"#), "KER101"),
        (with("metadata.json", b"{}"), "INT801"),
        (with("model.weights.h5", b"\x89HDF\r\n\x1a\n\0"), "INT811"),
        (with("assets/x", b"\x80\x04N."), "KER106"),
    ] {
        let report = judge(&members);
        assert!(build::rules(&report).contains(&rule), "{rule}: {:?}", report.findings);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_piece_of_a_hostile_configuration_passes(cut in 0usize..300, tail in "[ -~]{1,20}") {
        let text = model(r#"{"class_name":"Lambda","config":{}}"#);
        prop_assert!(!fired(&text[..cut.min(text.len())]).is_empty());
        let longer = text + &tail;
        prop_assert!(!fired(&longer).is_empty());
    }
}
