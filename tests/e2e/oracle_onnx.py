"""ONNX: `onnx.checker` against Tagship, on models that the onnx package builds and on what became of them."""

import random
from typing import NamedTuple

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from oracle_judge import Comparison, is_damaged, is_pass, rules

# What the checker refuses and Tagship does not look at, and why. Golden cases run the model and notice all of it that matters.
LOOSER = (
    ("Field 'shape' of 'type' is required", "runtimes load a graph whose outputs have no shape, and converters write them"),
    ("Field 'elem_type' of 'type' is required", "the same of an element type inside a sequence"),
    ("Field 'name' of 'graph' is required", "a name for people; runtimes do without"),
    ("duplicate keys in metadata_props", "texts for people"),
    ("has input size", "how many inputs an operator takes: the standard's schemas are not part of Tagship"),
    ("has output size", "the same of outputs"),
    ("Unrecognized attribute", "the same of attributes"),
    ("Mismatched attribute type", "the same of attributes"),
    ("Required attribute", "the same of attributes"),
    ("type field and data field mismatch", "an attribute's kind, which those schemas say"),
    ("Field 'type' of 'attr' is required", "an attribute's kind, which old exporters leave out"),
    ("Opset import for domain", "a function's operator sets, where they differ from the model's"),
    ("No Op registered", "operators by version: those that are newer than their set"),
    ("Sparse tensor", "positions inside sparse tensors, which no exporter of models writes"),
)
# Bytes inside the metadata of nodes and inside types of maps are passed over: a changed byte that makes one of them of something
# else is not always noticed. So many of the damaged ones, at most.
PASSED_OVER = 5
# Where Tagship is stricter than the checker on purpose, and why.
STRICTER = {
    "INT104": "another format by its content, which only the checker takes for ONNX",
    "INT404": "an operator set without a version, which the checker asks for only where it is used",
    "INT402": "a part that every runtime needs and the checker does not ask for",
    "INT408": "the checker looks at typed data and raw data of some types only",
    "INT401": "bytes that protobuf's own reader is lenient about, such as a text that is no UTF-8",
    "INT405": "the checker does not look into every function",
    "INT406": "a value that is defined twice: runtimes disagree on which counts",
}


class Case(NamedTuple):
    label: str
    data: bytes


def refusal(data: bytes) -> Exception | None:
    try:
        onnx.checker.check_model(data)
    except Exception as error:
        return error
    return None


def value(name: str, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def weights(name: str, *shape, kind=numpy.float32):
    return numpy_helper.from_array((numpy.arange(int(numpy.prod(shape))) % 7).reshape(shape).astype(kind), name)


def model(nodes, inputs, outputs, initial=(), opset=17, functions=(), domains=(), **settings):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, list(initial), **settings)
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    made = helper.make_model(graph, opset_imports=imports, functions=list(functions), producer_name="oracle")
    made.ir_version = 8
    return made


def perceptron(opset=17):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"], "matmul"), helper.make_node("Add", ["h", "b"], ["s"]),
             helper.make_node("Relu", ["s"], ["y"])]
    return model(nodes, [value("x", ["batch", 3])], [value("y", ["batch", 2])], [weights("w", 3, 2), weights("b", 2)], opset)


def convolution():
    nodes = [helper.make_node("Conv", ["x", "k"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
             helper.make_node("MaxPool", ["c"], ["p"], kernel_shape=[2, 2]), helper.make_node("Flatten", ["p"], ["y"])]
    return model(nodes, [value("x", [1, 1, 8, 8])], [value("y", [1, 32])], [weights("k", 2, 1, 3, 3)])


def branches():
    def branch(name, operator):
        return helper.make_graph([helper.make_node(operator, ["x"], [name])], name + "_graph", [], [value(name, [3])])

    node = helper.make_node("If", ["flag"], ["y"], then_branch=branch("a", "Relu"), else_branch=branch("b", "Neg"))
    return model([node], [value("x", [3]), value("flag", [], TensorProto.BOOL)], [value("y", [3])])


def loop():
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Add", ["a", "x"], ["a_next"])], "body",
        [value("i", [], TensorProto.INT64), value("go", [], TensorProto.BOOL), value("a", [3])],
        [value("go_on", [], TensorProto.BOOL), value("a_next", [3])])
    node = helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)
    return model([node], [value("n", [], TensorProto.INT64), value("x", [3])], [value("y", [3])])


