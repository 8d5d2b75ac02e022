"""Safetensors: the library that defines the format against Tagship, on what it writes and on what became of that."""

import json
import random
import struct
from typing import NamedTuple

import numpy
import safetensors
import safetensors.numpy
from oracle_judge import Comparison, is_damaged, is_pass

# Where Tagship is stricter than the library on purpose, and why.
STRICTER = (
    ("INT307", "", "a doubled key: the library takes the last, others the first"),
    ("INT302", "unknown field", "a field that the format does not have: the library passes over what it holds"),
    ("INT302", "invalid type: null", "`null` metadata: the format says an object of texts"),
)


class Case(NamedTuple):
    label: str
    data: bytes


def opens(data: bytes) -> Exception | None:
    """Why the library refuses a file."""
    try:
        for name, _tensor in safetensors.deserialize(data):
            str(name)
    except Exception as error:
        return error
    return None


def stricter(report: dict) -> bool:
    return any(finding["rule"] == rule and text in finding["message"] for rule, text, _why in STRICTER for finding in report["findings"])


def written(chance: random.Random) -> bytes:
    types = [numpy.float32, numpy.float16, numpy.float64, numpy.int8, numpy.uint8, numpy.int64, numpy.bool_, numpy.uint16]
    tensors = {}
    for at in range(chance.choice([0, 1, 2, 5, 12])):
        shape = [chance.randrange(0, 5) for _ in range(chance.randrange(4))]
        values = numpy.arange(int(numpy.prod(shape))) % 2
        tensors[f"layer.{at}.weight"] = values.reshape(shape).astype(chance.choice(types))
    # Empty metadata without tensors is a header that is no JSON, in release 0.8.0.
    metadata = chance.choice([None, {} if tensors else None, {"format": "pt"}, {"note": "épochs \n 3", "x": "y" * 90}])
    return safetensors.numpy.save(tensors, metadata=metadata)


def parts(data: bytes) -> tuple[dict, bytes]:
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def joined(header, body: bytes) -> bytes:
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + body


def edited(chance: random.Random, data: bytes) -> bytes:
    """One entry of the header says something else."""
    header, body = parts(data)
    tensors = [name for name in header if name != "__metadata__"]
    if not tensors:
        return joined(header, body + b"x")
    name = chance.choice(tensors)
    entry = header[name]
    kind = chance.randrange(12)
    if kind == 0:
        entry["dtype"] = chance.choice(["F32", "F99", "f32", "", "I8", "BF16", 3, None])
    elif kind == 1:
        entry["shape"] = chance.choice([[2**63], [2**64], [-1], [0], [1.5], ["1"], None, [2**32, 2**32], [1, 2]])
    elif kind == 2:
        entry["data_offsets"][chance.randrange(2)] += chance.choice([-1, 1, 4, 2**63, 2**64, -(2**63)])
    elif kind == 3:
        entry["data_offsets"] = chance.choice([[], [0], [0, 0, 0], None, "0", entry["data_offsets"][::-1], [0.0, 4.0]])
    elif kind == 4:
        del entry[chance.choice(list(entry))]
    elif kind == 5:
        entry["extra"] = chance.choice([1, "x", {}])
    elif kind == 6:
        header["__metadata__"] = chance.choice([[], 3, None, {"a": 1}, {"a": None}, {"a": {"b": "c"}}, "x", {"a": "b"}])
    elif kind == 7:
        body = chance.choice([body + b"x", body[:-1], b"", body * 2])
    elif kind == 8:
        header["again"] = dict(entry)
    elif kind == 9:
        header = dict(reversed(list(header.items())))
    elif kind == 10:
        text = json.dumps(header).encode()
        header = chance.choice([text + b" " * 7, b" " + text, text + b"\n", text + b"\x00", b"[" + text + b"]", text + b"{}", text[:-1] + b",}"])
    else:
        text = json.dumps(header)
        header = (text[:-1] + ", " + json.dumps(name) + ": " + json.dumps(entry) + "}").encode()
    return joined(header, body)


def flipped(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    end = 8 + struct.unpack("<Q", data[:8])[0]
    kind = chance.randrange(4)
    if kind == 0:
        return bytes(changed[: chance.randrange(len(changed))])
    if kind == 1:
        changed[chance.randrange(8)] ^= 1 << chance.randrange(8)
    elif kind == 2:
        changed[chance.randrange(8, end)] ^= 1 << chance.randrange(8)
    else:
        at = chance.randrange(8, end)
        changed[at:at] = chance.choice([b" ", b"0", b"\x00", b"}", b'"', b"\\", b"-", b"1e3"])
    return bytes(changed)


def run(tagship: str) -> bool:
    comparison = Comparison(tagship, "safetensors", "safetensors")
    chance = random.Random(7)
    cases = [Case(f"written {at}", written(chance)) for at in range(200)]
    wholes = [case.data for case in cases]
    cases.extend(Case(f"edited {at}", edited(chance, chance.choice(wholes))) for at in range(1200))
    cases.extend(Case(f"flipped {at}", flipped(chance, chance.choice(wholes))) for at in range(1600))
    for case, report in comparison.judge(cases):
        refused = opens(case.data)
        comparison.count("refused by the library" if refused else "opened by the library")
        if refused and is_pass(report):
            comparison.complain(case, report, f"refused ({refused}), and passes")
        elif not refused and is_damaged(report) and not stricter(report):
            comparison.complain(case, report, "opened, and called damaged")
        elif case.label.startswith("written") and not is_pass(report):
            comparison.complain(case, report, "written by the library, and no pass")
    return comparison.finish()
