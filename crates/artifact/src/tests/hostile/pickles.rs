//! Pickles that reach something, by every way of naming and calling it.

use super::{
    Case,
    Fate::{By, Named, NoPass},
    check, globals,
    opcodes::{bytes, calls, global, handed_over, stack_global, stream, text, unframed},
};

#[test]
fn no_dangerous_global_is_reached_by_any_way_of_calling() {
    let mut cases = Vec::new();
    for (module, name) in globals::all().chain(globals::THROUGH_LISTED.iter().copied()) {
        for (way, file) in calls(module, name) {
            cases.push(Case::new(format!("{module}.{name} by {way}"), "model.pkl", file, Named));
        }
    }
    check(cases);
}

#[test]
fn no_dangerous_global_is_handed_to_a_listed_one() {
    let mut cases = Vec::new();
    for (module, name) in globals::all().chain(globals::THROUGH_LISTED.iter().copied()) {
        for (way, file) in handed_over(module, name) {
            cases.push(Case::new(format!("{module}.{name} as {way}"), "model.pkl", file, Named));
        }
    }
    check(cases);
}

#[test]
fn names_that_look_like_others_are_not_listed() {
    let mut cases = Vec::new();
    for (module, name) in [
        ("оs", "system"),
        ("os\u{200b}", "system"),
        ("ｏs", "system"),
        ("OS", "system"),
        ("os.", "system"),
        (".os", "system"),
        ("os ", "system"),
        ("\tos", "system"),
        ("os\r", "system\r"),
        ("os\0", "system"),
        ("numpy\u{301}", "dtype"),
        ("numpy", "dtype\0"),
        ("numpy", "dtype "),
        ("numpy", "Dtype"),
        ("collections", "OrderedDict\r"),
        ("collections", "ОrderedDict"),
        ("collections ", "OrderedDict"),
        ("sklearn.externals.joblib.os", "system"),
        ("sklearn.externals.joblib", "load"),
        ("numpy.core.os", "system"),
        ("numpy.core.multiarray.os", "system"),
        ("exceptions", "eval"),
        ("__builtin__", "xrange.__class__"),
        ("__torch__", "Model"),
        ("__torch__.os", "system"),
        ("", "system"),
        ("os", ""),
        ("", ""),
    ] {
        for (way, file) in calls(module, name) {
            // Without a head, a name that no module has is no sign of a pickle.
            let odd = |text: &str| !text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
            let fate =
                if module.is_empty() || odd(module) || odd(name) || name.is_empty() { NoPass } else { Named };
            cases.push(Case::new(format!("{module:?}.{name:?} by {way}"), "model.pkl", file, fate));
        }
    }
    check(cases);
}

/// `os.system` with an argument, not yet called.
fn payload() -> Vec<u8> {
    [stack_global("os", "system"), text("echo hello"), b"\x85R".to_vec()].concat()
}

