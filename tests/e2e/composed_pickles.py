"""Pickles composed at random, opcode by opcode, of what attacks and models are made of.

Every stream keeps the unpickler's stack in order, so that nearly all of them load; what they name, how they call it, and
what they do to the memo, the frames and the streams around it is left to chance. The same seed gives the same pickles.
"""

import random
import struct
from typing import Callable, Iterator

from hostile_pickles import GADGETS, blob, named, short, stacked, text

# What models name, by how a reader uses it: called, made without a call, or only named.
CALLED = [
    ("collections", "OrderedDict"), ("collections", "defaultdict"), ("builtins", "set"), ("builtins", "range"),
    ("functools", "partial"), ("_codecs", "encode"), ("copyreg", "_reconstructor"), ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "scalar"), ("operator", "itemgetter"),
    ("datetime", "timedelta"), ("decimal", "Decimal"), ("__builtin__", "xrange"), ("pandas", "CategoricalDtype"),
    ("sklearn.tree._tree", "Tree"), ("statsmodels.tsa.statespace._representation", "dStatespace"),
]
MADE = [
    ("sklearn.linear_model._logistic", "LogisticRegression"), ("types", "SimpleNamespace"),
    ("joblib.numpy_pickle", "NumpyArrayWrapper"), ("pandas.core.frame", "DataFrame"), ("pandas", "DateOffset"),
]
# Both, and their items or arguments become attributes.
MAPPINGS = [("sklearn.utils._bunch", "Bunch"), ("statsmodels.tools.tools", "Bunch"), ("argparse", "Namespace")]
NAMED = [("numpy", "ndarray"), ("builtins", "object"), ("builtins", "len"), ("numpy", "float64"), ("builtins", "dict")]
# Names that a list may be led past with: of parents, of attributes, in other spellings, with ends that a reader ignores.
CLOSE = [
    ("sklearn", "linear_model._logistic"), ("collections", "OrderedDict.fromkeys"), ("numpy", "ndarray.tofile"),
    ("numpy.core.multiarray ", "scalar"), ("numpy", "Float64"), ("builtins ", "len"), ("numpy..core", "x"),
    ("scipy.interpolate._interpolate", "interp1d._call_linear.__globals__"), ("copy_reg", "_extension_registry"),
    ("sklearn.linear_model", "LogisticRegression"), ("", "len"), ("builtins", ""), ("numpy.core.multiarray.x", "scalar"),
    ("__builtin__", "reduce"), ("__builtin__", "intern"), ("itertools", "imap"), ("UserDict", "UserDict"),
]


