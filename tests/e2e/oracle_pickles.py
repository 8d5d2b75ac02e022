"""Pickles: CPython's own reader against Tagship.

`pickletools.genops` says whether a stream decodes; the C unpickler, with a `find_class` that imports nothing and answers
with an inert class, says whether it loads and which globals it asks for. Nothing that a pickle names is ever reached.
"""

import datetime
import decimal
import fractions
import io
import pickle
import pickletools
import random
import re
import resource
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter, OrderedDict, deque
from typing import NamedTuple

import hostile_pickles
from oracle_judge import Comparison, is_damaged, is_pass, rules

MEMORY = 4 << 30
# What the generated objects consist of; all of it is on the allow-list.
PLAIN = {
    "builtins.set", "builtins.frozenset", "builtins.complex", "builtins.bytearray", "builtins.bytes", "builtins.range",
    "builtins.slice", "builtins.object", "collections.OrderedDict", "collections.Counter", "collections.deque",
    "datetime.date", "datetime.datetime", "datetime.timedelta", "decimal.Decimal", "fractions.Fraction",
    "_codecs.encode", "copyreg._reconstructor", "copyreg.__newobj__", "copyreg.__newobj_ex__",
    # Not in those, but in the hostile ones, which use them for something else.
    "argparse.Namespace", "collections.defaultdict", "functools.partial", "builtins.list",
}
# Rules that say that a pickle loads differently, or holds more, than it seems to: stricter than a loader on purpose.
STRICTER = {"PKL201", "PKL202", "PKL203", "PKL204", "PKL205", "PKL207", "PKL301", "PKL302", "PKL303", "INT107"}


class Case(NamedTuple):
    label: str
    data: bytes


class Inert(dict):
    """Stands in for whatever a pickle names: takes any call, item and state, and does nothing."""

    def __new__(cls, *_arguments, **_named):
        return super().__new__(cls)

    def __init__(self, *_arguments, **_named):
        super().__init__()

    def __setstate__(self, _state):
        pass

    def __call__(self, *_arguments, **_named):
        return Inert()

    def __hash__(self):
        return id(self)

    def append(self, _item):
        pass

    def extend(self, _items):
        pass

    def add(self, _item):
        pass


def today(name: str) -> str:
    """What Python 3 calls a name of Python 2, as its unpickler reads it."""
    module, _, last = name.rpartition(".")
    return ".".join(NAME_MAPPING.get((module, last), (IMPORT_MAPPING.get(module, module), last)))


class Recorder(pickle.Unpickler):
    """Never imports."""

    def __init__(self, data: bytes):
        self.source = io.BytesIO(data)
        super().__init__(self.source)
        self.seen: list[str] = []

    def find_class(self, module, name):
        self.seen.append(today(f"{module}.{name}"))
        return Inert


class Loaded(NamedTuple):
    decodes: bool
    error: Exception | None
    seen: list
    end: int


def load(data: bytes) -> Loaded:
    decodes = True
    try:
        for _ in pickletools.genops(data):
            pass
    except Exception:
        decodes = False
    recorder = Recorder(data)
    try:
        recorder.load()
    except Exception as error:
        return Loaded(decodes, error, recorder.seen, -1)
    return Loaded(decodes, None, recorder.seen, recorder.source.tell())


def objects(chance: random.Random, depth: int = 0):
    """A random object of the kinds that plain data is made of."""
    leaves = [
        lambda: None, lambda: chance.random() < 0.5, lambda: chance.randrange(-(1 << 9), 1 << 17),
        lambda: chance.getrandbits(chance.choice([31, 64, 300, 3000])) * chance.choice([1, -1]), lambda: chance.gauss(0, 1e9),
        lambda: float(chance.choice(["inf", "-inf", "nan", "-0.0", "1e-320"])), lambda: "".join(
            chance.choice("abc é\n\\\x00\u2028\U0001f600'\"") for _ in range(chance.choice([0, 3, 40, 300]))),
        lambda: chance.randbytes(chance.choice([0, 1, 20, 300, 70_000])), lambda: bytearray(chance.randbytes(9)),
        lambda: complex(chance.random(), 2), lambda: range(chance.randrange(9)), lambda: datetime.date(2020, 1, 2),
        lambda: datetime.datetime(2020, 1, 2, 3), lambda: datetime.timedelta(3, 4), lambda: decimal.Decimal("1.50"),
        lambda: fractions.Fraction(1, 3),
    ]
    if depth > 4 or chance.random() < 0.35:
        return chance.choice(leaves)()
    inner = [objects(chance, depth + 1) for _ in range(chance.choice([0, 1, 2, 3, 7]))]
    if inner and chance.random() < 0.3:
        inner.append(inner[0])
    keys = [chance.choice([at, f"key{at}", (at, "k")]) for at in range(len(inner))]
    made = chance.choice([
        lambda: inner, lambda: tuple(inner), lambda: dict(zip(keys, inner)), lambda: set(keys), lambda: frozenset(keys),
        lambda: OrderedDict(zip(keys, inner)), lambda: deque(inner), lambda: Counter(str(key) for key in keys),
    ])()
    if isinstance(made, list) and chance.random() < 0.1:
        made.append(made)
    return made


