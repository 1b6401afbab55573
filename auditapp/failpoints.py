"""Places where a test may make a process die, hang or eat memory. Dead code unless PLUMBLINE_TESTING=1.

PLUMBLINE_FAILPOINT holds ``name:action`` pairs, separated by commas, such as ``evidence:kill,trial-3:spin``. Where PLUMBLINE_FAILPOINT_ONCE
names a folder, each pair strikes once in that folder's life, whichever process comes first, and the file ``failpoint`` in it, where there is
one, stands in for the variable: so a story can set the next strike under a worker that runs.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from pathlib import Path

ACTIONS = ("kill", "spin", "sleep", "memory", "fail", "full")


def testing() -> bool:
    return os.environ.get("PLUMBLINE_TESTING") == "1"


def failpoint(name: str) -> None:
    """Do what PLUMBLINE_FAILPOINT asks for at ``name``: usually nothing."""
    if not testing():
        return
    for pair in _pairs().split(","):
        where, _, action = pair.partition(":")
        if where == name and _first_time(pair):
            _strike(name, action)


def _pairs() -> str:
    try:
        return Path(os.environ["PLUMBLINE_FAILPOINT_ONCE"], "failpoint").read_text()
    except (KeyError, FileNotFoundError):
        return os.environ.get("PLUMBLINE_FAILPOINT", "")


def _first_time(pair: str) -> bool:
    folder = os.environ.get("PLUMBLINE_FAILPOINT_ONCE")
    if not folder:
        return True
    try:
        os.close(os.open(os.path.join(folder, pair.replace(":", "-")), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    return True


def _strike(name: str, action: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "spin":
        # One call in C that never ends, and deaf: only SIGKILL helps
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sum(itertools.repeat(0))
    elif action == "sleep":
        time.sleep(3600)
    elif action == "memory":
        hoard = []
        while True:
            hoard.append(bytearray(os.urandom(1024)) * (64 * 1024))
    elif action == "full":
        raise OSError(28, "No space left on device")
    elif action == "fail":
        raise RuntimeError(f"failpoint {name}")
    else:
        raise ValueError(f"PLUMBLINE_FAILPOINT: {action!r} is none of {', '.join(ACTIONS)}")
