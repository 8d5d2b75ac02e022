//! Files that two loaders read differently, or that make a listed global do what it is not listed for. Each of them once
//! passed.

use super::{
    Case,
    Fate::{By, Named},
    check,
    opcodes::{global, stack_global, stream, text, unframed},
};

/// A call of a listed global with a tuple of these arguments.
fn call(module: &str, name: &str, arguments: &[&[u8]]) -> Vec<u8> {
    [&stack_global(module, name)[..], b"(", &arguments.concat(), b"tR"].concat()
}

/// `numpy.dtype(kind)` with a state whose size and flags are given.
fn dtype(kind: &str, state: &[u8]) -> Vec<u8> {
    [&call("numpy", "dtype", &[&text(kind), b"\x89\x88"])[..], b"(K\x03", &text("|"), state, b"tb"].concat()
}

/// A state without parts, of no size of its own.
const PLAIN: &[u8] = b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0";

/// A joblib array: the wrapper with its state, and whatever stands behind it.
fn joblib(dtype: &[u8], shape: &[u8], more: &[u8], rest: &[u8]) -> Vec<u8> {
    let wrapper = stack_global("joblib.numpy_pickle", "NumpyArrayWrapper");
    let array = stack_global("numpy", "ndarray");
    let state = [&text("subclass")[..], &array, &text("shape"), shape, &text("dtype"), dtype, more].concat();
    [&wrapper[..], b")\x81}(", &state, b"ub", rest].concat()
}

/// `os.system`, with the opcodes of protocol 2.
fn payload() -> Vec<u8> {
    [&global("os", "system")[..], b"U\x0aecho hello\x85R"].concat()
}

#[test]
fn joblib_and_the_analysis_agree_on_where_an_array_begins() {
    let bytes = dtype("u1", PLAIN);
    // Padding of five bytes and one element to joblib; without padding, what follows the element is a text.
    let payload = payload();
    let length = [u8::try_from(payload.len() + 5).unwrap()];
    let rest = [b"\x05C", &length[..], b"aaa", b"aa", &payload, b"."].concat();
    for (what, alignment) in [("true", &b"\x88"[..]), ("false", b"\x89"), ("a float", b"G\0\0\0\0\0\0\0\0")] {
        let key = [&text("numpy_array_alignment_bytes")[..], alignment].concat();
        let file = unframed(&[&joblib(&bytes, b"K\x01\x85", &key, &rest)]);
        check(vec![Case::new(format!("an alignment that is {what}"), "m.joblib", file, super::Fate::NoPass)]);
    }
}

#[test]
fn array_bytes_that_shift_a_plain_unpickler_are_noticed() {
    let payload = payload();
    let mut cases = Vec::new();
    // The array's two bytes make a plain unpickler take the text opcode behind it for data, and its content for opcodes.
    let text_of = [b"U", &[u8::try_from(payload.len() + 1).unwrap()][..], &payload, b"."].concat();
    for (what, array) in
        [("bytes", &b"C\x02"[..]), ("a text", b"U\x02"), ("an integer", b"KM"), ("a memo entry", b"q\x09")]
    {
        let file = unframed(&[&joblib(&dtype("u1", PLAIN), b"K\x02\x85", b"", &[array, &text_of].concat())]);
        cases.push(Case::new(what, "m.joblib", file, super::Fate::NoPass));
    }
    // Below the wrapper lies a class that opens files, and what it is to open.
    let below = [&stack_global("numpy", "memmap")[..], &text("/tmp/x"), b"\x85"].concat();
    let file = unframed(&[&below, &joblib(&dtype("u1", PLAIN), b"K\x03\x85", b"", b"0R\0")]);
    cases.push(Case::new("a call of what lies below", "m.joblib", file, super::Fate::NoPass));
    check(cases);
}

