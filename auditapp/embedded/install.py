"""The virtual environment `.venv` and the pinned requirements, made once and skipped while nothing changed.

Runs before anything is installed, so it imports the standard library only: `python3.11 auditapp/embedded/install.py requirements.txt [tests/requirements.txt]`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEAST_FREE_BYTES = 2**30
COMPILED = ROOT / "automl" / "learn" / "trees.py", ROOT / "automl" / "learn" / "tree_shap.py"
"""Sources of ours that numba compiles."""


def main(arguments: list[str]) -> int:
    requirements = [ROOT / name for name in arguments]
    if sys.version_info[:2] != (3, 11):
        return _refuse(f"Plumbline runs on Python 3.11; this is Python {sys.version_info[0]}.{sys.version_info[1]} (make run PYTHON=/path/to/python3.11)")
    venv = Path(os.environ.get("PLUMBLINE_VENV", ROOT / ".venv"))
    wanted = _digest(requirements)
    stamp = venv / f".installed-{len(requirements)}"
    if not (stamp.exists() and stamp.read_text() == wanted and _works(venv)):
        free = shutil.disk_usage(ROOT).free
        if free < LEAST_FREE_BYTES:
            return _refuse(f"{free / 2**20:.0f} MB are free in {ROOT}; setting up needs at least 1 GB (several GB where torch fetches its CUDA libraries)")
        if refused := _make_venv(venv) or _install(venv, requirements, stamp, wanted):
            return refused
    _compile(venv)
    return 0


def _compile(venv: Path) -> None:
    """Byte code, and the machine code of what numba compiles, whenever our sources have changed: once instead of in every run, whose child may write none. Where it fails, each run compiles."""
    subprocess.run([venv / "bin/python", "-m", "compileall", "-q", "automl", "auditapp", "workers"], cwd=ROOT, capture_output=True)
    stamp, now = venv / ".compiled", "\n".join(f"{path} {path.stat().st_mtime_ns}" for path in COMPILED if path.exists())
    if stamp.exists() and stamp.read_text() == now:
        return
    done = subprocess.run([venv / "bin/python", "-c", "from automl.learn.tree_shap import warm_up; warm_up()"], cwd=ROOT, capture_output=True)
    if done.returncode == 0:
        stamp.write_text(now)


def _digest(requirements: list[Path]) -> str:
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in requirements) + sys.version.encode()).hexdigest()


def _works(venv: Path) -> bool:
    """Whether the environment's own Python starts and is 3.11: a moved or half-made environment does not."""
    try:
        answer = subprocess.run([venv / "bin/python", "-c", "import sys, pip; print(sys.version_info[:2] == (3, 11))"], capture_output=True, text=True)
    except OSError:
        return False
    return answer.stdout.strip() == "True"


def _make_venv(venv: Path) -> int:
    if _works(venv):
        return 0
    print(f"Making the virtual environment {venv.name} ...", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], capture_output=True, text=True)
    if made.returncode == 0 and _works(venv):
        return 0
    if "ensurepip" in made.stdout + made.stderr or "No module named venv" in made.stderr:
        return _refuse("this Python cannot make virtual environments: the Debian package python3.11-venv is needed")
    said = (made.stderr or made.stdout).strip().splitlines()
    return _refuse(f"the virtual environment {venv} could not be made: {said[-1] if said else 'no reason was given'}")


def _install(venv: Path, requirements: list[Path], stamp: Path, wanted: str) -> int:
    print(f"Installing {' and '.join(str(path.relative_to(ROOT)) for path in requirements)} (once; it is skipped while they do not change) ...", flush=True)
    command: list[str] = [str(venv / "bin/python"), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    if sys.stdout.isatty():
        command.remove("--quiet")
    for path in requirements:
        command += ["-r", str(path)]
    installed = subprocess.run(command)
    if installed.returncode:
        free = shutil.disk_usage(venv).free
        why = f"only {free / 2**20:.0f} MB are free on the disk" if free < LEAST_FREE_BYTES // 2 else "pip's own words stand above"
        return _refuse(f"the requirements could not be installed: {why}")
    stamp.write_text(wanted)
    return 0


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
