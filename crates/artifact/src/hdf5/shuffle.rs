//! The filter that puts the first bytes of all elements first, then all second ones, and so on (`H5Zshuffle.c` of HDF5).

/// The bytes in the order of the elements again.
pub(super) fn undone(shuffled: &[u8], size: u32) -> Vec<u8> {
    let size = (size as usize).max(1);
    let elements = shuffled.len() / size;
    let mut out = Vec::new();
    for element in 0..elements {
        out.extend((0..size).filter_map(|byte| shuffled.get(byte * elements + element)));
    }
    // What does not fill an element stays at the end.
    out.extend(shuffled.get(elements * size..).unwrap_or(&[]));
    out
}