def mutated(chance: random.Random, data: bytes) -> bytes:
    """Changed as a bad disk, a cut download or somebody with a hex editor would."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        at = chance.randrange(len(changed)) if changed else 0
        kind = chance.randrange(6)
        if kind == 0 and changed:
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 1 and changed:
            changed[at] = chance.choice(b"\x00\xff.0(tRcib\x80\x93\x94hjqrXUCB\x95")
        elif kind == 2:
            del changed[at:]
        elif kind == 3:
            del changed[at : at + chance.randrange(1, 9)]
        elif kind == 4:
            changed[at:at] = chance.randbytes(chance.randrange(1, 4))
        else:
            changed[at:at] = changed[at : at + chance.randrange(1, 30)]
    return bytes(changed)


def sound(tagship: str) -> bool:
    """Well-formed pickles of plain objects pass."""
    comparison = Comparison(tagship, "pickle, as written", "pkl")
    chance = random.Random(6)
    cases = []
    for at in range(600):
        made, protocol = objects(chance), at % 6
        cases.append(Case(f"object {at}, protocol {protocol}", pickle.dumps(made, protocol)))
        if at % 10 == 0:
            cases.append(Case(f"object {at}, protocol {protocol}, in Python", pickle._dumps(made, protocol)))
    for case, report in comparison.judge(cases):
        comparison.count("passed" if is_pass(report) else "not passed")
        if not is_pass(report):
            comparison.complain(case, report, f"sound, globals {sorted(set(load(case.data).seen))}")
    return comparison.finish()


def compare(comparison: Comparison, cases: list[Case]):
    for case, report in comparison.judge(cases):
        loaded = load(case.data)
        strange = [name for name in loaded.seen if name not in PLAIN]
        if is_pass(report):
            comparison.count("passed")
            if "Inert" in str(loaded.error):
                comparison.count("not answered, since the stand-in is not what it stands for")
            elif "'ascii' codec" in str(loaded.error):
                # Bytes of Python 2, which its readers are told to take as Latin-1.
                comparison.count("passed, and text of Python 2")
            elif loaded.error or not loaded.decodes:
                comparison.complain(case, report, f"does not load ({str(loaded.error)[-90:]!r}), and passes")
            elif strange:
                comparison.complain(case, report, f"asks for {strange}, and passes")
            continue
        comparison.count("not passed")
        if loaded.error is None and loaded.decodes and loaded.end == len(case.data):
            if is_damaged(report) and not strange and not STRICTER & set(rules(report)):
                comparison.complain(case, report, "loads, and is called damaged")
        names(comparison, case, report, loaded, strange)


def unescaped(target: str) -> str:
    """A name as it stands in the pickle."""
    target = re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), target)
    return re.sub(r"\\([tnr'\"\\0])", lambda found: {"t": "\t", "n": "\n", "r": "\r", "0": "\0"}.get(found[1], found[1]), target)


def names(comparison: Comparison, case: Case, report: dict, loaded: Loaded, strange: list[str]):
    """The globals named in a report are those that the unpickler asks for, as far as that gets."""
    if report["format"] not in ("pickle", "joblib"):
        return
    told = {today(unescaped(f.get("target") or "")) for f in report["findings"] if f["rule"] in ("PKL101", "PKL102", "PKL112")}
    missing = [name for name in strange if name not in told]
    if missing and not ({"PKL204", "PKL205", "PKL103", "PKL301"} & set(rules(report))):
        comparison.complain(case, report, f"asks for {missing}, which is not told")
    if loaded.error is None and loaded.end == len(case.data):
        invented = [name for name in told if name and name not in loaded.seen]
        if invented:
            comparison.complain(case, report, f"tells {invented}, which nothing asks for ({loaded.seen})")


def random_mutations(tagship: str) -> bool:
    comparison = Comparison(tagship, "pickle, mutated", "pkl")
    chance = random.Random(66)
    cases = []
    for at in range(4000):
        whole = pickle.dumps(objects(chance), at % 6)
        if len(whole) < 20_000:
            cases.append(Case(f"mutation {at}", mutated(chance, whole)))
    compare(comparison, cases)
    return comparison.finish()


def hostile_mutations(tagship: str) -> bool:
    """No prefix, suffix or flip of a hostile pickle passes, unless what is left is sound and asks for nothing strange."""
    comparison = Comparison(tagship, "hostile pickle, whole and every prefix, suffix and flip", "pkl")
    cases = []
    gadgets = 0
    for hostile in hostile_pickles.corpus():
        data = hostile.data
        cases.append(Case(f"{hostile.name} whole", data))
        gadgets += hostile.family == "gadget"
        if len(data) > 400 or (hostile.family == "gadget" and gadgets % 12):
            continue
        cases.extend(Case(f"{hostile.name} first {at}", data[:at]) for at in range(1, len(data)))
        cases.extend(Case(f"{hostile.name} without {at}", data[at:]) for at in range(1, len(data)))
        for at in range(len(data)):
            for bit in range(at % 3, 8, 3):
                flipped = bytearray(data)
                flipped[at] ^= 1 << bit
                cases.append(Case(f"{hostile.name} flip {at}.{bit}", bytes(flipped)))
    compare(comparison, cases)
    return comparison.finish()


def run(tagship: str) -> bool:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    return all([sound(tagship), random_mutations(tagship), hostile_mutations(tagship)])
