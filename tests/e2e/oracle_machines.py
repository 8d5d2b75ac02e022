"""The same bytes, the same report: whatever Python, home, folder, language and time zone a machine has."""

import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import hostile_pickles
import numpy
import onnx
import safetensors.numpy
from oracle_onnx import MODELS


def fill(directory: Path):
    """A folder with something of every kind that depends on a library when others judge it."""
    for hostile in hostile_pickles.corpus():
        name = "".join(letter if letter.isalnum() else "-" for letter in hostile.name)
        (directory / f"{hostile.family}-{name}.pkl").write_bytes(hostile.data)
    for at, make in enumerate(MODELS):
        onnx.save(make(), directory / f"model-{at}.onnx")
    numpy.save(directory / "objects.npy", numpy.array([{"a": 1}], dtype=object), allow_pickle=True)
    numpy.savez(directory / "arrays.npz", a=numpy.eye(3), b=numpy.arange(4))
    (directory / "array.pkl").write_bytes(pickle.dumps(numpy.eye(3)))
    safetensors.numpy.save_file({"w": numpy.eye(3)}, directory / "w.safetensors")


def report(tagship: str, directory: Path, working: str, environment: dict) -> bytes:
    files = sorted(path.name for path in directory.iterdir())
    # From another folder through a link, since a report names paths as they were given.
    link = Path(working, "artifacts")
    if not link.exists():
        link.symlink_to(directory)
    command = [tagship, "validate", "--format", "json", "artifacts", *(f"artifacts/{name}" for name in files)]
    done = subprocess.run(command, cwd=working, env=environment, capture_output=True, check=False)
    if done.returncode != 1 or not done.stdout:
        raise SystemExit(f"tagship validate ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    return done.stdout


def run(tagship: str) -> bool:
    with tempfile.TemporaryDirectory() as scratch:
        models, one, other = (Path(scratch, name) for name in ("models", "one", "a deeper/other ö"))
        for directory in (models, one, other):
            directory.mkdir(parents=True)
        fill(models)
        packages = Path(sys.prefix, "lib")
        machines = {
            "this Python in front": (one, {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(one)}),
            "no program at all": (one, {"PATH": "/nonexistent", "HOME": "/nonexistent"}),
            "nothing said": (other, {}),
            "other modules": (other, {"PATH": "/usr/bin", "PYTHONPATH": str(packages), "PYTHONHOME": "/nonexistent", "HOME": str(other)}),
            "another language and time zone": (other, {"PATH": "/usr/bin:/bin", "LANG": "de_DE.UTF-8", "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Apia"}),
            "one processor": (one, {"PATH": "/usr/bin:/bin", "RAYON_NUM_THREADS": "1", "COLUMNS": "20", "NO_COLOR": "1"}),
        }
        told = {name: report(tagship, models, str(working), environment) for name, (working, environment) in machines.items()}
        first = next(iter(told.values()))
        different = [name for name, answer in told.items() if answer != first]
    print(f"machines: the same {len(first)} bytes of report on {len(told)} kinds of machine; {len(different)} differ")
    for name in different:
        print(f"  {name} differs from {next(iter(told))}")
    return not different
