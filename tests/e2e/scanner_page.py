#!/usr/bin/env python3
"""Compares scanners of model files and writes the page about it.

    scanner_page.py SETTINGS PAGE

SETTINGS is JSON: `tagship` (the program), `peers` (for each its `version` and `directory` of programs), `files` (what
scanner_files.py wrote), `large` (big inputs by what they are) and `small` (a small model).
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

DRIVER = Path(__file__).with_name("scanner_driver.py")
# Entry of the command line, and its words in front of a path.
PEERS = {
    "picklescan": ("picklescan.cli:main", ["-p"]),
    "modelscan": ("modelscan.cli:main", ["scan", "-p"]),
    "fickling": ("fickling.__main__:main", ["--check-safety"]),
    "modelaudit": ("modelaudit.__main__:_run", ["scan"]),
}
PASSED, FLAGGED = 0, 1
SECONDS = 120
# Processor seconds below which a run is short.
SHORT = 10
# Nothing that a scanner would tell others about the run.
QUIET = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1", "NO_ANALYTICS": "1"}
FORMATS = [
    ("pickle, joblib", "pickle", "pickle", "pickle", "pickle, joblib"), ("PyTorch zip and legacy", "yes", "yes", "with an extra", "yes"),
    ("numpy", "objects", "objects", "-", "yes"), ("safetensors", "-", "-", "-", "yes"), ("ONNX", "-", "-", "-", "yes"),
    ("Keras (`.keras`, `.h5`)", "-", "yes (`.h5` with an extra)", "-", "yes"), ("TensorFlow", "-", "with an extra", "-", "with an extra"),
    ("GGUF, templates", "-", "-", "-", "yes"), ("XGBoost, LightGBM", "-", "-", "-", "yes"), ("skops", "-", "-", "-", "yes"),
    ("zip", "yes", "yes", "PyTorch's", "yes"), ("tar, NeMo, MAR, OCI layouts", "-", "-", "-", "yes"), ("7z", "with an extra", "-", "-", "with an extra"),
    ("CoreML, PMML, R, Paddle, OpenVINO, TensorRT", "-", "-", "-", "yes"),
]
OURS = {"7z": "recognised, not read", "CoreML, PMML, R, Paddle, OpenVINO, TensorRT": "-"}


def endings(settings: dict, paths: list[str]) -> dict[str, dict]:
    """How each scanner ended on each file, as an exit code."""
    all_endings = {"tagship": {path: run_one([settings["tagship"], "validate", path])[0] for path in paths}}
    for name, (entry, words) in PEERS.items():
        print(f"{name} on {len(paths)} files ...", flush=True)
        python = Path(settings["peers"][name]["directory"], "python")
        done = subprocess.run([python, DRIVER, entry, *words, "{}"], input="\n".join(paths), env={**os.environ, **QUIET},
                              capture_output=True, text=True, check=True)
        all_endings[name] = json.loads(done.stdout)
    return all_endings


def run_one(command: list) -> tuple[int | None, float, float]:
    """The exit code, processor seconds and most mebibytes of a run; no code where it was ended after its time."""
    nothing = os.open(os.devnull, os.O_RDWR)
    process = os.posix_spawnp(
        "timeout", ["timeout", str(SECONDS), *map(str, command)], {**os.environ, **QUIET},
        file_actions=[(os.POSIX_SPAWN_DUP2, nothing, stream) for stream in (0, 1, 2)])
    os.close(nothing)
    _, status, usage = os.wait4(process, 0)
    code = os.waitstatus_to_exitcode(status)
    return None if code == 124 else code, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def word(code: int | None) -> str:
    return {PASSED: "passed", FLAGGED: "flagged"}.get(code, "not judged")


def table(head: list[str], rows: list[list]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def share(count: int, total: int) -> str:
    return f"{count} ({100 * count / total:.0f} %)"


def detection(files: list[dict], told: dict, kind: str, good: str) -> str:
    """A row for each family: how many ended well."""
    families = defaultdict(list)
    for file in files:
        if file["kind"] == kind:
            families[file["family"]].append(file["path"])
    rows = [[family, len(paths), *(sum(word(codes[path]) == good for path in paths) for codes in told.values())]
            for family, paths in sorted(families.items())]
    every = [path for paths in families.values() for path in paths]
    for ending in ("passed", "flagged", "not judged"):
        counts = [sum(word(codes[path]) == ending for path in every) for codes in told.values()]
        rows.append([f"**all, {ending}**", len(every), *(share(count, len(every)) for count in counts)])
    return table([kind, "files", *told], rows)


def least(command: list) -> tuple[int | None, float, float]:
    """The run that took least: of three, where the first is short."""
    first = run_one(command)
    return min([first, *(run_one(command) for _ in range(2 if first[1] < SHORT else 0))], key=lambda run: run[1])


def speed(settings: dict) -> str:
    """Processor seconds and memory of runs of the programs themselves. openssl is the first that reads a file, and what is short
    is run again, so that nobody pays for a disk."""
    rows = []
    inputs = {"a small ONNX model": settings["small"], **settings["large"]}
    commands = {"Tagship": [settings["tagship"], "validate", "--no-cache"], **{
        name: [Path(settings["peers"][name]["directory"], name), *PEERS[name][1]] for name in PEERS}}
    for what, path in inputs.items():
        print(f"speed: {what} ...", flush=True)
        hashing = least(["openssl", "dgst", "-sha256", path])[1]
        cells = []
        for command in commands.values():
            code, seconds, memory = least([*command, path])
            judged = "" if word(code) != "not judged" else f", ended {SECONDS} s later" if code is None else ", not judged"
            cells.append((seconds, f"{seconds:.3g} s, {memory:.0f} MiB{judged}"))
        ours = cells[0][0]
        rows.append([what, *(f"{text} ({seconds / ours:.2g}x)" for seconds, text in cells), f"{hashing:.3g} s; Tagship {ours / max(hashing, 1e-3):.2f}x"])
    return table(["file", *commands, "`openssl dgst -sha256`"], rows)


def worse(files: list[dict], told: dict) -> list[str]:
    """Files that Tagship does not flag and another does, and benign ones that it does not pass and another does."""
    lines = []
    for file in files:
        want = "flagged" if file["kind"] == "hostile" else "passed"
        ours = word(told["tagship"][file["path"]])
        better = [name for name, codes in told.items() if word(codes[file["path"]]) == want]
        if ours != want:
            by = ", ".join(better) if better else "no other either"
            lines.append(f"- {file['kind']}, {file['family']}, `{Path(file['path']).name}`: {ours}; {want} by {by}")
    return lines


def page(settings: dict, files: list[dict], told: dict) -> str:
    peers = settings["peers"]
    versions = ", ".join(f"{name} {peers[name]['version']}" for name in PEERS)
    rows = [[what, OURS.get(what, "yes"), *cells] for what, *cells in FORMATS]
    behind = worse(files, told) or ["None of these files."]
    return f"""# Tagship and other scanners of model files