#[test]
fn an_array_of_objects_is_the_same_to_a_plain_unpickler() {
    let objects = dtype("O8", b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3f");
    let before = [text("posix"), b"\x940".to_vec(), text("system"), b"\x940".to_vec()].concat();
    // To joblib, the array's memo is empty, and 0 and 1 are what it stores first.
    let inner = |names: &[u8], call: &[u8]| stream(4, &[names, b"h\x00h\x01\x93", call].concat());
    let stored = [text("collections"), b"\x940".to_vec(), text("OrderedDict"), b"\x940".to_vec()].concat();
    let echo = [text("echo hello"), b"\x85R".to_vec()].concat();
    let file = |inner: &[u8]| unframed(&[&before, &joblib(&objects, b"K\x01\x85", b"", inner)]);
    let one =
        [text("builtins"), b"\x940".to_vec(), b"h\x00".to_vec(), text("int"), b"\x93".to_vec()].concat();
    let class = unframed(&[
        &stack_global("numpy", "memmap"),
        b"\x940",
        &joblib(
            &objects,
            b"K\x01\x85",
            b"",
            &stream(4, &[&stack_global("collections", "OrderedDict")[..], b"\x940h\x00", &echo].concat()),
        ),
    ]);
    let ufunc = [
        &text("numpy")[..],
        b"\x940",
        &text("log"),
        b"\x940",
        &stack_global("numpy._core", "_ufunc_reconstruct"),
        b"h\x00h\x01\x86R",
    ]
    .concat();
    check(vec![
        Case::new("both names out of the memo", "m.joblib", file(&inner(&stored, &echo)), By("PKL206")),
        Case::new("a callee out of the memo", "m.joblib", class, By("PKL206")),
        Case::new("arguments out of the memo", "m.joblib", file(&stream(4, &ufunc)), By("PKL206")),
    ]);
    // One that only shares the name of a module with itself is what joblib writes.
    let colours = [text("red"), b"\x940".to_vec(), text("blue"), b"\x940".to_vec()].concat();
    let file = unframed(&[&colours, &joblib(&objects, b"K\x01\x85", b"", &stream(4, &one))]);
    let report = super::judge(vec![("m.joblib", file)]);
    assert!(crate::build::passes(&report), "{:?}", report.findings);
}

#[test]
fn a_frame_ends_with_its_pickle() {
    let payload = payload();
    // What a reader of the next pickle skips is a text to one that reads on; where it begins, the text ends.
    let skipped = [b"U", &[u8::try_from(payload.len() + 1).unwrap()][..]].concat();
    let length = (2 + skipped.len() as u64).to_le_bytes();
    let file = [b"\x80\x04\x95", &length[..], b"N.", &skipped, &payload, b"."].concat();
    check(vec![Case::new(
        "a frame over the next pickle's head",
        "m.pkl",
        [&file[..], b"."].concat(),
        By("PKL201"),
    )]);
}

#[test]
fn state_is_not_smuggled_through_what_gives_it_back() {
    let class = stack_global("torch.nn.modules.linear", "Linear");
    let methods = [b"}", &text("__setstate__")[..], &stack_global("builtins", "len"), b"s"].concat();
    let objects = dtype("O8", b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3f");
    let mut cases = Vec::new();
    for (what, mapping) in [
        ("a scalar of objects", call("numpy.core.multiarray", "scalar", &[&objects, &methods])),
        (
            "a scalar of a type by its class",
            call(
                "numpy.core.multiarray",
                "scalar",
                &[&call("numpy", "dtype", &[&stack_global("numpy", "object_")]), &methods],
            ),
        ),
        (
            "a scalar of a type by its word",
            call("numpy.core.multiarray", "scalar", &[&call("numpy", "dtype", &[&text("object")]), &methods]),
        ),
        (
            "a tagged value",
            call("torch.jit._pickle", "restore_type_tag", &[&methods, &text("Dict[str, int]")]),
        ),
        ("a list of integers", call("torch.jit._pickle", "build_intlist", &[&methods])),
        (
            "a rebuilt dict",
            call(
                "copyreg",
                "_reconstructor",
                &[&stack_global("builtins", "dict"), &stack_global("builtins", "dict"), &methods],
            ),
        ),
        ("an ordered dict", call("collections", "OrderedDict", &[&methods])),
        (
            "a partial's result",
            [
                &call(
                    "functools",
                    "partial",
                    &[&stack_global("torch.jit._pickle", "restore_type_tag"), &methods],
                )[..],
                &text("x"),
                b"\x85R",
            ]
            .concat(),
        ),
    ] {
        let slots = unframed(&[&class, b")\x81N", &mapping, b"\x86b"]);
        cases.push(Case::new(format!("{what} as slots"), "m.pkl", slots, Named));
        let state = unframed(&[&class, b")\x81", &mapping, b"b"]);
        cases.push(Case::new(format!("{what} as state"), "m.pkl", state, Named));
    }
    check(cases);
}

#[test]
fn classes_that_open_files_are_only_the_class_of_an_array() {
    let memmap = stack_global("numpy", "memmap");
    let partial = call("functools", "partial", &[&memmap]);
    let constructor =
        |function: &[u8]| call("numpy.random._pickle", "__generator_ctor", &[&text("/tmp/x"), function]);
    check(vec![
        Case::new("called", "m.pkl", unframed(&[&memmap, &text("/tmp/x"), b"\x85R"]), By("PKL105")),
        Case::new("made", "m.pkl", unframed(&[&memmap, &text("/tmp/x"), b"\x85\x81"]), By("PKL105")),
        Case::new("a partial", "m.pkl", unframed(&[&partial]), By("PKL106")),
        Case::new(
            "a default",
            "m.pkl",
            unframed(&[&call("collections", "defaultdict", &[&memmap])]),
            By("PKL106"),
        ),
        Case::new("a generator's constructor", "m.pkl", unframed(&[&constructor(&memmap)]), By("PKL106")),
        Case::new("a partial as constructor", "m.pkl", unframed(&[&constructor(&partial)]), By("PKL106")),
        Case::new(
            "another function of numpy",
            "m.pkl",
            unframed(&[&constructor(&stack_global("numpy", "matrix"))]),
            By("PKL106"),
        ),
    ]);
}

#[test]
fn types_of_numpy_do_not_make_pointers_of_bytes() {
    let size = |size: u8, flags: u8| [&b"NNN"[..], &[b'K', size], b"K\x01K", &[flags]].concat();
    let fields = |part: &[u8], offset: u8, flags: u8| {
        let field = [&b"}"[..], &text("a"), part, &[b'K', offset], b"\x86s"].concat();
        [b"N", &text("a")[..], b"\x85", &field, b"K\x08K\x01K", &[flags]].concat()
    };
    let objects = dtype("O8", b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3f");
    let numbers = dtype("f8", PLAIN);
    let mut cases = Vec::new();
    for (what, dtype) in [
        ("objects without their flags", dtype("O8", &size(8, 0))),
        ("objects that are not listed", dtype("O", &size(8, 0b101))),
        ("numbers with the flags of objects", dtype("f8", &size(8, 0x3f))),
        ("numbers that are pointers", dtype("i8", &size(8, 0b100))),
        ("a structure of objects without their flags", dtype("V8", &fields(&objects, 0, 0))),
        ("a structure of numbers with the flags of objects", dtype("V8", &fields(&numbers, 0, 0x3f))),
        ("a field beyond its structure", dtype("V8", &fields(&numbers, 4, 0x10))),
        (
            "a subarray of objects without their flags",
            dtype("V8", &[b"", &objects[..], b"K\x01\x85\x86NNK\x08K\x01K\0"].concat()),
        ),
        ("a word for objects", dtype("object", &size(8, 0))),
    ] {
        cases.push(Case::new(what, "m.pkl", unframed(&[&dtype]), By("PKL107")));
    }
    check(cases);
    for sound in [
        objects.clone(),
        numbers.clone(),
        dtype("V8", &fields(&numbers, 0, 0x10)),
        dtype("V8", &fields(&objects, 0, 0x3f)),
    ] {
        let report = super::judge(vec![("m.pkl", unframed(&[&sound]))]);
        assert!(crate::build::passes(&report), "{:?}", report.findings);
    }
}

#[test]
fn keywords_are_arguments_too() {
    let source = [&b"}"[..], &text("source"), b"J\xff\xff\xff\x7fs"].concat();
    let file = unframed(&[&stack_global("builtins", "bytes"), b")", &source, b"\x92"]);
    check(vec![
        Case::new("a size by keyword", "m.pkl", file, By("PKL106")),
        Case::new(
            "a size by a base class",
            "m.pkl",
            unframed(&[&call(
                "copyreg",
                "_reconstructor",
                &[
                    &stack_global("builtins", "bytearray"),
                    &stack_global("builtins", "bytearray"),
                    b"J\xff\xff\xff\x7f",
                ],
            )]),
            By("PKL106"),
        ),
    ]);
}
