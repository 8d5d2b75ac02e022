"""HDF5: h5py, on the reference library, against Tagship.

The reference library may crash or hang on damaged files, so each is read in a child process of its own.
"""

import json
import os
import random
import signal
import tempfile
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy
from oracle_judge import Comparison, is_damaged, is_pass, rules

SECONDS = 5
# A type of its own for the model's settings makes a file of tensors a Keras model; these stay plain files.
LAYERS = ("dense", "conv", "norm")


class Case(NamedTuple):
    label: str
    data: bytes


def settings(units: int) -> str:
    layer = {"class_name": "Dense", "config": {"name": "dense", "units": units, "activation": "relu"}}
    first = {"class_name": "InputLayer", "config": {"name": "in", "batch_input_shape": [None, 3], "dtype": "float32"}}
    return json.dumps({"class_name": "Sequential", "config": {"name": "model", "layers": [first, layer]}})


def fill(file: h5py.File, chance: random.Random):
    """Layers with weights as Keras stores them, in every layout that h5py has."""
    file.attrs["model_config"] = settings(chance.randrange(1, 9))
    file.attrs["keras_version"] = "2.15.0"
    file.attrs["backend"] = "tensorflow"
    file.attrs["note"] = chance.choice(["", "trained at night"])
    file.attrs.create("tags", ["x", "", "yy"], dtype=h5py.string_dtype())
    file.attrs.create("steps", numpy.array([numpy.arange(3), numpy.arange(0)], dtype=object), dtype=h5py.vlen_dtype("i4"))
    group = file.create_group("model_weights")
    group.attrs["layer_names"] = numpy.array([name.encode() for name in LAYERS])
    for at, name in enumerate(LAYERS):
        layer = group.create_group(name)
        layer.attrs["weight_names"] = numpy.array([b"kernel:0", b"bias:0"])
        rows = chance.choice([3, 40])
        kernel = numpy.arange(rows * 8, dtype="f4").reshape(rows, 8)
        layout = chance.choice([{}, {"chunks": (3, 4)}, {"compression": "gzip"}, {"compression": "gzip", "shuffle": True},
                                {"fletcher32": True}, {"chunks": (3, 8), "maxshape": (None, 8)}, {"compression": "lzf"}])
        layer.create_dataset("kernel:0", data=kernel, **layout)
        layer.create_dataset("bias:0", data=numpy.zeros(8, chance.choice(["f4", "f8", "f2", "i8"])), track_times=False)
        if at == 1:
            layer.create_dataset("scalar", data=chance.random())
            layer.create_dataset("empty", data=numpy.zeros((0, 4), "f4"))
    extra = file.create_group("optimizer_weights", track_order=chance.random() < 0.5)
    for at in range(chance.choice([0, 3, 30])):
        extra.create_dataset(f"slot{at:02}", data=numpy.full(2, at, "f4"))
    # What was taken away or renamed leaves room in the names of a group, and in its trees.
    for name in chance.sample(list(extra), len(extra) // 3):
        del extra[name]
    for at, name in enumerate(chance.sample(list(extra), len(extra) // 4)):
        extra.move(name, f"renamed{at}")
    spread = file.create_dataset("spread", (200, 30), chunks=(7, 9), maxshape=(None, 30), dtype="f4")
    for _ in range(chance.choice([0, 5, 60])):
        spread[chance.randrange(200), chance.randrange(30)] = 1
    spread.resize((chance.choice([50, 200, 400]), 30))


def written(chance: random.Random, library: str) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "model.h5"
        with h5py.File(path, "w", libver=library) as file:
            fill(file, chance)
        return path.read_bytes()


def walk(path: str, elements: bool):
    """Reads every attribute and shape, and every element too where that is asked for."""
    with h5py.File(path, "r") as file:
        dict(file.attrs.items())

        def visit(_name, node):
            dict(node.attrs.items())
            if isinstance(node, h5py.Dataset):
                str((node.shape, node.dtype))
                if elements:
                    node[()]

        file.visititems(visit)


def reads(data: bytes, elements: bool) -> bool:
    with tempfile.NamedTemporaryFile(suffix=".h5") as file:
        file.write(data)
        file.flush()
        child = os.fork()
        if child == 0:
            signal.alarm(SECONDS)
            try:
                walk(file.name, elements)
            except BaseException:
                os._exit(1)
            os._exit(0)
        return os.waitpid(child, 0)[1] == 0


def damaged(chance: random.Random, data: bytes) -> tuple[str, bytes]:
    changed = bytearray(data)
    kind = chance.randrange(3)
    if kind == 0:
        return "cut", data[: chance.randrange(1, len(data))]
    # Half of the changes in the first kilobyte, where the superblock and the root are.
    at = chance.randrange(min(1024, len(data)) if chance.random() < 0.5 else len(data))
    if kind == 1:
        changed[at] ^= 1 << chance.randrange(8)
        return "flip", bytes(changed)
    changed[at : at + 8] = chance.choice([b"\xff" * 8, bytes(8)])
    return "field", bytes(changed)


def run(tagship: str) -> bool:
    comparison = Comparison(tagship, "hdf5", "h5")
    chance = random.Random(9)
    cases = [Case(f"written {library} {at}", written(chance, library)) for library in ("earliest", "latest") for at in range(40)]
    wholes = [(case.label.split()[1], case.data) for case in cases]
    for at in range(700):
        library, whole = chance.choice(wholes)
        what, data = damaged(chance, whole)
        cases.append(Case(f"{what} {library} {at}", data))
    for case, report in comparison.judge(cases):
        readable = reads(case.data, elements=True)
        comparison.count("read by h5py" if readable else "not read by h5py")
        if case.label.startswith("written"):
            # Links in a heap of their own and the newer indices of chunks are not followed: said, and not a pass.
            comparison.count("as written, passed" if is_pass(report) else "as written, not followed to the end")
            if not is_pass(report) and rules(report) != ["HDF201"]:
                comparison.complain(case, report, "written by the library, and no pass")
        elif is_pass(report) and not readable and reads(case.data, elements=False):
            # What a compressed chunk holds, or its place among the others, is not looked at: a gap that is known.
            comparison.count("passed, and elements cannot be read")
        elif is_pass(report) and (not readable or case.label.startswith("cut")):
            comparison.complain(case, report, "cannot be read as a whole, and passes")
        elif readable and is_damaged(report):
            comparison.count("read by h5py and called damaged")
    return comparison.finish()