def function():
    double = helper.make_function("own", "Double", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)])
    node = helper.make_node("Double", ["x"], ["y"], domain="own")
    return model([node], [value("x", [2])], [value("y", [2])], functions=[double], domains=["own"])


def constants():
    nodes = [helper.make_node("Constant", [], ["c"], value=weights("", 4, kind=numpy.int64)),
             helper.make_node("Reshape", ["x", "c"], ["r"]), helper.make_node("Cast", ["r"], ["y"], to=TensorProto.DOUBLE)]
    return model(nodes, [value("x", [6])], [value("y", None, TensorProto.DOUBLE)])


def sparse():
    tensor = helper.make_sparse_tensor(weights("s", 2), numpy_helper.from_array(numpy.array([1, 4]), "i"), [2, 3])
    nodes = [helper.make_node("MatMul", ["x", "s"], ["y"])]
    return model(nodes, [value("x", [1, 2])], [value("y", [1, 3])], sparse_initializer=[tensor])


def trees():
    node = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", n_targets=1, nodes_falsenodeids=[2, 0, 0],
        nodes_truenodeids=[1, 0, 0], nodes_featureids=[0, 0, 0], nodes_hitrates=[1.0] * 3, nodes_values=[0.5, 0.0, 0.0],
        nodes_missing_value_tracks_true=[0] * 3, nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"], nodes_nodeids=[0, 1, 2],
        nodes_treeids=[0] * 3, target_ids=[0, 0], target_nodeids=[1, 2], target_treeids=[0, 0], target_weights=[1.0, 2.0])
    return model([node], [value("x", [1, 2])], [value("y", [1, 1])], domains=["ai.onnx.ml"])


def typed_data():
    tensors = [helper.make_tensor(f"t{kind}", kind, [2], [1, 0]) for kind in (
        TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT32, TensorProto.INT64, TensorProto.UINT8, TensorProto.BOOL,
        TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.UINT64)]
    tensors.append(helper.make_tensor("texts", TensorProto.STRING, [2], [b"a", b"b"]))
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    return model(nodes, [value("x", [2])], [value("y", [2])], tensors)


MODELS = [perceptron, lambda: perceptron(9), lambda: perceptron(13), lambda: perceptron(21), convolution, branches, loop, function,
          constants, sparse, trees, typed_data]