class Composer:
    """One stream under construction. Every method adds opcodes that leave one value more on the stack."""

    def __init__(self, chance: random.Random, protocol: int):
        self.chance, self.protocol = chance, protocol
        self.memo: list[int] = []
        self.next = 0

    def name(self, module: str, name: str) -> bytes:
        """One of the ways to name a global."""
        ways = [lambda: named(module, name)]
        if self.protocol >= 4:
            ways += [lambda: stacked(module, name), lambda: self.remembered(short(module)) + self.remembered(short(name)) + b"\x93",
                     lambda: text(module) + b"V" + name.encode() + b"\n\x93", lambda: self.apart(module, name)]
        return self.chance.choice(ways)()

    def apart(self, module: str, name: str) -> bytes:
        """Both names out of the memo, stored in the other order."""
        first, second = self.next, self.next + 1
        self.next += 2
        put = lambda at: b"r" + struct.pack("<I", at)
        get = lambda at: b"j" + struct.pack("<I", at)
        return short(name) + put(second) + b"0" + short(module) + put(first) + b"0" + get(first) + get(second) + b"\x93"

    def remembered(self, value: bytes) -> bytes:
        """A value that is put into the memo, over an older one at times."""
        at = self.chance.choice(self.memo) if self.memo and self.chance.random() < 0.15 else self.next
        if at == self.next:
            self.next += 1
            self.memo.append(at)
        return value + self.chance.choice([b"p%d\n" % at, b"r" + struct.pack("<I", at)])

    def callee(self) -> bytes:
        kind = self.chance.random()
        if kind < 0.25:
            module, name, _ = self.chance.choice(GADGETS)
            return self.name(module, name)
        if kind < 0.35:
            return self.name(*self.chance.choice(CLOSE))
        return self.name(*self.chance.choice(CALLED if kind < 0.75 else MADE + MAPPINGS))

    def leaf(self) -> bytes:
        chance = self.chance
        leaves: list[Callable[[], bytes]] = [
            lambda: b"N", lambda: b"\x88", lambda: b"K" + bytes([chance.randrange(256)]), lambda: b"J\xff\xff\xff\x7f",
            lambda: text(chance.choice(["a", "C", "latin1", "f8", "items", "__setstate__", "__class__", "posix", "system"])),
            lambda: blob(chance.randbytes(chance.randrange(20))), lambda: b"]", lambda: b"}", lambda: b")",
            lambda: self.name(*chance.choice(NAMED + CLOSE[:2])), lambda: b"G" + struct.pack(">d", chance.random()),
        ]
        if self.memo:
            leaves += [lambda: b"j" + struct.pack("<I", chance.choice(self.memo))] * 3
        return chance.choice(leaves)()

    def value(self, depth: int) -> bytes:
        if depth > 3 or self.chance.random() < 0.3:
            return self.leaf()
        made = self.chance.choice([self.tuple, self.list, self.dict, self.reduce, self.reduce, self.object, self.inst, self.build, self.dropped])
        built = made(depth + 1)
        return self.remembered(built) if self.chance.random() < 0.25 else built

    def some(self, depth: int, count: int) -> bytes:
        return b"".join(self.value(depth) for _ in range(count))

    def tuple(self, depth: int) -> bytes:
        count = self.chance.randrange(4)
        if count and self.chance.random() < 0.5:
            return self.some(depth, count) + [b"\x85", b"\x86", b"\x87"][count - 1]
        return b"(" + self.some(depth, count) + b"t"

    def list(self, depth: int) -> bytes:
        return b"](" + self.some(depth, self.chance.randrange(3)) + b"e"

    def dict(self, depth: int) -> bytes:
        keys = [text(self.chance.choice(["a", "items", "__setstate__", "formula", "_sklearn_version"])), b"K\x01", self.leaf()]
        return b"}(" + b"".join(self.chance.choice(keys) + self.value(depth) for _ in range(self.chance.randrange(3))) + b"u"

    def reduce(self, depth: int) -> bytes:
        return self.callee() + self.tuple(depth) + b"R"

    def object(self, depth: int) -> bytes:
        """An instance by one of the other opcodes that make one."""
        kind = self.chance.randrange(3)
        if kind == 0:
            return b"(" + self.callee() + self.some(depth, self.chance.randrange(2)) + b"o"
        if kind == 1 and self.protocol >= 4:
            return self.callee() + self.tuple(depth) + b"}\x92"
        return self.callee() + self.tuple(depth) + b"\x81"

    def inst(self, depth: int) -> bytes:
        module, name = self.chance.choice(CALLED + MADE + MAPPINGS + CLOSE[:4] + [gadget[:2] for gadget in GADGETS[:6]])
        return b"(" + self.some(depth, self.chance.randrange(2)) + f"i{module}\n{name}\n".encode()

    def build(self, depth: int) -> bytes:
        made = self.name(*self.chance.choice(MADE + MAPPINGS)) + b")\x81"
        state = self.chance.choice([self.dict, self.tuple, lambda _depth: b"2"])
        return made + state(depth) + b"b"

    def dropped(self, depth: int) -> bytes:
        """Something that is executed, and whose result is thrown away before the value."""
        gone = self.value(depth)
        return self.chance.choice([gone + b"0", b"(" + gone + b"1", gone + b"20" + b"0"]) + self.leaf()

    def whole(self) -> bytes:
        body = self.value(0) + b"."
        head = bytes([0x80, self.protocol]) if self.protocol >= 2 else b""
        if self.protocol >= 4 and self.chance.random() < 0.3:
            return head + b"\x95" + struct.pack("<Q", max(0, len(body) - self.chance.choice([0, 0, 0, 1, 7]))) + body
        return head + body


def composed(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Labels and pickles, some of them with another one behind."""
    chance = random.Random(seed)
    for at in range(count):
        protocol = chance.choice([0, 2, 2, 3, 4, 4, 5])
        data = Composer(chance, protocol).whole()
        if chance.random() < 0.1:
            data += chance.choice([b"", bytes(3), b"\n", b"\xff"]) + Composer(chance, chance.choice([2, 4])).whole()
        yield f"composition {at}, protocol {protocol}", data
