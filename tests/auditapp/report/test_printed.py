"""What the product itself says of the numbers on a signed report's pages; `tests.numbers_of_evidence` holds the same by other code."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from auditapp.report.printed import page_texts, unfounded
from auditapp.report.render import Attachment, compile_pdf
from auditapp.report.verify import check_pdf
from tests.auditapp.report.test_render import document


@pytest.mark.parametrize(("text", "missing"), [
    ("0.294 (0.262 to 0.330)", []), ("29.4 %", []), ("0.295", ["0.295"]), ("12,240 rows of 48,842", []), ("48,843", ["48,843"]), ("−0.05 and 1.3e−15", []), ("1.4e−15", ["1.4e−15"]),
    ("page 38 / 41, Table 61.", []), ("[U+65E5 U+672C] 2026-11-22", []), ("2027-11-22", ["2027"]), (f"{'0a1b2c3d' * 8}", []), ("0.295 and 0.295", ["0.295"]),
])
def test_a_number_is_founded_at_the_digits_printed(text: str, missing: list[str]) -> None:
    evidence = {"rate": 0.29412, "low": 0.2619, "high": [0.33049], "n": 12240, "text": "of 48,842 on 2026-11-22", "gap": -0.0512, "tiny": 1.3e-15, "flag": True}
    assert unfounded([text], [evidence]) == missing


@pytest.mark.parametrize(("text", "missing"), [
    ("0,294 (0,262 bis 0,330)", []), ("29,4 %", []), ("0,295", ["0,295"]), ("12.240 Zeilen von 48.842.", []), ("48.843", ["48.843"]), ("−0,05 und 1,3e−15", []), ("Seite 38 / 41, Tabelle 61.", []),
    ("22.11.2026", []), ("12,240", ["12,240"]),
])
def test_a_german_number_is_read_as_germans_write_it(text: str, missing: list[str]) -> None:
    evidence = {"rate": 0.29412, "low": 0.2619, "high": [0.33049], "n": 12240, "text": "of 48,842 on 2026-11-22", "gap": -0.0512, "tiny": 1.3e-15}
    assert unfounded([text], [evidence], "de") == missing


def a_report(**blocks: Any) -> bytes:
    return compile_pdf(document(blocks=[{"kind": "text", "text": "A rate of 0.294 (0.262 to 0.330) [in 12,240 rows] \\ 5.25."}]), {}, [Attachment("evidence.json", b"{}", "application/json", "data", "e")])


@pytest.mark.slow
def test_the_text_of_the_pages_is_what_another_reader_sees(tmp_path: Path, unsigned: bytes) -> None:
    for pdf in (a_report(), unsigned):
        (tmp_path / "r.pdf").write_bytes(pdf)
        seen = subprocess.run(["pdftotext", "-layout", str(tmp_path / "r.pdf"), "-"], capture_output=True, text=True, check=True).stdout
        mine = list(page_texts(PdfFileReader(io.BytesIO(pdf))))
        ours = sorted("".join("".join(mine).split()))
        theirs = sorted(letter for letter in "".join(seen.split()) if letter.isprintable())  # it tells of word joiners, too
        # Pictures are objects of their own, which the other reader reads too
        assert ours == theirs if pdf is not unsigned else not [letter for letter in set(ours) if ours.count(letter) > theirs.count(letter)]
    assert any("0.294 (0.262 to 0.330) [in 12,240 rows] \\ 5.25." in text for text in page_texts(PdfFileReader(io.BytesIO(a_report()))))
    assert unfounded(page_texts(PdfFileReader(io.BytesIO(a_report()))), [{"rate": 0.294}]) == ["0.262", "0.330", "12,240", "5.25"]


@pytest.mark.slow
def test_a_signed_report_says_that_its_numbers_are_the_evidences(unsigned: bytes, own_key: Path) -> None:
    from pyhanko.keys import load_certs_from_pemder_data

    from auditapp.report.sign import sign_pdf

    ours = list(load_certs_from_pemder_data((own_key / "certificate.pem").read_bytes()))
    verdict = check_pdf(sign_pdf(unsigned).bytes, ours, numbers=True)
    assert verdict.valid
    assert verdict.numbers == "every number on its pages is one of the attached evidence's, at the digits printed"
