#!/usr/bin/env python3
"""Runs a scanner's own command line on many files and says how it ended on each.

    scanner_driver.py MODULE:FUNCTION [ARGUMENT...] < paths > endings.json

The program is imported once and forked for each file, so that only its start is saved, and its judgement is that of a run of its
own. `{}` in the arguments is the path. An ending is an exit code, or `null` where it was killed after a minute.
"""

import importlib
import json
import os
import signal
import sys

SECONDS = 60


def child(function, arguments: list[str]):
    signal.alarm(SECONDS)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    sys.argv = ["scanner", *arguments]
    code = 0
    try:
        code = function()
    except SystemExit as end:
        code = end.code
    except BaseException:
        code = 70
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def main():
    module, function = sys.argv[1].split(":")
    entry = getattr(importlib.import_module(module), function)
    endings = {}
    for path in sys.stdin.read().splitlines():
        process = os.fork()
        if process == 0:
            child(entry, [argument.replace("{}", path) for argument in sys.argv[2:]])
        status = os.waitpid(process, 0)[1]
        endings[path] = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    json.dump(endings, sys.stdout)


if __name__ == "__main__":
    main()
