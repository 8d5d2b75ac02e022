//! Element types: how many elements a block holds, and its bytes (ggml's `ggml.h` and `ggml-common.h`).

use crate::weights::Float;

/// Id, elements per block, bytes per block. Ids that are missing were withdrawn.
const TYPES: &[(u64, u64, u64)] = &[
    (0, 1, 4),
    (1, 1, 2),
    (2, 32, 18),
    (3, 32, 20),
    (6, 32, 22),
    (7, 32, 24),
    (8, 32, 34),
    (9, 32, 36),
    (10, 256, 84),
    (11, 256, 110),
    (12, 256, 144),
    (13, 256, 176),
    (14, 256, 210),
    (15, 256, 292),
    (16, 256, 66),
    (17, 256, 74),
    (18, 256, 98),
    (19, 256, 50),
    (20, 32, 18),
    (21, 256, 110),
    (22, 256, 82),
    (23, 256, 136),
    (24, 1, 1),
    (25, 1, 2),
    (26, 1, 4),
    (27, 1, 8),
    (28, 1, 8),
    (29, 256, 56),
    (30, 1, 2),
    (34, 256, 54),
    (35, 256, 66),
    (39, 32, 17),
    (40, 64, 36),
];

/// Highest id that was ever given out.
pub(super) const LAST: u64 = 40;

/// The name of a type, as ggml prints it; its id where it is not known here.
pub(super) fn name(id: u64) -> String {
    let names = [
        "F32", "F16", "Q4_0", "Q4_1", "", "", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
        "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8",
        "I16", "I32", "I64", "F64", "IQ1_M", "BF16", "", "", "", "TQ1_0", "TQ2_0", "", "", "", "MXFP4",
    ];
    let known = usize::try_from(id).ok().and_then(|id| names.get(id)).filter(|name| !name.is_empty());
    known.map_or_else(|| format!("type {id}"), |name| (*name).to_owned())
}

/// Elements and bytes per block of a type.
pub(super) fn block(id: u64) -> Option<(u64, u64)> {
    TYPES.iter().find(|(known, _, _)| *known == id).map(|(_, elements, bytes)| (*elements, *bytes))
}

/// The floating-point type behind an id, where it is a plain one.
pub(super) fn float(id: u64) -> Option<Float> {
    match id {
        0 => Some(Float::F32),
        1 => Some(Float::F16),
        28 => Some(Float::F64),
        30 => Some(Float::Bf16),
        _ => None,
    }
}
