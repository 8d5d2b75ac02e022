#!/usr/bin/env python3
"""Writes the files that scanners are compared on: hostile ones, assembled by hand, and benign ones, by real libraries.

    scanner_files.py DIRECTORY

`files.json` in it lists them with kind, family and path. Nothing hostile is ever loaded. By fixed seeds: the same files each time.
"""

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import gguf
import h5py
import joblib
import numpy
import onnx
import py7zr
import safetensors.numpy
from hostile_pickles import blob, call, corpus, pickled, stacked, text
from oracle_onnx import MODELS, perceptron

BAD = pickled(call(stacked("posix", "system"), text("echo tagship")))
TEMPLATE = "{% for x in ().__class__.__base__.__subclasses__() %}{{ x.__init__.__globals__['os'].popen('echo') }}{% endfor %}"
LAMBDA = {"module": "keras.layers", "class_name": "Lambda", "registered_name": None, "config": {
    "name": "lambda", "function": {"class_name": "__lambda__", "config": {"code": "4wEAAAAA", "defaults": None, "closure": None}}}}


class Files:
    def __init__(self, root: Path):
        self.root, self.list = root, []

    def place(self, kind: str, family: str, name: str) -> Path:
        path = self.root / kind / family.replace(" ", "-") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        judged = path.parent if path.name == "saved_model.pb" else path
        self.list.append({"kind": kind, "family": family, "path": str(judged)})
        return path

    def hostile(self, family: str, name: str, data: bytes):
        self.place("hostile", family, name).write_bytes(data)

    def benign(self, family: str, name: str) -> Path:
        return self.place("benign", family, name)


