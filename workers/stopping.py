"""Tells the pool's processes that their worker is being stopped: one shared byte, made before the fork, set by the parent."""

from __future__ import annotations

import mmap

_flag = mmap.mmap(-1, 1)


def ask() -> None:
    """From now on, whoever supervises hands its run back."""
    _flag[0] = 1


def asked() -> bool:
    return _flag[0] == 1
