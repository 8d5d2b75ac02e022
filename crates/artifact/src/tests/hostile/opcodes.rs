//! Pickles put together by hand, opcode by opcode, so that streams can be written that no pickler writes.

/// `text` as `SHORT_BINUNICODE`, or `BINUNICODE` where it is too long for that.
pub(super) fn text(text: &str) -> Vec<u8> {
    match u8::try_from(text.len()) {
        Ok(length) => [&[0x8c, length], text.as_bytes()].concat(),
        Err(_) => [b"X", &u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes()].concat(),
    }
}

/// Bytes as `BINBYTES`.
pub(super) fn bytes(bytes: &[u8]) -> Vec<u8> {
    [b"B", &u32::try_from(bytes.len()).unwrap().to_le_bytes()[..], bytes].concat()
}

/// GLOBAL.
pub(super) fn global(module: &str, name: &str) -> Vec<u8> {
    format!("c{module}\n{name}\n").into_bytes()
}

/// `STACK_GLOBAL` on two texts.
pub(super) fn stack_global(module: &str, name: &str) -> Vec<u8> {
    [text(module), text(name), vec![0x93]].concat()
}

/// A stream of this protocol, framed where the protocol has frames.
pub(super) fn stream(protocol: u8, body: &[u8]) -> Vec<u8> {
    let body = [body, b"."].concat();
    match protocol {
        0 | 1 => body,
        2 | 3 => [&[0x80, protocol][..], &body].concat(),
        _ => {
            let length = (body.len() as u64).to_le_bytes();
            [&[0x80, protocol, 0x95][..], &length, &body].concat()
        }
    }
}

/// The same without a frame.
pub(super) fn unframed(body: &[&[u8]]) -> Vec<u8> {
    [b"\x80\x04", &body.concat()[..], b"."].concat()
}

/// A call of a global with one text, however a stream can make one: the name of the way, and the stream.
pub(super) fn calls(module: &str, name: &str) -> Vec<(&'static str, Vec<u8>)> {
    let argument = "echo hello";
    let (old, new) = (global(module, name), stack_global(module, name));
    let tuple = [text(argument), b"\x85".to_vec()].concat();
    let line = format!("S'{argument}'\n").into_bytes();
    let join = |parts: &[&[u8]]| parts.concat();
    let mut calls = vec![
        ("protocol 0", stream(0, &join(&[&old, b"(", &line, b"tR"]))),
        ("protocol 1", stream(1, &join(&[&old, b"(U\x0a", argument.as_bytes(), b"tR"]))),
        ("protocol 2", stream(2, &join(&[&old, &tuple, b"R"]))),
        ("protocol 3", stream(3, &join(&[&old, &tuple, b"R"]))),
        ("protocol 4", stream(4, &join(&[&new, &tuple, b"R"]))),
        ("protocol 5", stream(5, &join(&[&new, b"\x94", &tuple, b"\x94R\x94"]))),
        ("instance", stream(0, &join(&[b"(", &line, b"i", &old[1..]]))),
        ("object", stream(1, &join(&[b"(", &old, &line, b"o"]))),
        ("new object", stream(2, &join(&[&old, &tuple, b"\x81"]))),
        ("new object with keywords", stream(4, &join(&[&new, &tuple, b"}\x92"]))),
        ("only named", stream(2, &old)),
        ("dropped", stream(2, &join(&[&old, &tuple, b"R0N"]))),
        ("dropped to a mark", stream(2, &join(&[b"(", &old, &tuple, b"R1N"]))),
        ("in a dict", stream(4, &join(&[b"}", &text("a"), &new, &tuple, b"Rs"]))),
        ("as a key", stream(4, &join(&[b"}", &new, &tuple, b"RNs"]))),
        ("without arguments", stream(4, &join(&[&new, b")R"]))),
    ];
    // Names by way of the memo, of the stack, and as escapes.
    let memo = join(&[&text(module), b"\x940", &text(name), b"\x940h\x00h\x01\x93", &tuple, b"R"]);
    let put = join(&[&text(name), b"q\x07r\x08\0\0\x000", &text(module), b"h\x08\x93", &tuple, b"R"]);
    let twice = join(&[&text(module), b"20", &text(name), b"\x93", &tuple, b"R"]);
    let escaped = |text: &str| -> String {
        text.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<Vec<_>>().concat()
    };
    let octal = |text: &str| -> String {
        text.bytes().map(|byte| format!("\\{byte:o}")).collect::<Vec<_>>().concat()
    };
    let wide = |text: &str| -> String {
        text.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect::<Vec<_>>().concat()
    };
    let lines = |module: &str, name: &str, opcode: &str, quote: &str| {
        format!("{opcode}{quote}{module}{quote}\n{opcode}{quote}{name}{quote}\n\u{1}").into_bytes()
    };
    let by_lines = |mut lines: Vec<u8>| {
        *lines.last_mut().unwrap() = 0x93;
        stream(4, &join(&[&lines, &tuple, b"R"]))
    };
    calls.extend([
        ("names out of the memo", stream(4, &memo)),
        ("names at chosen places of the memo", stream(4, &put)),
        ("a copied name", stream(4, &twice)),
        ("hexadecimal escapes", by_lines(lines(&escaped(module), &escaped(name), "S", "'"))),
        ("octal escapes", by_lines(lines(&octal(module), &octal(name), "S", "\""))),
        ("wide escapes", by_lines(lines(&wide(module), &wide(name), "V", ""))),
        ("callee out of the memo", stream(4, &join(&[&new, b"\x940}h\x00", &tuple, b"R"]))),
    ]);
    calls
}

/// A global handed to something that is listed, in the hope that it is called there.
pub(super) fn handed_over(module: &str, name: &str) -> Vec<(&'static str, Vec<u8>)> {
    let hostile = stack_global(module, name);
    let class = stack_global("sklearn.pipeline", "Pipeline");
    let listed = |module: &str, name: &str| stack_global(module, name);
    let join = |parts: &[&[u8]]| unframed(parts);
    vec![
        ("default factory", join(&[&listed("collections", "defaultdict"), &hostile, b"\x85R"])),
        ("partial", join(&[&listed("functools", "partial"), &hostile, b"\x85R"])),
        (
            "class to rebuild",
            join(&[&listed("copyreg", "_reconstructor"), &hostile, &listed("builtins", "object"), b"N\x87R"]),
        ),
        ("class to make", join(&[&listed("copyreg", "__newobj__"), &hostile, b"\x85R"])),
        (
            "class of an array",
            join(&[&listed("numpy._core.multiarray", "_reconstruct"), &hostile, b"K\0\x85C\x01b\x87R"]),
        ),
        ("state", join(&[&class, b")\x81}", &text("steps"), &hostile, b"sb"])),
        ("state of a slot", join(&[&class, b")\x81N}", &text("steps"), &hostile, b"s\x86b"])),
        ("method of an instance", join(&[&class, b")\x81}", &text("__setstate__"), &hostile, b"sbNb"])),
        (
            "function of a transformer",
            join(&[
                &listed("sklearn.preprocessing._function_transformer", "FunctionTransformer"),
                b")\x81}",
                &text("func"),
                &hostile,
                b"sb",
            ]),
        ),
        (
            "hook of a module",
            join(&[
                &listed("torch.nn.modules.linear", "Linear"),
                b")\x81}",
                &text("_forward_hooks"),
                b"}K\x01",
                &hostile,
                b"ssb",
            ]),
        ),
        (
            "bit generator",
            join(&[&listed("numpy.random._pickle", "__generator_ctor"), &text("x"), &hostile, b"\x86R"]),
        ),
    ]
}
