from __future__ import annotations

import re

import segno

from auditapp.report.qr_code import QUIET_ZONE, qr_code

ADDRESS = "https://audit.example.org/verify"


def test_the_same_address_gives_the_same_picture_and_another_another() -> None:
    assert qr_code(ADDRESS) == qr_code(ADDRESS) != qr_code(f"{ADDRESS}/")


def test_each_dark_module_is_drawn_and_the_quiet_zone_is_left() -> None:
    """The path draws rows of dark modules: as many in all as the code has."""
    svg = qr_code(ADDRESS).decode()
    matrix = segno.make(ADDRESS, error="m", micro=False).matrix
    assert f'width="{len(matrix) + 2 * QUIET_ZONE}"' in svg
    assert sum(map(int, re.findall(r"h(\d+)", svg))) == sum(map(sum, matrix))
