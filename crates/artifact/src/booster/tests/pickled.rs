//! The same models in pickles of their libraries' classes.

use super::*;
use crate::build::unicode;

const XGBOOST: &str = "xgboost.core\nBooster";
const LIGHTGBM: &str = "lightgbm.basic\nBooster";
const CATBOOST: &str = "catboost.core\nCatBoostClassifier";

/// How a pickle carries bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carried {
    /// `bytes`, and `bytearray` around them or by itself.
    Bytes,
    Array,
    OwnArray,
    /// A text whose signs they are, made a `bytearray` or `bytes` of.
    Text,
    Encoded,
}

fn carry(bytes: &[u8], how: Carried) -> Vec<u8> {
    let plain = [b"B", &(bytes.len() as u32).to_le_bytes()[..], bytes].concat();
    let text = || unicode(&bytes.iter().map(|byte| char::from(*byte)).collect::<String>());
    match how {
        Carried::Bytes => plain,
        Carried::Array => [b"cbuiltins\nbytearray\n", &plain[..], b"\x85R"].concat(),
        Carried::OwnArray => [b"\x96", &(bytes.len() as u64).to_le_bytes()[..], bytes].concat(),
        Carried::Text => [b"cbuiltins\nbytearray\n", &text()[..], &unicode("latin-1"), b"\x86R"].concat(),
        Carried::Encoded => [b"c_codecs\nencode\n", &text()[..], &unicode("latin1"), b"\x86R"].concat(),
    }
}

const ALL: [Carried; 5] =
    [Carried::Bytes, Carried::Array, Carried::OwnArray, Carried::Text, Carried::Encoded];

fn pickle(class: &str, key: &str, value: &[u8]) -> Vec<u8> {
    [b"\x80\x05c", class.as_bytes(), b"\n)\x81}", &unicode(key), value, b"sb."].concat()
}

fn snapshot(model: &str) -> String {
    format!(r#"{{"Config":{{"learner":{{"generic_param":{{}}}},"version":[3,0,0]}},"Model":{model}}}"#)
}

fn passed(pickle: &[u8], what: &str) {
    let report = judge("m.pkl", pickle);
    assert!(passes(&report), "{what}: {:?}", report.findings);
}

#[test]
fn a_snapshot_of_xgboost_holds_its_model() {
    let sound = snapshot(&xgboost(&sound_tree(), 1));
    let broken = snapshot(&xgboost(&tree("[1,-1,-1]", "[9,-1,-1]", "[1,0,0]", 3), 1));
    for how in ALL {
        for (is_sound, text) in [(true, &sound), (false, &broken)] {
            for model in [text.as_bytes().to_vec(), ubjson(text)] {
                let pickle = pickle(XGBOOST, "handle", &carry(&model, how));
                if is_sound {
                    passed(&pickle, &format!("{how:?}"));
                } else {
                    check("m.pkl", &pickle, "INT952");
                }
            }
        }
    }
    let of = |text: &str| pickle(XGBOOST, "handle", &carry(text.as_bytes(), Carried::Bytes));
    check("m.pkl", &of(&sound.replace("Model", "Nodel")), "INT952");
    check("m.pkl", &of(&xgboost(&sound_tree(), 1)), "INT952");
    check(
        "m.pkl",
        &of(&sound.replace(r#""Config":"#, &format!(r#""Model":{},"Config":"#, xgboost("", 0)))),
        "INT951",
    );
    check("m.pkl", &of(&sound[..sound.len() - 1]), "INT951");
    passed(&pickle(XGBOOST, "handle", b"N"), "a booster that was not trained");
}

#[test]
fn a_text_of_lightgbm_is_its_model() {
    let of = |text: &str| pickle(LIGHTGBM, "_handle", &unicode(text));
    passed(&of(&lightgbm(LEAVES)), "text");
    passed(&pickle(LIGHTGBM, "handle", &unicode(&lightgbm(LEAVES))), "as older releases name it");
    check("m.pkl", &of(&lightgbm(&LEAVES.replace("left_child=1 -1", "left_child=9 -1"))), "INT952");
    check("m.pkl", &of(&lightgbm(LEAVES).replace("[a: b]", "[a: b]\0")), "INT952");
    check("m.pkl", &of(&lightgbm(LEAVES)[..280]), "INT953");
}

#[test]
fn what_is_no_known_model_is_not_followed() {
    let model = snapshot(&xgboost(&sound_tree(), 1));
    let carried = carry(model.as_bytes(), Carried::Bytes);
    let old = [b"CONFIG-offset:", model.as_bytes()].concat();
    for pickle in [
        pickle(XGBOOST, "handle", &carry(&old, Carried::Bytes)),
        pickle(XGBOOST, "handle", &unicode(&model)),
        pickle(XGBOOST, "handle", &unicode(&lightgbm(LEAVES))),
        pickle(LIGHTGBM, "handle", &carried),
        pickle(LIGHTGBM, "handle", &carry(lightgbm(LEAVES).as_bytes(), Carried::Bytes)),
        pickle(CATBOOST, "__model", &carried),
        // Another encoding makes other bytes of the same text.
        pickle(
            XGBOOST,
            "handle",
            &[b"cbuiltins\nbytearray\n", &unicode(&model)[..], &unicode("utf-16"), b"\x86R"].concat(),
        ),
        // It went by before anybody asked for a model.
        [b"\x80\x04", &carried[..], b"q\0", &pickle(XGBOOST, "handle", b"h\0")[2..]].concat(),
        // What is not remembered of a mapping could be a model.
        [
            b"\x80\x04c",
            XGBOOST.as_bytes(),
            b"\n)\x81ccollections\nOrderedDict\n](](",
            &unicode("handle"),
            &carried,
            b"ee\x85Rb.",
        ]
        .concat(),
    ] {
        check("m.pkl", &pickle, "PKL304");
    }
}

#[test]
fn the_last_of_two_models_counts_and_both_are_judged() {
    let sound = carry(snapshot(&xgboost(&sound_tree(), 1)).as_bytes(), Carried::Bytes);
    let twice = |first: &[u8], second: &[u8]| {
        let key = unicode("handle");
        [b"\x80\x04c", XGBOOST.as_bytes(), b"\n)\x81}(", &key, first, &key, second, b"ub."].concat()
    };
    passed(&twice(&sound, &sound), "twice");
    check("m.pkl", &twice(&sound, &unicode("x")), "PKL304");
    check("m.pkl", &twice(&unicode("x"), &sound), "PKL304");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_piece_of_a_model_in_a_pickle_passes(cut in 1usize..2000) {
        let document = ubjson(&snapshot(&xgboost(&sound_tree(), 1)));
        let end = document.len() - 1 - cut % (document.len() - 1);
        for how in ALL {
            prop_assert!(!passes(&judge("m.pkl", &pickle(XGBOOST, "handle", &carry(&document[..end], how)))));
        }
    }
}