def archive(members: dict[str, bytes], method=zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, data in members.items():
            made.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def tape(members: dict[str, bytes], mode="w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as made:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            made.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def torch_zip(data: bytes, **others: bytes) -> dict[str, bytes]:
    return {"model/data.pkl": data, "model/byteorder": b"little", "model/version": b"3\n", **others}


def patched(data: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """Every zip header of a kind with other bytes at an offset."""
    changed, at = bytearray(data), 0
    while (at := data.find(signature, at)) >= 0:
        changed[at + offset : at + offset + len(value)] = value
        at += 4
    return bytes(changed)


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


def hostile_archives(files: Files):
    whole = archive(torch_zip(BAD))
    for name, data in {
        "plain.pt": whole, "plain.bin": whole, "deflated.pt": archive(torch_zip(BAD), zipfile.ZIP_DEFLATED),
        "encrypted-flag.pt": patched(patched(whole, LOCAL, 6, b"\x01"), CENTRAL, 8, b"\x01"),
        "patch-flag.pt": patched(patched(whole, LOCAL, 6, b"\x20"), CENTRAL, 8, b"\x20"),
        "bad-checksum.pt": patched(patched(whole, CENTRAL, 16, b"\1\2\3\4"), LOCAL, 14, b"\1\2\3\4"),
        "name-mismatch.pt": whole.replace(b"model/data.pkl", b"model/data.txt", 1),
        "behind-a-stub.pt": b"\x7fELF" + bytes(60) + whole,
        "pickle-in-a-storage.pt": archive(torch_zip(pickled(b"}"), **{"model/data/0": BAD})),
        "other-name.pt": archive(torch_zip(pickled(b"}"), **{"model/extra.txt": BAD})),
        "nested.zip": archive({"inner.zip": archive({"a.pkl": BAD})}), "upper-case.zip": archive({"A.PKL": BAD}),
        "no-extension.zip": archive({"weights": BAD}), "slip.zip": archive({"../../slip.pkl": pickled(b"}")}),
        "plain.tar": tape({"model.pkl": BAD}), "compressed.tar.gz": tape({"model.pkl": BAD}, "w:gz"),
        "slip.tar": tape({"../../slip": b"x"}), "nested.tar": tape({"inner.zip": archive({"a.pkl": BAD})}),
        "model.nemo": tape({"model_config.yaml": b"_target_: os.system\ncommand: echo\n", "model_weights.ckpt": whole}),
    }.items():
        files.hostile("archives and PyTorch", name, data)
    path = files.place("hostile", "7z", "plain.7z")
    with py7zr.SevenZipFile(path, "w") as made:
        made.writestr(BAD, "model.pkl")
    legacy = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    files.hostile("archives and PyTorch", "legacy.pt", legacy + BAD + pickle.dumps([], 2))
    for name, data in {"gz": gzip.compress(BAD, mtime=0), "bz2": bz2.compress(BAD), "xz": lzma.compress(BAD), "z": zlib.compress(BAD),
                       "lzma": lzma.compress(BAD, lzma.FORMAT_ALONE)}.items():
        files.hostile("compressed (joblib)", f"model.pkl.{name}", data)
        files.hostile("compressed (joblib)", f"{name}.joblib", data)


def hostile_arrays(files: Files):
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (63 - (len(header) + 10) % 64 + 1 - 1) + b"\n"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + BAD
    files.hostile("numpy", "objects.npy", array)
    files.hostile("numpy", "objects.npz", archive({"a.npy": array}))
    files.hostile("numpy", "pickle-inside.npz", archive({"a.npy": BAD}))
    tensors = safetensors.numpy.save({"w": numpy.eye(2)})
    files.hostile("safetensors", "pickle-behind.safetensors", tensors + BAD)
    files.hostile("safetensors", "pickle-by-name.safetensors", BAD)
    entry = b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}'
    files.hostile("safetensors", "overlap.safetensors", struct.pack("<Q", len(entry)) + entry + bytes(6))


def hostile_graphs(files: Files):
    for name, location in {"parent": "../../../etc/passwd", "absolute": "/etc/passwd", "hidden-parent": "a/../../x", "link": "file:///etc/passwd"}.items():
        made = perceptron()
        tensor = made.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)
        files.hostile("ONNX", f"{name}.onnx", made.SerializeToString())
        if name == "parent":
            node = onnx.helper.make_node("Constant", [], ["unused"], value=tensor)
            other = perceptron()
            other.graph.node.append(node)
            files.hostile("ONNX", "parent-in-attribute.onnx", other.SerializeToString())
    made = perceptron()
    made.graph.node.append(onnx.helper.make_node("PyOp", ["x"], ["z"], domain="ai.onnx.contrib", module="os", compute="system"))
    made.opset_import.append(onnx.helper.make_opsetid("ai.onnx.contrib", 1))
    files.hostile("ONNX", "python-operator.onnx", made.SerializeToString())
    for operator in ("ReadFile", "WriteFile", "PyFunc", "EagerPyFunc", "MatchingFiles", "ImmutableConst", "ShellExecute"):
        field = lambda number, data: bytes([number << 3 | 2]) + varint(len(data)) + data
        node = field(1, field(1, b"node") + field(2, operator.encode()))
        files.hostile("TensorFlow", f"{operator}/saved_model.pb", b"\x08\x01" + field(2, field(2, node)))
        signature = field(1, field(1, b"function"))
        inside = field(2, field(1, signature + field(3, field(1, b"node") + field(2, operator.encode()))))
        files.hostile("TensorFlow", f"{operator}-function/saved_model.pb", b"\x08\x01" + field(2, field(2, field(1, field(1, b"a") + field(2, b"NoOp")) + inside)))


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def keras_config(*layers) -> dict:
    return {"module": "keras", "class_name": "Sequential", "registered_name": None, "config": {"name": "model", "layers": list(layers)}}


def hostile_keras(files: Files):
    nested = keras_config(keras_config(LAMBDA))
    foreign = {"module": "os", "class_name": "system", "registered_name": None, "config": {"command": "echo"}}
    activation = {"module": "keras.layers", "class_name": "Dense", "registered_name": None, "config": {"name": "d", "units": 1, "activation": {
        "module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"}}}
    for name, config in {"lambda": keras_config(LAMBDA), "nested-lambda": nested, "foreign-class": keras_config(foreign), "function": keras_config(activation)}.items():
        data = json.dumps(config).encode()
        metadata = json.dumps({"keras_version": "3.0.0", "date_saved": "2026-01-01@00:00:00"}).encode()
        weights = io.BytesIO()
        h5py.File(weights, "w").close()
        files.hostile("Keras", f"{name}.keras", archive({"metadata.json": metadata, "config.json": data, "model.weights.h5": weights.getvalue()}))
        files.hostile("Keras", f"{name}.json", data)
        with h5py.File(files.place("hostile", "Keras", f"{name}.h5"), "w") as made:
            made.attrs["model_config"] = data.decode()
            made.attrs["keras_version"] = "2.15.0"
            made.create_group("model_weights")


def gguf_file(path: Path, template: str):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("model")
    writer.add_block_count(1)
    writer.add_chat_template(template)
    writer.add_tensor("token_embd.weight", numpy.ones((4, 32), numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def hostile_templates(files: Files):
    gguf_file(files.place("hostile", "templates", "template.gguf"), TEMPLATE)
    joined = "{{ (messages|attr('__cla'+'ss__'))|attr('__mro__') }}"
    gguf_file(files.place("hostile", "templates", "joined.gguf"), joined)
    files.hostile("templates", "tokenizer_config.json", json.dumps({"chat_template": TEMPLATE, "tokenizer_class": "X"}).encode())
    schema = {"__class__": "system", "__module__": "posix", "__loader__": "FunctionNode", "content": {"module_path": "posix", "function": "system"}, "protocol": 2}
    files.hostile("skops", "function.skops", archive({"schema.json": json.dumps(schema).encode()}))
    files.hostile("skops", "pickle.skops", BAD)
    files.hostile("compressed (joblib)", "inside-bytes.pkl", pickled(call(stacked("pickle", "loads"), blob(BAD))))


def estimators():
    from sklearn import cluster, decomposition, ensemble, linear_model, naive_bayes, neighbors, neural_network, pipeline, preprocessing, svm, tree

    chance = numpy.random.default_rng(0)
    rows = chance.normal(size=(60, 4))
    labels = (rows[:, 0] > 0).astype(int)
    made = [linear_model.LogisticRegression(), linear_model.LinearRegression(), ensemble.RandomForestClassifier(5, random_state=0),
            ensemble.GradientBoostingClassifier(n_estimators=5), ensemble.HistGradientBoostingClassifier(max_iter=5), svm.SVC(),
            tree.DecisionTreeRegressor(), neighbors.KNeighborsClassifier(), naive_bayes.GaussianNB(), cluster.KMeans(2, random_state=0),
            decomposition.PCA(2), neural_network.MLPClassifier((4,), max_iter=5), preprocessing.StandardScaler(),
            pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge())]
    return rows, labels, [model.fit(rows, labels) for model in made]


def benign(files: Files):
    import lightgbm
    import pandas
    import skops.io
    import xgboost

    rows, labels, fitted = estimators()
    for model in fitted:
        name = type(model).__name__
        for protocol in (2, 4, 5):
            files.benign("scikit-learn pickle", f"{name}-{protocol}.pkl").write_bytes(pickle.dumps(model, protocol))
        joblib.dump(model, files.benign("joblib", f"{name}.joblib"))
        joblib.dump(model, files.benign("joblib", f"{name}-z.joblib"), compress=3)
        joblib.dump(model, files.benign("joblib", f"{name}.pkl.gz"), compress=("gzip", 3))
        skops.io.dump(model, files.benign("skops", f"{name}.skops"))
    booster = xgboost.XGBClassifier(n_estimators=3, max_depth=2).fit(rows, labels)
    booster.save_model(files.benign("XGBoost", "model.json"))
    booster.save_model(files.benign("XGBoost", "model.ubj"))
    files.benign("XGBoost", "model.pkl").write_bytes(pickle.dumps(booster))
    joblib.dump(booster, files.benign("XGBoost", "model.joblib"))
    light = lightgbm.LGBMClassifier(n_estimators=3, num_leaves=4, verbose=-1, min_child_samples=2).fit(rows, labels)
    light.booster_.save_model(files.benign("LightGBM", "model.txt"))
    files.benign("LightGBM", "model.pkl").write_bytes(pickle.dumps(light))
    joblib.dump(light, files.benign("LightGBM", "model.joblib"))
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": pandas.to_datetime(["2026-01-01", "2026-01-02"])})
    frame.to_pickle(files.benign("pandas", "frame.pkl"))
    numpy.save(files.benign("numpy", "array.npy"), rows)
    numpy.save(files.benign("numpy", "texts.npy"), numpy.array(["a", "bc"]))
    numpy.savez(files.benign("numpy", "arrays.npz"), a=rows, b=labels)
    numpy.savez_compressed(files.benign("numpy", "compressed.npz"), a=rows)
    for kind in ("float32", "float16", "int64", "bool"):
        safetensors.numpy.save_file({"w": (rows > 0).astype(kind)}, files.benign("safetensors", f"{kind}.safetensors"), {"format": "pt"})
    for at, make in enumerate(MODELS):
        onnx.save(make(), files.benign("ONNX", f"model-{at:02}.onnx"))
    for at, template in enumerate(["{{ messages[0]['content'] }}", "{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}{% endfor %}"]):
        gguf_file(files.benign("GGUF", f"model-{at}.gguf"), template)
    keras_models(files)


def keras_models(files: Files):
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(0)
    dense = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(1, activation="sigmoid")])
    image = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten(),
                              layers.Dropout(0.2), layers.Dense(2, activation="softmax")])
    given = keras.Input((4,))
    joined = keras.Model(given, layers.Concatenate()([layers.Dense(2)(given), given]))
    sequence = keras.Sequential([keras.Input((5,)), layers.Embedding(9, 3), layers.LSTM(2), layers.Dense(1)])
    for name, model in {"dense": dense, "image": image, "joined": joined, "sequence": sequence}.items():
        model.compile(optimizer="adam", loss="mse")
        model.save(files.benign("Keras", f"{name}.keras"))
        model.save(files.benign("Keras", f"{name}.h5"))
        model.save_weights(files.benign("Keras", f"{name}.weights.h5"))
        files.benign("Keras", f"{name}.json").write_text(model.to_json())


def main():
    root = Path(sys.argv[1])
    files = Files(root)
    for hostile in corpus():
        name = "".join(letter if letter.isalnum() or letter in "_." else "-" for letter in hostile.name)
        family = "pickle: gadgets" if hostile.family == "gadget" else "pickle: how they are reached"
        files.hostile(family, f"{name}.pkl", hostile.data)
    for write in (hostile_archives, hostile_arrays, hostile_graphs, hostile_keras, hostile_templates, benign):
        write(files)
    (root / "files.json").write_text(json.dumps(files.list, indent=1))


if __name__ == "__main__":
    main()
