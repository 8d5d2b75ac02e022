//! Hostile and ordinary streams, written opcode by opcode.

mod exact;

use proptest::prelude::*;

use crate::build::{judge, passes, rules};

/// `module.name` by `STACK_GLOBAL`.
pub(super) fn global(module: &str, name: &str) -> Vec<u8> {
    [text(module), text(name), vec![0x93]].concat()
}

pub(super) fn text(text: &str) -> Vec<u8> {
    [&[0x8c, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

pub(super) fn stream(body: &[&[u8]]) -> Vec<u8> {
    [&[0x80, 4][..], &body.concat(), b"."].concat()
}

pub(super) fn check(bytes: &[u8], rule: &str) {
    let report = judge("m.pkl", bytes);
    assert!(!passes(&report), "{rule}");
    assert!(rules(&report).contains(&rule), "{rule}: {:?}", report.findings);
}

pub(super) fn sound(bytes: &[u8]) {
    let report = judge("m.pkl", bytes);
    assert!(passes(&report), "{:?}", report.findings);
}

#[test]
fn plain_data_and_listed_classes_pass() {
    sound(b"\x80\x04]\x94(K\x01X\x01\x00\x00\x00aG\x00\x00\x00\x00\x00\x00\x00\x00Nh\x00e.");
    sound(b"(dp0\nS'a'\np1\nI1\ns.");
    sound(&stream(&[
        &global("sklearn.linear_model._logistic", "LogisticRegression"),
        b")\x81}",
        &text("C"),
        b"K\x01sb",
    ]));
    sound(&stream(&[&global("collections", "OrderedDict"), b")R", &text("a"), b"K\x01s"]));
    sound(&stream(&[&text("os.system('x')")]));
}

#[test]
fn every_way_to_name_a_global_is_seen() {
    let call = b"S'x'\n\x85R.";
    check(&[&b"cos\nsystem\n"[..], call].concat(), "PKL101");
    check(b"(S'x'\nios\nsystem\n.", "PKL101");
    check(b"(cos\nsystem\nS'x'\no0.", "PKL101");
    check(&stream(&[&global("os", "system"), &text("x"), b"\x85R"]), "PKL101");
    check(&stream(&[b"V\\u006fs\n", &text("system"), b"\x93"]), "PKL101");
    check(b"\x80\x03S'o\\x73'\nS'system'\n\x93.", "PKL101");
    // Names out of the memo, stored by PUT at an index that MEMOIZE then does not use.
    check(&stream(&[&text("os"), b"q\x05", &text("system"), b"\x9400h\x05h\x01\x93"]), "PKL101");
    check(&stream(&[&global("collections", "namedtuple")]), "PKL102");
    check(&stream(&[&global("logging", "os.system")]), "PKL101");
    check(&stream(&[&global("collections", "abc.x")]), "PKL112");
    check(&stream(&[&text("os"), b"N\x93"]), "PKL103");
    check(&stream(&[b"\x82\x01"]), "PKL110");
    check(&stream(&[b"Pos.system\n"]), "PKL111");
}

#[test]
fn listed_globals_are_used_as_their_writers_do() {
    check(&stream(&[&global("builtins", "int"), b"K\x01\x85R"]), "PKL105");
    check(&stream(&[&text("os"), b")R"]), "PKL104");
    check(&stream(&[&global("functools", "partial"), &global("builtins", "len"), b"\x85R)R"]), "PKL105");
    let partial =
        [global("functools", "partial"), global("pandas.core.internals.blocks", "new_block")].concat();
    let state = |name: &str| [&partial[..], b"\x85R(", &global("builtins", name), b")}Ntb"].concat();
    check(&stream(&[&state("len"), b")R"]), "PKL107");
    sound(&stream(&[&partial, b"\x85R(", &global("pandas.core.internals.blocks", "new_block"), b")}Ntb)R"]));
    let ufunc = |module: &str, name: &str| {
        stream(&[&global("numpy.core", "_ufunc_reconstruct"), &text(module), &text(name), b"\x86R"])
    };
    sound(&ufunc("numpy.core._multiarray_umath", "log1p"));
    check(&ufunc("os", "system"), "PKL106");
    let array = [global("numpy.core.multiarray", "_reconstruct"), global("numpy", "ndarray")].concat();
    let dill =
        |function: &[u8]| stream(&[&global("dill._dill", "_create_array"), b"(", function, b"(K\x01N}tNtR"]);
    sound(&dill(&[&array[..], b"K\x00\x85C\x01b\x87"].concat()));
    check(&dill(&[&array[..], b"J\xff\xff\xff\x7f\x85C\x01b\x87"].concat()), "PKL106");
    check(&dill(&[&global("numpy.core.multiarray", "scalar")[..], b")"].concat()), "PKL106");
    check(&dill(&global("os", "system")), "PKL101");
    check(&stream(&[&global("builtins", "bytearray"), b"J\xff\xff\xff\x7f\x85R"]), "PKL106");
    check(&stream(&[&global("_codecs", "encode"), &text("a"), &text("zip"), b"\x86R"]), "PKL106");
    check(&stream(&[&global("xgboost.core", "Booster"), &text("/etc/passwd"), b"\x85R"]), "PKL106");
    // pandas' index constructor calls the class that it is given.
    let memmap = [global("pandas.core.indexes.base", "_new_Index"), global("numpy", "memmap")].concat();
    check(&stream(&[&memmap, b"}\x86R"]), "PKL106");
}

#[test]
fn state_is_set_on_instances_and_replaces_no_method() {
    let class = global("sklearn.pipeline", "Pipeline");
    check(&stream(&[&class, b"}b"]), "PKL107");
    check(&stream(&[b"}}b"]), "PKL107");
    check(&stream(&[&class, b")\x81}", &text("__setstate__"), b"K\x01sb"]), "PKL108");
    check(&stream(&[&class, b")\x81N}", &text("__class__"), b"K\x01s\x86b"]), "PKL108");
    // A vocabulary may have such words, which nobody calls; of what is no number that is not known.
    let inner = |value: &[u8]| [&text("vocabulary_")[..], b"}", &text("__init__"), value, b"s"].concat();
    sound(&stream(&[&class, b")\x81}", &inner(b"K\x01"), b"sb"]));
    let of_numpy = |kind: &str| {
        let made = [global("numpy.core.multiarray", "scalar"), global("numpy", "dtype"), text(kind)].concat();
        [&made[..], b"\x89\x88\x87RC\x04abcd\x86R"].concat()
    };
    sound(&stream(&[&class, b")\x81}", &inner(&of_numpy("i4")), b"sb"]));
    for value in [&text("predict")[..], b"N", &class, &of_numpy("U1")] {
        check(&stream(&[&class, b")\x81}", &inner(value), b"sb"]), "PKL108");
    }
    // A text of numpy's equals any other, and is no text to the machine.
    let scalar = [global("numpy.core.multiarray", "scalar"), global("numpy", "dtype"), text("U12")].concat();
    let key = [&scalar[..], b"\x89\x88\x87RC\x04abcd\x86R"].concat();
    check(&stream(&[&class, b")\x81}", &key, b"K\x01sb"]), "PKL108");
    let formula = global("statsmodels.base.data", "PandasData");
    check(&stream(&[&formula, b")\x81}", &text("formula"), &text("y ~ x"), b"sb"]), "PKL107");
    sound(&stream(&[&formula, b")\x81}", &text("endog"), &text("y"), b"sb"]));
    // A mapping that is made by a call can hold any key.
    check(&stream(&[&class, b")\x81", &global("collections", "OrderedDict"), b")Rb"]), "PKL107");
    check(&stream(&[b"]", &text("a"), b"K\x01s"]), "PKL109");
}

#[test]
fn items_that_are_attributes_give_no_method() {
    // These classes answer with an item when the loader asks for `__setstate__`, and would call numpy's file.
    let method = [text("__setstate__"), global("numpy", "memmap")].concat();
    for (module, name) in [
        ("statsmodels.tools.tools", "Bunch"),
        ("scipy.optimize._optimize", "OptimizeResult"),
        ("pytorch_lightning.utilities.parsing", "AttributeDict"),
    ] {
        let class = global(module, name);
        let state = [text("/etc/passwd"), b"b".to_vec()].concat();
        check(&stream(&[&class, b")R", &method, b"s", &state]), "PKL108");
        check(&stream(&[&class, b")\x81(", &method, b"u", &state]), "PKL108");
        check(&stream(&[&class, b"}", &method, b"s\x85R", &state]), "PKL108");
        check(&stream(&[&class, b"]", &method, b"\x86a\x85R", &state]), "PKL108");
        check(&stream(&[&class, b"(", &method, b"\x86t\x85R", &state]), "PKL108");
        sound(&stream(&[&class, b")R", &text("x"), b"K\x01s}b"]));
    }
    // A mapping of statsmodels is its own state; Python's slower reader asks it for `items`, which must not be one of them.
    let bunch = [&global("statsmodels.tools.tools", "Bunch")[..], b")\x81\x94"].concat();
    let other = global("statsmodels.tools.tools", "Bunch");
    sound(&stream(&[&bunch, &text("x"), b"K\x01sh\0b"]));
    check(&stream(&[&bunch, &text("items"), b"K\x01sh\0b"]), "PKL107");
    check(&stream(&[&bunch, &method, b"sh\0b"]), "PKL108");
    check(&stream(&[&bunch, &other, b")\x81b"]), "PKL107");
    let made = [&other[..], b"}", &text("items"), b"K\x01s\x85R\x94h\0b"].concat();
    check(&stream(&[&made]), "PKL107");
    // From Python 3.13 on its constructor takes a mapping.
    let space = global("types", "SimpleNamespace");
    check(&stream(&[&space, b"}", &method, b"s\x85R", &text("/etc/passwd"), b"b"]), "PKL106");
    sound(&stream(&[&space, b")R}", &text("x"), b"K\x01sb"]));
}

#[test]
fn functions_and_classes_of_the_libraries_are_data() {
    let reconstruct = global("numpy.ma.core", "_mareconstruct");
    let masked = [global("numpy.ma", "MaskedArray"), global("numpy", "ndarray")].concat();
    sound(&stream(&[&reconstruct, b"(", &masked, b"K\x00\x85C\x01btR"]));
    check(&stream(&[&reconstruct, b"(", &global("os", "system"), b"K\x00\x85C\x01btR"]), "PKL101");
    for (module, name) in
        [("numpy", "tanh"), ("numpy", "percentile"), ("sklearn.utils.validation", "check_array")]
    {
        sound(&stream(&[&global(module, name)]));
        check(&stream(&[&global(module, name), b"K\x01\x85R"]), "PKL105");
    }
    let sampler = global("imblearn.over_sampling._smote.base", "SMOTE");
    sound(&stream(&[&sampler, b")\x81}", &text("k_neighbors"), b"K\x05sb"]));
    check(&stream(&[&sampler, b")\x81}", &text("__setstate__"), b"K\x01sb"]), "PKL108");
    check(&stream(&[&global("imblearn.base", "FunctionSampler")]), "PKL102");
    let interpolator = global("scipy.interpolate._interpolate", "interp1d._call_linear");
    sound(&stream(&[&interpolator]));
    check(&stream(&[&interpolator, b")R"]), "PKL105");
    check(
        &stream(&[&global("scipy.interpolate._interpolate", "interp1d._call_linear.__globals__")]),
        "PKL112",
    );
    let distance = [global("sklearn.metrics._dist_metrics", "newObj")].concat();
    sound(&stream(&[&distance, &global("sklearn.metrics._dist_metrics", "HammingDistance64"), b"\x85R"]));
    check(
        &stream(&[&distance, &global("sklearn.metrics._dist_metrics", "PyFuncDistance64"), b"\x85R"]),
        "PKL102",
    );
}

#[test]
fn streams_that_loaders_read_differently_are_refused() {
    check(b"\x80\x04\x95\x03\x00\x00\x00\x00\x00\x00\x00K\x01M\x01\x00\x86.", "PKL201");
    check(b"\x80\x04\x95\xff\x00\x00\x00\x00\x00\x00\x00N.", "PKL201");
    check(b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x95\x01\x00\x00\x00\x00\x00\x00\x00N.", "PKL201");
    check(b"\x80\x04N0\x80\x04N.", "PKL202");
    check(b"\x80\x06N.", "PKL202");
    check(b"I0x1\n.", "PKL203");
    sound(b"\x80\x04\x95\x03\x00\x00\x00\x00\x00\x00\x00K\x01.");
}

#[test]
fn every_byte_behind_the_end_is_explained() {
    sound(b"\x80\x04N.\x80\x04N.");
    check(b"\x80\x04N.\0\0\0\0", "PKL204");
    check(&[b"\x80\x04N.\0\0\0".to_vec(), stream(&[b"N"])].concat(), "PKL205");
    check(&[stream(&[b"N"]), stream(&[&global("os", "system")])].concat(), "PKL101");
}

#[test]
fn damage_keeps_the_findings_before_it() {
    let report = judge("m.pkl", &stream(&[&global("os", "system"), b"\xff"]));
    assert_eq!(rules(&report), ["PKL101", "INT202"]);
    check(b"\x80\x04K", "INT201");
    check(b"\x80\x04R.", "INT203");
    check(b"\x80\x04h\x00.", "INT203");
    check(b"\x80\x04\x8b\xff\xff\xff\xff.", "INT204");
}

#[test]
fn texts_are_what_python_decodes_however_long_they_are() {
    for length in [3, 300, 300_000] {
        let text = |end: &[u8]| {
            let bytes = [&b"a".repeat(length)[..], end].concat();
            let count = u32::try_from(bytes.len()).unwrap().to_le_bytes();
            [&b"\x80\x04X"[..], &count, &bytes, b"."].concat()
        };
        sound(&text("é".as_bytes()));
        sound(&text(b"\xed\xa0\x80"));
        check(&text(b"\xff"), "INT204");
        check(&text(b"\xe2\x82"), "INT204");
        let line = |end: &[u8]| [&b"\x80\x02V"[..], &b"a".repeat(length), end, b"\n."].concat();
        sound(&line(b"\\u00e9"));
        check(&line(b"\\u00"), "INT204");
        check(&[&b"\x80\x02L"[..], &b"1".repeat(length), b"xL\n."].concat(), "PKL203");
    }
    check(&[&b"\x80\x02V"[..], &b"a".repeat(2 << 20), b"\n."].concat(), "PKL304");
}

#[test]
fn resources_are_bounded() {
    check(b"\x80\x04Nr\xf0\xff\xff\xff.", "PKL301");
    check(b"\x80\x04\x8e\0\0\0\0\0\x20\0\0.", "PKL302");
    let mut laughs = b"\x80\x04(K\x01K\x01l\x94".to_vec();
    for _ in 0..40 {
        laughs.extend_from_slice(b"2\x86\x94");
    }
    laughs.push(b'.');
    check(&laughs, "PKL303");
    let mut wrapped = b"\x80\x04(K\x01K\x01l\x94".to_vec();
    for _ in 0..40 {
        wrapped.extend_from_slice(&[b"2\x86".to_vec(), b"q\x01".to_vec()].concat());
        wrapped.extend_from_slice(&[global("types", "SimpleNamespace"), b")Rh\x01bq\x02".to_vec()].concat());
    }
    wrapped.push(b'.');
    check(&wrapped, "PKL303");
    let deep = [b"\x80\x04".to_vec(), vec![b'('; 100_000], vec![b't'; 100_000], b".".to_vec()].concat();
    sound(&deep);
}

/// A joblib array of doubles: wrapper, state, and what follows it in the stream.
fn joblib(alignment: &[u8], rest: &[u8]) -> Vec<u8> {
    let dtype = [global("numpy", "dtype"), text("f8"), b"\x89\x88\x87R".to_vec()].concat();
    stream(&[
        &global("joblib.numpy_pickle", "NumpyArrayWrapper"),
        b")\x81}(",
        &text("subclass"),
        &global("numpy", "ndarray"),
        &text("shape"),
        b"K\x01K\x02\x86",
        &text("dtype"),
        &dtype,
        alignment,
        b"ub",
        rest,
    ])
}

#[test]
fn array_bytes_of_joblib_are_passed_over_exactly() {
    let aligned = [text("numpy_array_alignment_bytes"), b"K\x10".to_vec()].concat();
    let array = [&[3, 0xff, 0xff, 0xff][..], &[0xaa; 16]].concat();
    let report = judge("m.joblib", &joblib(&aligned, &array));
    assert!(passes(&report), "{:?}", report.findings);
    let hostile = [array, global("os", "system")].concat();
    check(&joblib(&aligned, &hostile), "PKL101");
    check(&joblib(&aligned, &[200; 20]), "PKL209");
    check(&joblib(&aligned, b"\x01\xff"), "INT201");
    check(&joblib(&aligned, &[&[2, 0xff, 0][..], &[0; 16]].concat()), "PKL209");
}

#[test]
fn unguarded_array_bytes_are_read_as_a_plain_unpickler_would() {
    let mut array = b"0cos\nsystem\n".to_vec();
    array.resize(16, 0);
    check(&joblib(b"", &array), "PKL206");
    let report = judge("m.joblib", &joblib(b"", &[0; 16]));
    assert!(passes(&report), "{:?}", report.findings);
}

/// Hostile streams: a change of any byte must not make one of them pass by stopping the analysis early.
fn hostile() -> Vec<Vec<u8>> {
    vec![
        stream(&[&global("os", "system"), &text("echo x"), b"\x85R"]),
        b"cos\nsystem\n(S'echo x'\ntR.".to_vec(),
        stream(&[&text("a"), b"\x94", &global("builtins", "eval"), &text("1"), b"\x85R0N"]),
    ]
}

#[test]
fn no_prefix_of_a_hostile_file_passes() {
    for file in hostile() {
        for length in 0..file.len() {
            assert!(!passes(&judge("m.pkl", &file[..length])), "{file:?} cut at {length}");
        }
    }
}

#[test]
fn a_changed_byte_never_hides_what_runs() {
    for file in hostile() {
        for at in 0..file.len() {
            for byte in 0..=255 {
                let mut changed = file.clone();
                changed[at] = byte;
                let report = judge("m.pkl", &changed);
                // What may pass no longer reaches a global at all: its name became data.
                let reaches = rules(&report).iter().any(|rule| rule.starts_with("PKL1"));
                assert!(reaches || !passes(&report) || is_harmless(&changed), "{changed:?}");
            }
        }
    }
}

/// Whether none of the opcodes that reach a global is left outside of operands.
fn is_harmless(file: &[u8]) -> bool {
    !super::sniff::executes(file, file.len() as u64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        judge("m.pkl", &bytes);
        judge("m.pkl", &[b"\x80\x04".to_vec(), bytes].concat());
    }

    #[test]
    fn arbitrary_opcodes_are_judged(opcodes in proptest::collection::vec(opcode(), 0..300)) {
        let report = judge("m.pkl", &[b"\x80\x04".to_vec(), opcodes.concat()].concat());
        prop_assert!(passes(&report) || !report.findings.is_empty());
    }
}

/// One opcode with a plausible operand.
fn opcode() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::sample::select(&b"(012Nalebdtsuo)]}.R\x81\x85\x86\x87\x88\x8f\x90\x91\x93\x94"[..])
            .prop_map(|op| vec![op]),
        any::<u8>().prop_map(|n| vec![b'K', n]),
        (0u8..4).prop_map(|n| vec![b'h', n]),
        (0u8..4).prop_map(|n| vec![b'q', n]),
        Just(text("os")),
        Just(global("collections", "OrderedDict")),
    ]
}
