from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from auditapp.report.annex_iv import annex_iv
from auditapp.report.markdown import annex_iv_markdown
from auditapp.statements.document import Statement, Statements
from automl.evidence import Evidence
from tests.evidence_example import make_evidence
from tests.evidence_variants import hostile, multiclass, predictions, regression


@pytest.mark.parametrize("make", [make_evidence, multiclass, regression, predictions, hostile])
def test_every_kind_of_run_has_its_points_as_headings_and_whole_tables(make: Callable[[], Evidence]) -> None:
    text = annex_iv_markdown(annex_iv(make(), None))
    assert len(re.findall(r"^## ", text, flags=re.MULTILINE)) == 20
    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    for rows in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows.splitlines()}) == 1


def test_strings_of_strangers_can_form_neither_markup_nor_links() -> None:
    said = Statements(run="run_x", evidence_digest="0" * 64, version=1, fields={
        "purpose": Statement(text="# A heading\n<script>alert(1)</script> [x](https://example.org) | *bold*", author="e<b>ve", role="owner", at="2026-11-21T10:00:00Z")})
    text = annex_iv_markdown(annex_iv(hostile(), said))
    assert "<script" not in text
    assert "e<b>ve" not in text
    assert "https://" not in text
    assert not re.search(r"(?<!\\)\[", text)
    assert not re.search(r"^# A heading", text, flags=re.MULTILINE)


def test_a_kind_of_block_without_markdown_is_an_error() -> None:
    document = annex_iv(make_evidence(), None)
    document["points"][0]["blocks"].append({"kind": "chart"})
    with pytest.raises(ValueError, match="no Markdown for a block of kind chart"):
        annex_iv_markdown(document)
