//! What reports say that files state, by format; formats whose builders are private have their test beside their parser.

use super::*;
use crate::build::{
    self, Files, floats, graph, integers, judge, judge_files, model, npy, safetensors, state_dict, tensor,
    told, unicode,
};
use crate::{ValidationPolicy, validate_tree};

fn facts(name: &'static str, bytes: &[u8]) -> ModelFacts {
    let report = judge(name, bytes);
    report.facts.unwrap_or_else(|| panic!("{name} states nothing: {:?}", report.findings))
}

#[test]
fn safetensors_tell_parameters_licence_and_framework() {
    let header = r#"{"__metadata__":{"license":"apache-2.0","format":"pt"},
        "a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"F32","shape":[],"data_offsets":[24,28]},
        "c":{"dtype":"I8","shape":[4],"data_offsets":[28,32]}}"#;
    let facts = facts("m.safetensors", &safetensors(header, 32));
    assert_eq!((facts.parameters, facts.tensors), (Some(11), Some(3)));
    assert_eq!(facts.dtypes, BTreeMap::from([("F32".to_owned(), 7), ("I8".to_owned(), 4)]));
    assert_eq!(facts.licences, ["apache-2.0"]);
    assert_eq!(told(&facts), ["written for: pt"]);
}

#[test]
fn onnx_tells_parameters_versions_producer_and_licence() {
    let graph = graph(|graph| graph.message(5, integers("shape", &[1, 2])).message(5, floats("b", &[2], 2)));
    let entry = |key: &str, value: &str| build::Message::default().bytes(1, key).bytes(2, value);
    let bytes = model(graph, |model| {
        model.bytes(3, "2.4.0").message(14, entry("author", "x")).message(14, entry("license", "mit"))
    });
    let facts = facts("m.onnx", &bytes);
    assert_eq!(facts.dtypes, BTreeMap::from([("FP32".to_owned(), 10), ("INT64".to_owned(), 2)]));
    assert_eq!((facts.parameters, facts.tensors), (Some(12), Some(3)));
    assert_eq!(facts.licences, ["mit"]);
    assert_eq!(told(&facts), ["IR version: 9", "opset ai.onnx: 17", "producer: test 2.4.0"]);
}

#[test]
fn arrays_of_numpy_tell_their_numbers_alone_and_in_an_archive() {
    let array = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n", &[0; 16]);
    let alone = facts("m.npy", &array);
    assert_eq!(alone.dtypes, BTreeMap::from([("<f4".to_owned(), 4)]));
    let both = facts("m.npz", &build::zip(&[("a.npy", &array), ("b.npy", &array)]));
    assert_eq!((both.parameters, both.tensors), (Some(8), Some(2)));
}

#[test]
fn torch_tells_each_storage_once() {
    let state = state_dict(&tensor("0", 4, 4));
    let members: [(&str, &[u8]); 4] =
        [("m/data.pkl", &state), ("m/byteorder", b"little"), ("m/data/0", &[0; 16]), ("m/version", b"3\n")];
    let facts = facts("m.pt", &build::zip(&members));
    assert_eq!(facts.dtypes, BTreeMap::from([("Float".to_owned(), 4)]));
    assert_eq!((facts.parameters, facts.tensors), (Some(4), Some(1)));
    assert_eq!(told(&facts), ["torch archive: 3"]);
}

#[test]
fn an_estimator_tells_which_version_wrote_it() {
    let state = [&unicode("_sklearn_version")[..], &unicode("1.5.2")].concat();
    let bytes = [b"\x80\x02csklearn.pipeline\nPipeline\n)\x81}", &state[..], b"sb."].concat();
    assert_eq!(told(&facts("m.pkl", &bytes)), ["scikit-learn: 1.5.2"]);
}

#[test]
fn a_card_beside_a_model_tells_its_licence() {
    let tensors = || safetensors(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4);
    let with = |card: &str| {
        let files = vec![("README.md", card.as_bytes().to_vec()), ("m.safetensors", tensors())];
        judge_files(files).facts.unwrap().licences
    };
    assert_eq!(with("---\nlanguage: en\nlicense: \"cc-by-4.0\"\n---\n# A model\n"), ["cc-by-4.0"]);
    assert!(with("# A model\nlicense: none of this\n").is_empty());
    assert!(with("---\ntags: [a]\n---\nlicense: below the front matter\n").is_empty());
}

#[test]
fn what_is_there_twice_or_half_is_not_counted() {
    let shard = |name: &str| {
        safetensors(&format!(r#"{{"{name}":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#), 4)
    };
    let shards = judge_files(vec![("a.safetensors", shard("a")), ("b.safetensors", shard("b"))]);
    assert_eq!(shards.facts.unwrap().parameters, Some(2));
    let array = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n", &[0; 4]);
    let both = judge_files(vec![("a.safetensors", shard("a")), ("a.npy", array)]);
    assert_eq!(both.facts, None, "the same weights, perhaps");
    let cut = judge("a.safetensors", &shard("a")[..50]);
    assert_eq!(cut.facts, None);
    assert_eq!(judge("m.pkl", b"\x80\x04N.").facts, None);
}

#[test]
fn what_is_stated_is_escaped_cut_and_bounded() {
    let long = "x".repeat(10_000);
    let header = format!(
        r#"{{"__metadata__":{{"license":"\u001b[2J{long}"}},"a":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#
    );
    let files = Files(vec![("m.safetensors", safetensors(&header, 4))]);
    let report = validate_tree(&files, "artifact", &ValidationPolicy::default(), &mut |_| ());
    let licence = &report.facts.unwrap().licences[0];
    assert!(licence.starts_with("\\u{1b}[2Jxxx"), "{licence}");
    assert_eq!(licence.chars().count(), TEXT + 1);
    let mut facts = Facts::default();
    for number in 0..1000 {
        facts.licence(&number.to_string());
        facts.state(&number.to_string(), "x");
        facts.tensor(&number.to_string(), Some(1));
    }
    let report = facts.report().unwrap();
    assert_eq!((report.licences.len(), report.stated.len()), (LICENCES, STATEMENTS));
    assert_eq!((report.parameters, report.dtypes.len()), (None, 0), "more types than are kept");
}
