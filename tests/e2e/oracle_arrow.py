"""Arrow's arrays in pickles: pyarrow's own validation against Tagship, on arrays of every listed kind with forged parts.

pyarrow makes an array of a pickle without a check, and validates when it is asked to: what it calls invalid may not pass.
"""

import pickle
import random
import struct
from typing import NamedTuple

import pyarrow
from oracle_judge import Comparison, is_pass

TYPES = (
    (pyarrow.string(), "i", 0),
    (pyarrow.large_string(), "q", 0),
    (pyarrow.binary(), "i", 0),
    (pyarrow.large_binary(), "q", 0),
    (pyarrow.bool_(), "", 1),
    (pyarrow.int8(), "", 8),
    (pyarrow.float16(), "", 16),
    (pyarrow.int32(), "", 32),
    (pyarrow.float64(), "", 64),
    (pyarrow.timestamp("ns", "UTC"), "", 64),
)


class Case(NamedTuple):
    label: str
    data: bytes


class Parts(NamedTuple):
    """What pyarrow makes an array of."""

    kind: pyarrow.DataType
    length: int
    nulls: int
    offset: int
    buffers: list[bytes | None]

    def made(self, mutable: bool):
        return [None if data is None else pyarrow.py_buffer(bytearray(data) if mutable else data) for data in self.buffers]

    def refusal(self) -> Exception | None:
        """Why pyarrow refuses it, where it is asked to look."""
        try:
            if self.length < 0 or self.offset < 0:
                raise ValueError("a negative length or offset")
            array = pyarrow.Array.from_buffers(self.kind, self.length, self.made(False), self.nulls, self.offset)
            array.validate(full=True)
        except (pyarrow.ArrowException, ValueError) as error:
            return error
        return None


class Restored:
    """Pickles as an array with these parts does."""

    def __init__(self, parts: Parts, mutable: bool):
        self.arguments = (parts.kind, parts.length, parts.nulls, parts.offset, parts.made(mutable), [], None)

    def __reduce__(self):
        return pyarrow.lib._restore_array, (self.arguments,)


def written(chance: random.Random) -> Parts:
    kind, code, bits = chance.choice(TYPES)
    length, offset = chance.choice([0, 1, 2, 5, 8, 9, 16, 17]), chance.choice([0, 0, 1, 3, 7])
    present = [chance.random() < 0.7 for _ in range(offset + length)]
    validity = sum(one << at for at, one in enumerate(present)).to_bytes((len(present) + 7) // 8, "little")
    nulls = chance.choice([present[offset:].count(False), -1])
    if all(present):
        validity, nulls = None, 0
    if not code:
        return Parts(kind, length, nulls, offset, [validity, bytes((len(present) * bits + 7) // 8)])
    offsets = [0]
    for _ in present:
        offsets.append(offsets[-1] + chance.randrange(4))
    data = bytes(chance.choice(b"abcxyz") for _ in range(offsets[-1]))
    return Parts(kind, length, nulls, offset, [validity, struct.pack(f"<{len(offsets)}{code}", *offsets), data])


def forged(chance: random.Random, parts: Parts) -> Parts:
    """The same with one part that says something else."""
    which = chance.randrange(8)
    if which == 0:
        return parts._replace(length=parts.length + chance.choice([-1, 1, 2, 9, 1000, -100, 2**31 - 100]))
    if which == 1:
        return parts._replace(offset=parts.offset + chance.choice([-1, 1, 2, 8, 100, 2**31 - 100]))
    if which == 2:
        return parts._replace(nulls=parts.nulls + chance.choice([-2, -1, 1, 3, 1000]))
    if which == 3:
        return parts._replace(kind=chance.choice(TYPES)[0])
    buffers = list(parts.buffers)
    at = chance.randrange(len(buffers))
    data = bytearray(buffers[at] or b"")
    if which == 4:
        buffers[at] = bytes(data[: chance.randrange(len(data) + 1)])
    elif which == 5:
        buffers[at] = bytes(data) + bytes(chance.randrange(1, 9))
    elif which == 6:
        buffers[at] = None
    elif data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        buffers[at] = bytes(data)
    return parts._replace(buffers=buffers)


def run(tagship: str) -> bool:
    comparison = Comparison(tagship, "arrow", "pkl")
    chance = random.Random(11)
    cases, refusals = [], []
    for at in range(3000):
        parts = written(chance)
        label = f"written {at}"
        if at >= 500:
            parts, label = forged(chance, parts), f"forged {at}"
        pickled = pickle.dumps(Restored(parts, chance.random() < 0.5), protocol=chance.choice([3, 4, 5]))
        cases.append(Case(label, pickled))
        refusals.append(parts.refusal())
    for (case, report), refused in zip(comparison.judge(cases), refusals):
        comparison.count("refused by the library" if refused else "valid to the library")
        if refused and is_pass(report):
            comparison.complain(case, report, f"refused ({refused}), and passes")
        elif case.label.startswith("written") and not is_pass(report):
            comparison.complain(case, report, "written by the library, and no pass")
    return comparison.finish()
