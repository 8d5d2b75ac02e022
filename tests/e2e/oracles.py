#!/usr/bin/env python3
"""Holds the reports of `tagship validate` against the libraries that write and read the formats.

    oracles.py TAGSHIP [ORACLE...]

TAGSHIP is the tagship binary. Each oracle makes files by fixed seeds, changes them, and asks both sides. The exit code is 1
where they disagree. With ORACLE_KEEP=DIRECTORY the files of disagreements are kept there.
"""

import importlib
import os
import sys
import time

ORACLES = ("pickles", "compositions", "tensors", "onnx", "hdf5", "machines", "arrow")


def main():
    # The order of sets is part of what is written.
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    tagship, names = sys.argv[1], sys.argv[2:] or ORACLES
    agreed = True
    for name in names:
        began = time.monotonic()
        agreed &= importlib.import_module(f"oracle_{name}").run(tagship)
        print(f"  ({name}: {time.monotonic() - began:.0f} s)", flush=True)
    sys.exit(0 if agreed else 1)


if __name__ == "__main__":
    main()
