//! Arrow's arrays, as pandas writes them and with every part of them forged.

use super::super::tests::{check, global, sound, stream, text};

/// One array of Arrow, as protocols 4 and 5 write it.
#[derive(Clone)]
struct Array {
    kind: Vec<u8>,
    length: i32,
    nulls: i32,
    offset: i32,
    buffers: Vec<Option<Vec<u8>>>,
}

/// Texts `a`, `bb`, none, `ccc`.
fn texts() -> Array {
    let offsets = [0i64, 1, 3, 3, 6].iter().flat_map(|offset| offset.to_le_bytes()).collect();
    Array {
        kind: alias("large_string"),
        length: 4,
        nulls: 1,
        offset: 0,
        buffers: vec![Some(vec![0b1011]), Some(offsets), Some(b"abbccc".to_vec())],
    }
}

fn alias(name: &str) -> Vec<u8> {
    [&global("pyarrow.lib", "type_for_alias")[..], &text(name), b"\x85R"].concat()
}

fn int(number: i32) -> Vec<u8> {
    [b"J", &number.to_le_bytes()[..]].concat()
}

/// Bytes as protocol 5 writes what may be changed.
fn changeable(bytes: &[u8]) -> Vec<u8> {
    [b"\x96", &(bytes.len() as u64).to_le_bytes()[..], bytes].concat()
}

/// Bytes as protocol 4 writes them.
fn older(bytes: &[u8]) -> Vec<u8> {
    let bytes = [b"C", &[u8::try_from(bytes.len()).unwrap()][..], bytes].concat();
    [&global("builtins", "bytearray")[..], &bytes, b"\x85R"].concat()
}

impl Array {
    fn opcodes(&self, bytes: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let function = global("pyarrow.lib", "py_buffer");
        let buffer = |buffer: &Option<Vec<u8>>| match buffer {
            Some(buffer) => [&function[..], &bytes(buffer), b"\x85R"].concat(),
            None => b"N".to_vec(),
        };
        let buffers: Vec<u8> = self.buffers.iter().flat_map(buffer).collect();
        [
            &global("pyarrow.lib", "_restore_array")[..],
            b"(",
            &self.kind,
            &int(self.length),
            &int(self.nulls),
            &int(self.offset),
            b"](",
            &buffers,
            b"e]Nt\x85R",
        ]
        .concat()
    }

    fn file(&self) -> Vec<u8> {
        stream(&[&self.opcodes(changeable)])
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut array = self.clone();
        change(&mut array);
        array.file()
    }
}

#[test]
fn arrays_that_fit_their_buffers_pass() {
    sound(&texts().file());
    sound(&stream(&[&texts().opcodes(older)]));
    sound(&texts().with(|array| array.nulls = -1));
    // A slice without its own buffers.
    sound(&texts().with(|array| (array.offset, array.length, array.nulls) = (1, 3, 1)));
    sound(&texts().with(|array| (array.buffers[0], array.nulls) = (None, 0)));
    let numbers = Array {
        kind: alias("int64"),
        length: 2,
        nulls: 0,
        offset: 0,
        buffers: vec![None, Some(vec![0xff; 16])],
    };
    sound(&numbers.file());
    check(&numbers.with(|array| array.length = 3), "PKL113");
    sound(&numbers.with(|array| (array.kind, array.length) = (alias("bool"), 128)));
    check(&numbers.with(|array| (array.kind, array.length) = (alias("bool"), 129)), "PKL113");
    let empty = |array: &mut Array| {
        (array.length, array.nulls) = (0, 0);
        array.buffers = vec![None, Some(vec![0; 8]), Some(Vec::new())];
    };
    sound(&texts().with(empty));
}

