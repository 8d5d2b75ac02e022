//! Sound containers around an input, so that it is the input that is judged.

use super::checksum::{crc32, masked_crc32c};

/// A zip archive with stored members.
pub(super) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let start = four(file.len());
        let common = [
            &[0x14, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..],
            &crc32(bytes).to_le_bytes(),
            &four(bytes.len()),
            &four(bytes.len()),
            &two(name.len()),
            &[0, 0],
        ]
        .concat();
        file.extend([b"PK\x03\x04", &common[..], name.as_bytes(), bytes].concat());
        let place = [&[0; 10][..], &start, name.as_bytes()].concat();
        directory.extend([b"PK\x01\x02\x14\x00", &common[..], &place].concat());
    }
    let (start, size, count) = (four(file.len()), four(directory.len()), two(members.len()));
    [&file[..], &directory, b"PK\x05\x06\0\0\0\0", &count, &count, &size, &start, &[0, 0]].concat()
}

/// An array of numpy of this type and shape, as Python writes them.
pub(super) fn array(kind: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\0", &two(header.len())[..], header.as_bytes(), elements].concat()
}

/// A tar archive with one member.
pub(super) fn tar(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 512];
    file[..name.len()].copy_from_slice(name.as_bytes());
    file[100..108].copy_from_slice(b"0000644\0");
    file[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
    file[156] = b'0';
    file.extend(bytes);
    file.resize(file.len().next_multiple_of(512) + 1024, 0);
    tar_header(&mut file[..512]);
    file
}

/// Gives a header of a tar archive its mark and checksum.
pub(super) fn tar_header(block: &mut [u8]) {
    block[257..265].copy_from_slice(b"ustar\x0000");
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// The index of a TensorFlow checkpoint around the bytes of its one block of entries.
pub(super) fn table(block: &[u8]) -> Vec<u8> {
    let sealed = |block: &[u8]| {
        let block = [block, &[0]].concat();
        [&block[..], &masked_crc32c(&block).to_le_bytes()].concat()
    };
    let data = sealed(block);
    let place = [varint(0), varint(block.len())].concat();
    let entry = [&[0, 1, u8::try_from(place.len()).unwrap_or(0)][..], b"z", &place].concat();
    let index = [&entry[..], &[0, 0, 0, 0, 1, 0, 0, 0]].concat();
    let mut footer = [[0, 0].to_vec(), varint(data.len()), varint(index.len())].concat();
    footer.resize(40, 0);
    [&data[..], &sealed(&index), &footer, &TABLE_END].concat()
}

/// The number at the end of a table.
pub(super) const TABLE_END: [u8; 8] = 0xdb47_7524_8b80_fb57_u64.to_le_bytes();

fn varint(mut value: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
    out
}

/// A length in four bytes; a fuzzer's inputs are shorter than that can tell.
pub(super) fn four(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

fn two(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes()
}
