"""Which of the drafts of a drawn report is signed: the one that says the PAdES level that is really reached. Only processes that hold the key come here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from auditapp.bundles import check_plain, open_plain
from auditapp.report.signature_level import levels_asked
from automl.bundle import BrokenBundle
from workers.render import PDF_NAME, draft_name

if TYPE_CHECKING:
    from auditapp.report.sign import Signed


def sign_drafts(bundle: Path) -> Signed:
    """The signed report of a drawn bundle. ``audit.unsigned.pdf`` is then the draft that was signed, and the others are gone; where none was, it stays the one that was asked for.

    Raises as `auditapp.report.sign.sign_pdf`, and BrokenBundle where the report is missing or no plain file.
    """
    from auditapp.report.sign import LevelNotReached, sign_pdf

    check_plain(bundle)
    if not (bundle / PDF_NAME).exists():
        raise BrokenBundle(f"{PDF_NAME} is missing")
    levels = levels_asked()
    drafts = {level: bundle / draft_name(place, level) for place, level in enumerate(levels)}
    level = levels[0]
    try:
        while True:
            try:
                with open_plain(drafts[level]) as file:
                    signed = sign_pdf(file.read())
            except LevelNotReached as why:
                if why.instead not in drafts:
                    raise
                level = why.instead
            else:
                drafts[level].replace(bundle / PDF_NAME)
                return signed
    finally:
        for draft in drafts.values():
            if draft.name != PDF_NAME:
                draft.unlink(missing_ok=True)