#[test]
fn arrays_that_reach_beyond_their_buffers_are_rejected() {
    let offsets = |offsets: &[i64]| Some(offsets.iter().flat_map(|n| n.to_le_bytes()).collect());
    for wrong in
        [[0, 1, 3, 3, 7], [0, 1, 3, 2, 6], [-1, 1, 3, 3, 6], [0, i64::MAX, 3, 3, 6], [0, 1, 3, 3, -1]]
    {
        check(&texts().with(|array| array.buffers[1] = offsets(&wrong)), "PKL113");
    }
    check(&texts().with(|array| array.buffers[1] = offsets(&[0, 1, 3, 6])), "PKL113");
    check(&texts().with(|array| array.buffers[1] = None), "PKL113");
    check(&texts().with(|array| array.buffers[2] = None), "PKL113");
    check(&texts().with(|array| array.buffers[2] = Some(b"abbcc".to_vec())), "PKL113");
    check(&texts().with(|array| array.buffers[2] = Some(b"abbcc\xf0".to_vec())), "PKL113");
    check(&texts().with(|array| array.length = 5), "PKL113");
    check(&texts().with(|array| array.length = -1), "PKL113");
    check(&texts().with(|array| array.offset = 1), "PKL113");
    check(&texts().with(|array| array.offset = -1), "PKL113");
    for nulls in [0, 2, 4, -2, i32::MAX] {
        check(&texts().with(|array| array.nulls = nulls), "PKL113");
    }
    check(&texts().with(|array| array.buffers[0] = None), "PKL113");
    check(&texts().with(|array| array.buffers[0] = Some(Vec::new())), "PKL113");
    check(&texts().with(|array| array.kind = alias("string")), "PKL113");
    check(&texts().with(|array| array.kind = alias("int64")), "PKL113");
    check(&texts().with(|array| array.buffers.truncate(2)), "PKL113");
    check(&texts().with(|array| array.buffers.push(None)), "PKL114");
}

#[test]
fn what_is_not_followed_is_not_passed() {
    check(&texts().with(|array| array.kind = alias("large_string ")), "PKL114");
    check(&texts().with(|array| array.kind = alias("string_view")), "PKL114");
    check(&texts().with(|array| array.kind = global("numpy", "ndarray")), "PKL114");
    check(&texts().with(|array| array.kind = b"N".to_vec()), "PKL114");
    let restore = global("pyarrow.lib", "_restore_array");
    check(&stream(&[&restore, b"]\x85R"]), "PKL114");
    check(&stream(&[&restore, b")R"]), "PKL106");
    // More bits than elements: how many are missing is not known.
    check(&texts().with(|array| array.buffers[0] = Some(vec![0b1011, 0])), "PKL114");
    // Bytes that were there before Arrow asked for them.
    let known = [b"C\x06abbccc\x940", &global("pyarrow.lib", "py_buffer")[..], b"h\0\x85R"].concat();
    let mut array = texts();
    array.buffers.truncate(2);
    let opcodes = array.opcodes(changeable);
    let at = opcodes.len() - b"e]Nt\x85R".len();
    let late = [
        b"C\x06abbccc\x940",
        &opcodes[..at],
        &global("pyarrow.lib", "py_buffer"),
        b"h\0\x85R",
        &opcodes[at..],
    ];
    check(&stream(&[&late.concat()]), "PKL114");
    sound(&stream(&[&known]));
}

#[test]
fn the_bytes_of_an_array_are_its_own() {
    let function = global("pyarrow.lib", "py_buffer");
    check(&stream(&[&function, &changeable(b"ab"), b"\x94\x85Rh\0\x86"]), "PKL113");
    check(&stream(&[&function, &changeable(b"ab"), b"2\x86R"]), "PKL113");
    check(&stream(&[&function, &older(b"ab"), b"\x94\x85Rh\0\x86"]), "PKL113");
    let buffer = [&function[..], &changeable(b"ab"), b"\x85R"].concat();
    sound(&stream(&[&buffer, b"\x94"]));
    check(&stream(&[&buffer, b"\x94h\0\x86"]), "PKL113");
    // A name where bytes are expected is read as a name.
    check(&stream(&[&function, b"U\x02osU\x06system\x93"]), "PKL101");
    // What pandas puts around an array holds one that was checked.
    let class = global("pandas.arrays", "ArrowStringArray");
    let around = |array: &[u8]| stream(&[&class, b")\x81}", &text("_pa_array"), array, b"sb"]);
    sound(&around(&texts().opcodes(changeable)));
    check(&around(b"]"), "PKL107");
    check(&stream(&[&class, b")\x81}b"]), "PKL107");
    check(&stream(&[&function, b"\x85"]), "PKL102");
}
