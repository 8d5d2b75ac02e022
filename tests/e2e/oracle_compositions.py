"""Composed pickles: what CPython's unpickler would name, call and set, against what Tagship lets pass.

The C unpickler runs every stream with a `find_class` that imports nothing. Its stand-ins are inert and write down how they
are used. A stream that passes although it names, calls or sets what no list holds is a hole.
"""

import io
import pickle
import resource
from typing import NamedTuple

import composed_pickles
from composed_pickles import CALLED, MADE, MAPPINGS, NAMED
from oracle_judge import Comparison, is_pass
from oracle_pickles import today

SEED, COUNT = 2026, 6000
SPECIAL = {"__setstate__", "__class__"}
# A frame that ends inside an opcode makes the unpickler take any bytes for the size of its memo.
MEMORY = 1 << 30


def names(pairs) -> set[str]:
    return {today(f"{module}.{name}") for module, name in pairs}


MAY_BE_CALLED, MAY_BE_MADE = names(CALLED + MAPPINGS), names(MADE)
LISTED = MAY_BE_CALLED | MAY_BE_MADE | names(NAMED)
PARTIAL = "functools.partial"


class Case(NamedTuple):
    label: str
    data: bytes


class Named(type):
    """A stand-in for something named. A call of it is a call of what it stands for."""

    def __call__(cls, *arguments):
        cls.watcher.called(cls.named, arguments)
        made = cls.__new__(cls)
        made.arguments = arguments
        return made


class Instance(dict):
    """What calling or making a stand-in gives."""

    arguments = ()

    def __new__(cls, *_arguments, **_keywords):
        return super().__new__(cls)

    def __call__(self, *arguments):
        self.watcher.called_result(self)
        return Instance()

    def __setstate__(self, state):
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, dict) and SPECIAL & {key for key in part if isinstance(key, str)}:
                self.watcher.holes.append(f"sets {sorted(map(str, part))}")

    def __hash__(self):
        return id(self)

    def append(self, _item):
        pass

    def extend(self, _items):
        pass


class Watcher(pickle.Unpickler):
    """Imports nothing, and collects what no list holds."""

    def __init__(self, data: bytes):
        super().__init__(io.BytesIO(data))
        self.holes: list[str] = []

    def find_class(self, module, name):
        named = today(f"{module}.{name}")
        if named not in LISTED:
            self.holes.append(f"names {named}")
        return Named("Stand", (Instance,), {"named": named, "watcher": self})

    def persistent_load(self, key):
        self.holes.append(f"asks for {key!r}")

    def called(self, named: str, arguments: tuple):
        if named not in MAY_BE_CALLED and (arguments or named not in MAY_BE_MADE):
            self.holes.append(f"calls {named}")

    def called_result(self, result: Instance):
        function = result.arguments[0] if result.arguments else None
        if result.named != PARTIAL or getattr(function, "named", None) not in MAY_BE_CALLED:
            self.holes.append(f"calls what {result.named} gave")


def watched(data: bytes) -> tuple[bool, list[str]]:
    """Whether a stream loads, and what no list holds of what it does until then."""
    watcher = Watcher(data)
    try:
        watcher.load()
    except Exception:
        return False, watcher.holes
    return True, watcher.holes


def run(tagship: str) -> bool:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    comparison = Comparison(tagship, "pickle, composed", "pkl")
    cases = [Case(*one) for one in composed_pickles.composed(SEED, COUNT)]
    for case, report in comparison.judge(cases):
        loads, holes = watched(case.data)
        comparison.count("loads" if loads else "does not load with stand-ins")
        if holes:
            comparison.count("does what no list holds")
        if is_pass(report):
            comparison.count("passed")
            if holes:
                comparison.complain(case, report, f"passes, and {'; '.join(holes[:3])}")
    if not comparison.counts["passed"] or not comparison.counts["does what no list holds"]:
        raise SystemExit("the composed pickles are all hostile or all harmless, and compare nothing")
    return comparison.finish()
