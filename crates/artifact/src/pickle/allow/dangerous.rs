//! Globals that are known to be attacks. Only severity and message depend on this list, which can never be
//! complete: what is not on the allow-list is refused either way.

/// Packages and modules with nothing that a model needs and much that runs code, reads, writes or connects.
#[rustfmt::skip]
const PACKAGES: &[&str] = &[
    "_posixsubprocess", "aiohttp", "asyncio", "atexit", "bdb", "cProfile", "cffi", "cloudpickle",
    "code", "codeop", "commands", "ctypes", "dill", "distutils", "doctest", "ensurepip", "ftplib",
    "http", "httplib", "imaplib", "imp", "importlib", "inspect", "jsonpickle", "lib2to3", "linecache",
    "logging", "marshal", "mmap", "multiprocessing", "nt", "ntpath", "os", "pdb", "pickle", "pip",
    "pkgutil", "platform", "popen2", "posix", "poplib", "posixpath", "profile", "pty", "pydoc",
    "requests", "runpy", "setuptools", "shelve", "shutil", "signal", "site", "smtplib", "socket",
    "socketserver", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "telnetlib", "test", "threading",
    "timeit", "trace", "types", "urllib", "urllib2", "venv", "webbrowser", "winreg", "xmlrpc",
    "zipimport",
];

/// Functions of the same kind in packages that models do need.
#[rustfmt::skip]
const GLOBALS: &[(&str, &str)] = &[
    ("builtins", "__import__"), ("builtins", "apply"), ("builtins", "breakpoint"),
    ("builtins", "compile"), ("builtins", "delattr"), ("builtins", "eval"), ("builtins", "exec"),
    ("builtins", "execfile"), ("builtins", "file"), ("builtins", "getattr"), ("builtins", "globals"),
    ("builtins", "input"), ("builtins", "map"), ("builtins", "open"), ("builtins", "setattr"),
    ("builtins", "vars"), ("copyreg", "add_extension"), ("operator", "attrgetter"),
    ("operator", "methodcaller"), ("functools", "reduce"), ("torch.storage", "_load_from_bytes"),
    ("torch", "load"), ("torch.fx.graph_module", "reduce_graph_module"), ("torch.hub", "load"), ("numpy", "load"), 
    ("joblib", "load"), ("pandas", "read_pickle"),
];

/// Whether a global is known to run code, or to read, write or connect.
pub(crate) fn is_dangerous(module: &str, name: &str) -> bool {
    let package = module.split('.').next().unwrap_or(module);
    PACKAGES.contains(&package) || GLOBALS.contains(&(module, name))
}