def edit(chance: random.Random, made) -> str:
    """Changes one thing in a model; answers what."""
    graph = made.graph
    node = chance.choice(graph.node)
    edits = {
        "an initializer less": lambda: graph.initializer.pop() if graph.initializer else graph.input.pop(),
        "an initializer twice": lambda: graph.initializer.append(graph.initializer[0]) if graph.initializer else node.ClearField("op_type"),
        "nodes in reverse": lambda: graph.node.reverse() if len(graph.node) > 1 else node.input.append("nowhere"),
        "an unknown input": lambda: node.input.append("nowhere"),
        "an input renamed": lambda: node.input.__setitem__(0, "nowhere") if node.input else node.output.pop(),
        "an output twice": lambda: node.output.append(graph.node[0].output[0]),
        "no operator": lambda: node.ClearField("op_type"),
        "an unknown operator": lambda: setattr(node, "op_type", "Relax"),
        "an unknown domain": lambda: setattr(node, "domain", "nobody"),
        "no operator sets": lambda: made.ClearField("opset_import"),
        "operator set of tomorrow": lambda: setattr(made.opset_import[0], "version", 999),
        "operator set 0": lambda: setattr(made.opset_import[0], "version", 0),
        "no version": lambda: made.ClearField("ir_version"),
        "a version of tomorrow": lambda: setattr(made, "ir_version", 99),
        "no graph": lambda: made.ClearField("graph"),
        "no name of the graph": lambda: graph.ClearField("name"),
        "an unknown attribute": lambda: node.attribute.append(helper.make_attribute("nothing", 1)),
        "an attribute twice": lambda: node.attribute.extend([helper.make_attribute("axis", 1)] * 2),
        "an attribute without type": lambda: node.attribute[0].ClearField("type") if node.attribute else node.ClearField("output"),
        "an attribute without name": lambda: node.attribute[0].ClearField("name") if node.attribute else node.ClearField("output"),
        "an attribute of another type": lambda: node.attribute[0].CopyFrom(helper.make_attribute(node.attribute[0].name, "text")) if node.attribute else node.ClearField("output"),
        "attributes gone": lambda: node.ClearField("attribute"),
        "dims too large": lambda: graph.initializer[0].dims.append(2) if graph.initializer else graph.output.pop(),
        "a negative dim": lambda: graph.initializer[0].dims.append(-1) if graph.initializer else graph.output.pop(),
        "data too short": lambda: setattr(graph.initializer[0], "raw_data", graph.initializer[0].raw_data[:-1]) if graph.initializer else graph.output.pop(),
        "an unknown type": lambda: setattr(graph.initializer[0], "data_type", 99) if graph.initializer else graph.output.pop(),
        "no type": lambda: graph.initializer[0].ClearField("data_type") if graph.initializer else graph.output.pop(),
        "an output that nothing makes": lambda: setattr(graph.output[0], "name", "nowhere"),
        "an input without type": lambda: graph.input[0].ClearField("type"),
        "an input without name": lambda: graph.input[0].ClearField("name"),
        "an input twice": lambda: graph.input.append(graph.input[0]),
        "no outputs of a node": lambda: node.ClearField("output"),
        "too many inputs": lambda: node.input.extend([graph.input[0].name] * 9),
        "an input less": lambda: node.input.pop() if node.input else node.ClearField("output"),
        "external data": lambda: external(graph),
        "a longer documentation": lambda: setattr(graph, "doc_string", "words " * 9),
        "metadata": lambda: made.metadata_props.add(key="a", value="b"),
        "metadata twice": lambda: [made.metadata_props.add(key="a", value="b") for _ in range(2)],
    }
    name = chance.choice(list(edits))
    edits[name]()
    return name


def external(graph):
    """Weights in a file beside the model that is not there."""
    if not graph.initializer:
        graph.output.pop()
        return
    tensor = graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")


def damaged(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    at = chance.randrange(len(changed))
    kind = chance.randrange(5)
    if kind == 0:
        return data[:at]
    if kind in (1, 2):
        changed[at] ^= 1 << chance.randrange(8)
    elif kind == 3:
        del changed[at : at + chance.randrange(1, 5)]
    else:
        changed[at:at] = chance.randbytes(chance.randrange(1, 4))
    return bytes(changed)


def run(tagship: str) -> bool:
    comparison = Comparison(tagship, "onnx", "onnx")
    chance = random.Random(8)
    cases = [Case(f"model {at}", make().SerializeToString()) for at, make in enumerate(MODELS)]
    wholes = [case.data for case in cases]
    for at in range(900):
        made = chance.choice(MODELS)()
        what = edit(chance, made)
        cases.append(Case(f"{what} {at}", made.SerializeToString()))
    cases.extend(Case(f"damaged {at}", damaged(chance, chance.choice(wholes))) for at in range(2500))
    for case, report in comparison.judge(cases):
        refused = refusal(case.data)
        comparison.count("refused by the checker" if refused else "accepted by the checker")
        if refused and is_pass(report) and any(text in str(refused) for text, _why in LOOSER):
            comparison.count("refused for what Tagship leaves to golden cases")
        elif refused and is_pass(report) and "Unable to parse" in str(refused) and comparison.counts["unparsed"] < PASSED_OVER:
            comparison.count("unparsed")
        elif refused and is_pass(report):
            comparison.complain(case, report, f"refused ({str(refused)[:150]!r}), and passes")
        elif not refused and is_damaged(report) and not STRICTER.keys() & set(rules(report)):
            comparison.complain(case, report, "accepted, and called damaged")
        elif case.label.startswith("model") and not refused and not is_pass(report):
            comparison.complain(case, report, "built by the library, and no pass")
    return comparison.finish()
