//! Element types of tensors (`TensorProto.DataType`): their names, and how many bytes or entries their data has.

/// One element type of `TensorProto.DataType`.
pub(super) struct Kind {
    pub(super) number: u64,
    pub(super) name: &'static str,
    /// Bits of an element in raw data; zero where raw data is not allowed.
    pub(super) bits: u64,
    /// Which of the typed fields 4, 5, 6, 7, 10 and 11 holds it.
    pub(super) slot: usize,
    /// Elements per entry of the typed field: below one entry for packed types, half for complex ones.
    packed: u64,
    halves: bool,
}

const fn kind(number: u64, name: &'static str, bits: u64, slot: usize) -> Kind {
    Kind { number, name, bits, slot, packed: 1, halves: false }
}

const fn packed(number: u64, name: &'static str, bits: u64, per_entry: u64) -> Kind {
    Kind { number, name, bits, slot: 1, packed: per_entry, halves: false }
}

const fn complex(number: u64, name: &'static str, bits: u64, slot: usize) -> Kind {
    Kind { number, name, bits, slot, packed: 1, halves: true }
}

/// Element types with the Open Inference Protocol's name, or one in its manner.
pub(super) const KINDS: &[Kind] = &[
    kind(1, "FP32", 32, 0),
    kind(2, "UINT8", 8, 1),
    kind(3, "INT8", 8, 1),
    kind(4, "UINT16", 16, 1),
    kind(5, "INT16", 16, 1),
    kind(6, "INT32", 32, 1),
    kind(7, "INT64", 64, 3),
    kind(8, "BYTES", 0, 2),
    kind(9, "BOOL", 8, 1),
    kind(10, "FP16", 16, 1),
    kind(11, "FP64", 64, 4),
    kind(12, "UINT32", 32, 5),
    kind(13, "UINT64", 64, 5),
    complex(14, "COMPLEX64", 64, 0),
    complex(15, "COMPLEX128", 128, 4),
    kind(16, "BF16", 16, 1),
    kind(17, "FP8E4M3FN", 8, 1),
    kind(18, "FP8E4M3FNUZ", 8, 1),
    kind(19, "FP8E5M2", 8, 1),
    kind(20, "FP8E5M2FNUZ", 8, 1),
    packed(21, "UINT4", 4, 2),
    packed(22, "INT4", 4, 2),
    packed(23, "FP4E2M1", 4, 2),
    kind(24, "FP8E8M0", 8, 1),
    packed(25, "UINT2", 2, 4),
    packed(26, "INT2", 2, 4),
];

impl Kind {
    pub(super) fn bytes(&self, elements: u64) -> Option<u64> {
        Some(elements.checked_mul(self.bits)?.div_ceil(8))
    }

    pub(super) fn typed_elements(&self, elements: u64) -> Option<u64> {
        if self.halves { elements.checked_mul(2) } else { Some(elements.div_ceil(self.packed)) }
    }
}

/// The name of an element type; `None` where it is not known.
pub(super) fn kind_name(number: u64) -> Option<&'static str> {
    KINDS.iter().find(|kind| kind.number == number).map(|kind| kind.name)
}
