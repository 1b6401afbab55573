"""An address as a QR code: an SVG of fixed form, the same address giving the same bytes."""

from __future__ import annotations

import io

import segno

QUIET_ZONE = 2
"""Modules of white around it; the page around it is white too."""


def qr_code(address: str) -> bytes:
    """SVG of the QR code, one unit a module, black on nothing; up to 15 % of it may be unreadable on a print."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind="svg", border=QUIET_ZONE, xmldecl=False, svgclass=None, lineclass=None, nl=False)
    return out.getvalue()