#[test]
fn the_machine_is_not_led_astray_before_a_payload() {
    let payload = payload();
    let before: &[(&str, &[u8])] = &[
        ("numbers and drops", b"K\x010N0\x880\x890"),
        ("a frame of nothing", b"\x95\0\0\0\0\0\0\0\0"),
        ("a late protocol", b"N0\x80\x02"),
        ("an earlier protocol", b"\x80\x00"),
        ("marks and drops", b"((((0000"),
        ("a mark in a mark", b"(]1(}1"),
        ("empty appends", b"](e0"),
        ("empty items", b"}(u0"),
        ("empty set items", b"\x8f(\x900"),
        ("copies", b"N2220000"),
        ("memo at a far place", b"Nr\x10\0\0\x000"),
        ("memo over memo", b"N\x94K\x01q\x00K\x02q\x00000"),
        ("memo index with zeros in front", b"Np00\n0"),
        ("long of no bytes", b"\x8a\x000"),
        ("long with its sign alone", b"\x8a\x01\xff0"),
        ("long of four bytes length", b"\x8b\x01\0\0\0\x010"),
        ("empty texts", b"X\0\0\0\0\x8c\x00\x8d\0\0\0\0\0\0\0\0U\x00T\0\0\0\x0000000"),
        ("empty bytes", b"B\0\0\0\0C\x00\x8e\0\0\0\0\0\0\0\0\x96\0\0\0\0\0\0\0\x000000"),
        ("lone surrogates", b"\x8c\x03\xed\xa0\x800"),
        ("text of opcodes", b"\x8c\x0bcos\nsystem\n0"),
        ("bytes that stop", b"C\x04N.N.0"),
        ("floats", b"F1.5\nFnan\nF-inf\n000"),
        ("booleans of protocol 0", b"I00\nI01\n00"),
        ("a tuple of a tuple", b")\x85\x85\x86"),
        ("a set that holds itself not", b"\x8f(N\x900"),
        ("a frozen set", b"(NK\x01\x910"),
        ("read-only twice", b"C\x00\x98\x980"),
    ];
    let mut cases = Vec::new();
    for (what, opcodes) in before {
        for (form, head) in [("protocol 4", &b"\x80\x04"[..]), ("without a head", b"")] {
            let file = [head, opcodes, &payload, b"."].concat();
            let fate = if what.contains("tuple of a tuple") { NoPass } else { Named };
            cases.push(Case::new(format!("{what}, {form}"), "model.pkl", file, fate));
        }
    }
    let noise: Vec<u8> = (0..200_000u32).flat_map(|_| *b"N0").collect();
    cases.push(Case::new("400,000 idle opcodes", "model.pkl", unframed(&[&noise, &payload]), Named));
    let padding = text(&"a".repeat(1 << 20));
    cases.push(Case::new("a mebibyte of text", "model.pkl", unframed(&[&padding, b"0", &payload]), Named));
    for (what, opcode) in [("text", b'X'), ("byte text", b'T'), ("bytes", b'B')] {
        let length = 1u32 << 20;
        let long = [&[opcode][..], &length.to_le_bytes(), &vec![b'a'; 1 << 20]].concat();
        let file = [&long[..], b"0cos\nsystem\n(S'echo hello'\ntR."].concat();
        cases.push(Case::new(format!("a mebibyte of {what} and no head"), "model.pkl", file.clone(), Named));
        cases.push(Case::new(format!("a mebibyte of {what} as text"), "labels.txt", file, Named));
    }
    let line = [b"V", &vec![b'a'; 1 << 18][..], b"\n0cos\nsystem\n(S'echo hello'\ntR."].concat();
    cases.push(Case::new("a long line and no head", "labels.txt", line, Named));
    check(cases);
}

