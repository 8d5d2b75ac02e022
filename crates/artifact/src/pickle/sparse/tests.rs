//! Sparse matrices of three rows and four columns, in the ways in which pickles carry their arrays.

use crate::build::{judge, passes, rules, unicode};

/// How a pickle carries the bytes of an array.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Carried {
    Bytes,
    Text,
    /// As Python 2 writes them.
    Plain,
    Buffer,
    Joblib,
}

pub(in super::super) const ALL: [Carried; 5] =
    [Carried::Bytes, Carried::Text, Carried::Plain, Carried::Buffer, Carried::Joblib];

pub(in super::super) fn kind(name: &str, order: &str) -> Vec<u8> {
    [
        b"cnumpy\ndtype\n",
        &unicode(name)[..],
        b"\x89\x88\x87R(K\x03",
        &unicode(order),
        b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb",
    ]
    .concat()
}

pub(in super::super) fn shape(sizes: &[u8]) -> Vec<u8> {
    let sizes: Vec<u8> = sizes.iter().flat_map(|size| [b'K', *size]).collect();
    [b"(", &sizes[..], b"t"].concat()
}

pub(in super::super) fn array(bytes: &[u8], kind: &[u8], sizes: &[u8], how: Carried) -> Vec<u8> {
    let shape = shape(sizes);
    let plain = [b"B", &u32::try_from(bytes.len()).unwrap().to_le_bytes()[..], bytes].concat();
    let made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R";
    let set = |carried: &[u8]| [&made[..], b"(K\x01", &shape, kind, b"\x89", carried, b"tb"].concat();
    match how {
        Carried::Bytes => set(&plain),
        Carried::Text => {
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            set(&[b"c_codecs\nencode\n", &unicode(&text)[..], &unicode("latin1"), b"\x86R"].concat())
        }
        Carried::Plain => set(&[b"T", &plain[1..]].concat()),
        Carried::Buffer => {
            [b"cnumpy._core.numeric\n_frombuffer\n(", &plain[..], kind, &shape, &unicode("C"), b"tR"].concat()
        }
        Carried::Joblib => [
            b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(",
            &unicode("subclass")[..],
            b"cnumpy\nndarray\n",
            &unicode("shape"),
            &shape,
            &unicode("order"),
            &unicode("C"),
            &unicode("dtype"),
            kind,
            &unicode("allow_mmap"),
            b"\x88",
            &unicode("numpy_array_alignment_bytes"),
            b"K\x10ub\x01\xff",
            bytes,
        ]
        .concat(),
    }
}

pub(in super::super) fn narrow(numbers: &[i32], how: Carried) -> Vec<u8> {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    array(&bytes, &kind("i4", "<"), &[u8::try_from(numbers.len()).unwrap()], how)
}

fn wide(numbers: &[i64]) -> Vec<u8> {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    array(&bytes, &kind("i8", "<"), &[u8::try_from(numbers.len()).unwrap()], Carried::Bytes)
}

/// So many values, in so many rows and columns each where they are blocks.
pub(in super::super) fn values(sizes: &[u8]) -> Vec<u8> {
    let count: usize = sizes.iter().map(|size| usize::from(*size)).product();
    array(&vec![0; 8 * count], &kind("f8", "<"), sizes, Carried::Bytes)
}

fn matrix(class: &str, parts: &[(&str, &[u8])]) -> Vec<u8> {
    let items: Vec<u8> = parts.iter().flat_map(|(key, value)| [&unicode(key)[..], value].concat()).collect();
    [b"\x80\x04cscipy.sparse.", class.as_bytes(), b"\n)\x81}(", &items, b"ub."].concat()
}

pub(in super::super) fn by_rows(class: &str, starts: &[u8], indices: &[u8], count: u8) -> Vec<u8> {
    let (extent, data) = (shape(&[3, 4]), values(&[count]));
    matrix(class, &[("_shape", &extent), ("indices", indices), ("indptr", starts), ("data", &data)])
}

pub(in super::super) fn passed(pickle: &[u8], what: &str) {
    let report = judge("m.pkl", pickle);
    assert!(passes(&report), "{what}: {:?}", report.findings);
}

pub(in super::super) fn refused(pickle: &[u8], rule: &str, what: &str) {
    let report = judge("m.pkl", pickle);
    assert!(rules(&report).contains(&rule), "{what}: {:?}", report.findings);
}

#[test]
fn indices_of_a_matrix_lead_to_what_it_has() {
    for how in ALL {
        let of = |starts: &[i32], indices: &[i32], count| {
            by_rows("_csr\ncsr_matrix", &narrow(starts, how), &narrow(indices, how), count)
        };
        passed(&of(&[0, 2, 2, 3], &[0, 3, 1], 3), &format!("{how:?}"));
        passed(&of(&[0, 2, 2, 2], &[0, 3, 2], 3), "room that is not used");
        for (starts, indices, count) in [
            (&[0, 2, 2, 3][..], &[0, 4, 1][..], 3),
            (&[0, 2, 2, 3], &[0, -1, 1], 3),
            (&[0, 2, 2, 4], &[0, 3, 1], 3),
            (&[0, 2, 2, 3], &[0, 3, 1], 2),
            (&[0, 2, 1, 3], &[0, 3, 1], 3),
            (&[1, 2, 2, 3], &[0, 3, 1], 3),
            (&[-1, 2, 2, 3], &[0, 3, 1], 3),
            (&[0, 2, 3], &[0, 3, 1], 3),
            (&[0, 2, 2, 2, 3], &[0, 3, 1], 3),
        ] {
            refused(
                &of(starts, indices, count),
                "PKL107",
                &format!("{how:?} {starts:?} {indices:?} {count}"),
            );
        }
    }
    let (starts, indices) = (wide(&[0, 2, 2, 3]), wide(&[0, 3, 1]));
    passed(&by_rows("_csr\ncsr_array", &starts, &indices, 3), "wide");
    refused(&by_rows("_csr\ncsr_array", &starts, &wide(&[0, 1 << 40, 1]), 3), "PKL107", "wide");
}

#[test]
fn columns_blocks_and_places_are_held_against_the_shape_too() {
    let plain = |numbers: &[i32]| narrow(numbers, Carried::Bytes);
    let columns = |indices: &[i32]| by_rows("csc\ncsc_matrix", &plain(&[0, 1, 1, 2, 3]), &plain(indices), 3);
    passed(&columns(&[2, 0, 1]), "columns");
    refused(&columns(&[3, 0, 1]), "PKL107", "columns");

    let blocks = |indices: &[i32], data: &[u8]| {
        let (extent, starts) = (shape(&[4, 6]), plain(&[0, 1, 2]));
        let parts: [(&str, &[u8]); 4] =
            [("_shape", &extent), ("indices", &plain(indices)), ("indptr", &starts), ("data", data)];
        matrix("_bsr\nbsr_matrix", &parts)
    };
    passed(&blocks(&[0, 1], &values(&[2, 2, 3])), "blocks");
    refused(&blocks(&[0, 2], &values(&[2, 2, 3])), "PKL107", "blocks");
    refused(&blocks(&[0, 1], &values(&[1, 2, 3])), "PKL107", "fewer blocks");
    refused(&blocks(&[0, 1], &values(&[2, 3, 3])), "PKL107", "blocks of another size");

    let places = |row: &[i32], column: &[i32]| {
        let (extent, data) = (shape(&[3, 4]), values(&[2]));
        let parts: [(&str, &[u8]); 4] =
            [("_shape", &extent), ("row", &plain(row)), ("col", &plain(column)), ("data", &data)];
        matrix("_coo\ncoo_matrix", &parts)
    };
    passed(&places(&[0, 2], &[3, 3]), "places");
    refused(&places(&[0, 3], &[3, 3]), "PKL107", "rows");
    refused(&places(&[0, 2], &[3, -3]), "PKL107", "columns");
    refused(&places(&[0], &[3]), "PKL107", "fewer places than values");
    let pair = [&plain(&[0, 2])[..], &plain(&[3, 4]), b"\x86"].concat();
    let (extent, data) = (shape(&[3, 4]), values(&[2]));
    let parts: [(&str, &[u8]); 3] = [("_shape", &extent), ("coords", &pair), ("data", &data)];
    refused(&matrix("_coo\ncoo_array", &parts), "PKL107", "pairs");
}

#[test]
fn diagonals_are_as_many_as_their_offsets() {
    let of = |offsets: &[i32], data: &[u8]| {
        let (extent, offsets) = (shape(&[3, 4]), narrow(offsets, Carried::Bytes));
        matrix("_dia\ndia_matrix", &[("_shape", &extent), ("offsets", &offsets), ("data", data)])
    };
    passed(&of(&[0, -2, 3], &values(&[3, 4])), "diagonals");
    refused(&of(&[0, -2, 3], &values(&[2, 4])), "PKL107", "fewer diagonals");
    refused(&of(&[0, -2], &values(&[3, 4])), "PKL107", "fewer offsets");
    refused(&of(&[0, -4, 3], &values(&[3, 4])), "PKL107", "below");
    refused(&of(&[0, 2, 5], &values(&[3, 4])), "PKL107", "above");
    refused(&of(&[0, 2, 1], &values(&[3, 2, 2])), "PKL107", "blocks");
}

#[test]
fn what_is_not_followed_is_no_pass() {
    let plain = |numbers: &[i32]| narrow(numbers, Carried::Bytes);
    let (starts, indices) = (plain(&[0, 2, 2, 3]), plain(&[0, 3, 1]));
    let bytes: Vec<u8> = [0i32, 3, 1].iter().flat_map(|number| number.to_be_bytes()).collect();
    let other = array(&bytes, &kind("i4", ">"), &[3], Carried::Bytes);
    refused(&by_rows("_csr\ncsr_matrix", &starts, &other, 3), "PKL304", "another order of bytes");
    refused(&by_rows("_csr\ncsr_matrix", &starts, b"N", 3), "PKL304", "none");
    let early =
        [b"\x80\x04", &indices[..], b"q\x010", &by_rows("_csr\ncsr_matrix", &starts, b"h\x01", 3)[2..]];
    refused(&early.concat(), "PKL304", "an array from before the class was named");
    let (extent, data) = (shape(&[3, 4]), values(&[3]));
    let parts: [(&str, &[u8]); 3] = [("_shape", &extent), ("indices", &indices), ("data", &data)];
    refused(&matrix("_csr\ncsr_matrix", &parts), "PKL304", "no places of rows");
    let parts: [(&str, &[u8]); 3] = [("_shape", &extent), ("rows", b"N"), ("data", b"N")];
    refused(&matrix("_lil\nlil_matrix", &parts), "PKL304", "lists");
}

#[test]
fn bytes_of_python_2_are_not_taken_for_signs() {
    // As UTF-8, 0xc3 0x80 would stand for one byte and 0xff, which is no sign, for two: none of them would lead outside.
    let bytes = [0xc3, 0x80, 0, 1, 0, 0xff, 0, 0];
    let indices = array(&bytes, &kind("i4", "<"), &[2], Carried::Plain);
    let data = values(&[2]);
    let extent = [b"(K\x03J", &(1i32 << 24).to_le_bytes()[..], b"t"].concat();
    let starts = narrow(&[0, 1, 2, 2], Carried::Plain);
    let parts: [(&str, &[u8]); 4] =
        [("_shape", &extent), ("indices", &indices), ("indptr", &starts), ("data", &data)];
    refused(&matrix("_csr\ncsr_matrix", &parts), "PKL107", "0x10080c3");
}

#[test]
fn an_array_does_not_change_once_a_matrix_holds_it() {
    let plain = |numbers: &[i32]| narrow(numbers, Carried::Bytes);
    let starts = plain(&[0, 2, 2, 3]);
    let kept = [&plain(&[0, 3, 1])[..], b"q\x05"].concat();
    let sound = by_rows("_csr\ncsr_matrix", &starts, &kept, 3);
    let hostile = plain(&[0, 99, 1]);
    let state = hostile.windows(3).position(|three| three == b"(K\x01").unwrap();
    let again = [&sound[..sound.len() - 1], b"h\x05", &hostile[state..], b"0."].concat();
    refused(&again, "PKL304", "a second state");
}
