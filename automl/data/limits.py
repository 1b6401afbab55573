"""How much of a table is read before it is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TableLimits:
    """Bounds on one table. ``bytes`` bounds the file and what it unpacks to; ``cells`` rows times columns; ``groups`` the levels of
    one sensitive attribute; ``unpack_ratio`` unpacked over packed size, looked at from ``unpack_floor`` unpacked bytes on.
    """

    bytes: int = 500 * 2**20
    rows: int = 2_000_000
    columns: int = 2_000
    groups: int = 50
    cells: int = 100_000_000
    unpack_ratio: int = 100
    unpack_floor: int = 10 * 2**20


def in_megabytes(size: int) -> str:
    """``size`` bytes in words, as every refusal prints it: "500 MB" (2**20 bytes)."""
    return f"{size / 2**20:,.0f} MB" if size >= 2**20 else f"{size:,} bytes"
