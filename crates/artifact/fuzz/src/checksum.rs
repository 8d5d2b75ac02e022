//! Checksums that formats carry, so that an input gets behind them.

/// CRC-32 with a reflected polynomial, bit by bit: inputs are small.
fn crc(polynomial: u32, bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ polynomial } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), bit))
}

/// The checksum of zip archives.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    crc(0xedb8_8320, bytes)
}

/// CRC-32C as TensorFlow stores it.
pub(super) fn masked_crc32c(bytes: &[u8]) -> u32 {
    crc(0x82f6_3b78, bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}