Written by `cargo xtask bench scanners`, which makes every file, runs every scanner and writes this page. Held against each other:
Tagship, {versions}, on Python {peers['picklescan']['python']}.

## How it was measured

The bench writes all files itself, by fixed seeds. Hostile ones are put together byte by byte, one for each published way past a
scanner, and are never loaded. Benign ones are written by scikit-learn, joblib, XGBoost, LightGBM, numpy, pandas, safetensors, onnx,
skops, gguf and Keras. PyTorch is not among the writers, since its package is too large for this; its layout is made by hand.

A scanner's exit code is its answer: 0 passed, 1 flagged, anything else (an error, nothing scanned, a minute gone) not judged. That
is what a job in a workflow sees. picklescan also ends with 0 on a file of a format that it does not read, so that such a
pass is no judgement; modelaudit judges by the Python packages that are installed beside it, here none but its own. Scanners run with their defaults, as their packages install them: modelscan without TensorFlow,
fickling without PyTorch; picklescan with its extra for 7z. Who writes the files chooses what is in them: these are the ways that we
know, and a scanner that was built for one format is asked about all.

## Hostile files: flagged

{detection(files, told, 'hostile', 'flagged')}

## Benign files: passed

{detection(files, told, 'benign', 'passed')}

## Where another is better

{chr(10).join(behind)}
- modelaudit reads more kinds of files than Tagship, 7z archives and CoreML among them, and writes a bill of materials.
- picklescan and fickling are a few hundred kilobytes of Python that can be imported; fickling also takes pickles apart and puts
  them together.
- A pickle with classes of your own is rejected here until you list them; picklescan lets what it does not know pass.

## Formats

As their documentation says; Tagship's are in the [guide](guides/model-files.md).

{table(['format', 'Tagship', *PEERS], rows)}
{chr(10) + '## Speed' + chr(10) + chr(10) + 'Processor seconds and most memory of one run each, and how many times what Tagship took. One machine, one after the other; short' + chr(10) + 'runs are the least of three. The ratios travel, the seconds do not.' + chr(10) + chr(10) + speed(settings) + chr(10) if settings.get('large') else ''}"""


def main():
    settings = json.loads(Path(sys.argv[1]).read_text())
    root = Path(settings["files"])
    files = json.loads((root / "files.json").read_text())
    target = Path(sys.argv[2]).absolute()
    # Some write what they found to where they run.
    with tempfile.TemporaryDirectory() as nowhere:
        os.chdir(nowhere)
        target.write_text(page(settings, files, endings(settings, [file["path"] for file in files])))
        os.chdir("/")


if __name__ == "__main__":
    main()
