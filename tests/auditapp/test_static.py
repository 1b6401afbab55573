"""The files of others are what their packages hold, and our style sheet asks for nothing that is not there."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
import vl_convert
from django.conf import settings

STATIC = Path(settings.BASE_DIR) / "auditapp" / "static"


def test_vendored_files_are_unchanged_and_all_listed() -> None:
    listed = dict(reversed(line.split(maxsplit=1)) for line in (STATIC / "vendor" / "SHA256SUMS").read_text().splitlines())
    found = {str(path.relative_to(STATIC / "vendor")): hashlib.sha256(path.read_bytes()).hexdigest() for path in (STATIC / "vendor").glob("*/*")}
    assert found == listed
    assert {"bootstrap/LICENSE", "htmx/LICENSE"} <= set(found)


def test_every_picture_of_the_style_sheet_exists_and_none_is_inlined() -> None:
    text = (STATIC / "plumbline" / "plumbline.css").read_text()
    addresses = re.findall(r'url\("?([^")]+)"?\)', text)
    assert addresses
    assert all((STATIC / "plumbline" / address).is_file() for address in addresses)
    assert "data:" not in text


@pytest.mark.slow
def test_explore_draws_with_the_code_that_drew_the_pictures() -> None:
    """The bundle is the installed vl-convert's own: who renews that wheel makes it anew (vendor/README.md)."""
    assert (STATIC / "vendor" / "vega" / "vega-embed.min.js").read_text() == vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
