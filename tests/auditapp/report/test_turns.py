"""How many files are verified at once, whatever process asks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from auditapp.report.turns import Busy, turn


def test_the_third_waits_no_longer_than_its_patience_and_is_told_so(tmp_path: Path) -> None:
    with turn(tmp_path), turn(tmp_path), pytest.raises(Busy, match="try again in a few seconds"), turn(tmp_path, patience=0):
        pass
    with turn(tmp_path, patience=0):
        pass


def test_a_holder_that_dies_gives_its_turn_back(tmp_path: Path) -> None:
    holding = f"import sys; from pathlib import Path; from auditapp.report.turns import turn\nwith turn(Path({str(tmp_path)!r}), at_once=1):\n    print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder.stdin, holder.stdout:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy), turn(tmp_path, at_once=1, patience=0):
            pass
        holder.kill()
        holder.wait()
    with turn(tmp_path, at_once=1, patience=0):
        pass


def test_an_error_within_gives_the_turn_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), turn(tmp_path, at_once=1):
        raise ZeroDivisionError
    with turn(tmp_path, at_once=1, patience=0):
        pass