#[test]
fn what_follows_a_payload_does_not_hide_it() {
    let whole = unframed(&[&payload()]);
    let open = &whole[..whole.len() - 1];
    let mut cases = Vec::new();
    for (what, rest) in [
        ("nothing", &b""[..]),
        ("no opcode", b"\xff"),
        ("underflow", b"00000."),
        ("a mark that was never set", b"t."),
        ("an entry that was never stored", b"h\xfe."),
        ("a text without end", b"X\xff\xff\xff\x7f"),
        ("bytes without end", b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f"),
        ("a negative length", b"\x8b\xff\xff\xff\xff."),
        ("an unknown protocol", b"\x80\x63."),
        ("a frame without end", b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f."),
        ("a broken text", b"S'abc\n."),
        ("bad UTF-8", b"\x8c\x02\xc0\x80."),
        ("an extension", b"\x82\xf0."),
        ("a persistent id", b"Pabc\n."),
        ("a buffer", b"\x97."),
        ("a lax number", b"I0x10\n."),
        ("a huge memo index", b"r\xf0\xff\xff\xff."),
        ("state on a number", b"Nb."),
        ("a call of a text", b"\x8c\x01a)R."),
        ("a stack of text", b"\x8c\x01a\x8c\x01b\x93."),
    ] {
        cases.push(Case::new(format!("{what} behind it"), "model.pkl", [open, rest].concat(), Named));
        let rest = [&whole[..], rest].concat();
        cases.push(Case::new(format!("{what} behind its end"), "model.pkl", rest, Named));
    }
    check(cases);
}

#[test]
fn a_payload_behind_another_pickle_is_found() {
    let (plain, hostile) = (stream(4, b"]"), unframed(&[&payload()]));
    let mut cases = vec![Case::new("right behind", "model.pkl", [&plain[..], &hostile].concat(), Named)];
    for (what, gap) in [
        ("zeros", vec![0; 4096]),
        ("line feeds", b"\n\n\n\n".to_vec()),
        ("a byte", vec![0xff]),
        ("a mebibyte", vec![7; 1 << 20]),
        ("text", b"# nothing to see\n".to_vec()),
        ("a zip's head", b"PK\x03\x04".to_vec()),
    ] {
        cases.push(Case::new(
            format!("behind {what}"),
            "model.pkl",
            [&plain[..], &gap, &hostile].concat(),
            Named,
        ));
    }
    let many: Vec<u8> = (0..500).flat_map(|_| plain.clone()).chain(hostile.clone()).collect();
    cases.push(Case::new("behind 500 others", "model.pkl", many, Named));
    check(cases);
}

#[test]
fn what_cannot_be_resolved_is_refused() {
    let class = stack_global("sklearn.pipeline", "Pipeline");
    let dict = stack_global("collections", "OrderedDict");
    check(vec![
        Case::new(
            "a module that is a number",
            "m.pkl",
            unframed(&[b"K\x01", &text("system"), b"\x93"]),
            By("PKL103"),
        ),
        Case::new(
            "a name that is bytes",
            "m.pkl",
            unframed(&[&text("os"), b"C\x06system\x93"]),
            By("PKL103"),
        ),
        Case::new(
            "a name made by a call",
            "m.pkl",
            unframed(&[
                &text("os"),
                &stack_global("_codecs", "encode"),
                &text("system"),
                &text("latin1"),
                b"\x86R\x93",
            ]),
            By("PKL103"),
        ),
        Case::new(
            "a name that is longer than any",
            "m.pkl",
            unframed(&[&text("os"), &text(&"a".repeat(300)), b"\x93"]),
            By("PKL103"),
        ),
        Case::new(
            "a global of 300 letters",
            "m.pkl",
            stream(2, &global("os", &"a".repeat(300))),
            By("PKL103"),
        ),
        Case::new(
            "a global that is no UTF-8",
            "m.pkl",
            b"\x80\x02c\xff\xfe\nsystem\n.".to_vec(),
            By("PKL103"),
        ),
        Case::new("extension 1", "m.pkl", unframed(&[b"\x82\x01"]), By("PKL110")),
        Case::new("extension 2", "m.pkl", unframed(&[b"\x83\x01\x00"]), By("PKL110")),
        Case::new("extension 4", "m.pkl", unframed(&[b"\x84\x01\0\0\0)R"]), By("PKL110")),
        Case::new("a persistent id as text", "m.pkl", stream(0, b"Pos.system\n"), By("PKL111")),
        Case::new("a persistent id from the stack", "m.pkl", unframed(&[&text("x"), b"Q"]), By("PKL111")),
        Case::new("a call of the result of a call", "m.pkl", unframed(&[&dict, b")R)R"]), By("PKL104")),
        Case::new("a call of a dict", "m.pkl", unframed(&[b"})R"]), By("PKL104")),
        Case::new("a call of an instance", "m.pkl", unframed(&[&class, b")\x81)R"]), By("PKL104")),
        Case::new("state on a class", "m.pkl", unframed(&[&class, b"}", &text("fit"), b"Nsb"]), By("PKL107")),
        Case::new("state on a list", "m.pkl", unframed(&[b"]}b"]), By("PKL107")),
        Case::new("items of a class", "m.pkl", unframed(&[&class, &text("a"), b"Ns"]), By("PKL109")),
        Case::new("appended to an instance", "m.pkl", unframed(&[&class, b")\x81Na"]), By("PKL109")),
        Case::new("added to an instance", "m.pkl", unframed(&[&class, b")\x81(N\x90"]), By("PKL109")),
        Case::new(
            "a class for a method",
            "m.pkl",
            unframed(&[&class, b")\x81}", &text("__class__"), &dict, b"sb"]),
            By("PKL108"),
        ),
    ]);
}

#[test]
fn a_pickle_in_the_bytes_of_another_is_not_called_by_anything_listed() {
    let inner = unframed(&[&payload()]);
    let mut cases = Vec::new();
    for (module, name) in [
        ("pickle", "loads"),
        ("_pickle", "loads"),
        ("torch.storage", "_load_from_bytes"),
        ("joblib.numpy_pickle", "_unpickle"),
        ("pandas.compat.pickle_compat", "loads"),
        ("dill", "loads"),
        ("cloudpickle", "loads"),
        ("marshal", "loads"),
    ] {
        let call = [&stack_global(module, name)[..], &bytes(&inner), b"\x85R"].concat();
        cases.push(Case::new(format!("{module}.{name}"), "model.pkl", unframed(&[&call]), Named));
    }
    check(cases);
}
