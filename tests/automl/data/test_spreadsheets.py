"""XLSX: the archive is weighed before it is parsed, and cells become text by the rule."""

from __future__ import annotations

import contextlib
import datetime
import io
import random
import re
import stat
import struct
import zipfile

import openpyxl
import pytest

from automl.data.limits import TableLimits
from automl.errors import BadInput
from automl.spec import TableOptions


def workbook(rows, **sheets) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "first"
    for row in rows:
        book.active.append(row)
    for name, more in sheets.items():
        sheet = book.create_sheet(name)
        for row in more:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def changed(raw: bytes, *, add=(), replace=None) -> bytes:
    """The archive with entries added or replaced."""
    replace = replace or {}
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, replace.get(entry.filename, old.read(entry.filename)))
        for name, content in add:
            new.writestr(name, content)
    return out.getvalue()


def refusal(table_of, content, **how) -> str:
    with pytest.raises(BadInput) as caught:
        table_of(content, **how)
    assert "\n" not in caught.value.sentence
    return caught.value.sentence


SMALL = [["id", "age", "when", "ok", "share"], ["007", 41, datetime.date(2024, 1, 31), True, 0.5], ["008", 42.0, datetime.datetime(2024, 1, 31, 8, 30), False, None]]
SHEET = "xl/worksheets/sheet1.xml"


def test_cells_become_text_by_the_stated_rule(table_of):
    table = table_of(workbook(SMALL))
    assert table.names == ("id", "age", "when", "ok", "share")
    columns = {name: table.cells.column(name).to_pylist() for name in table.names}
    assert columns == {"id": ["007", "008"], "age": ["41", "42"], "when": ["2024-01-31", "2024-01-31T08:30:00"], "ok": ["true", "false"], "share": ["0.5", ""]}
    assert table.reading.format == "xlsx"


def test_the_first_sheet_is_read_and_another_can_be_named(table_of):
    raw = workbook(SMALL, second=[["x"], [1], [2]])
    assert table_of(raw).reading.sheet == "first"
    other = table_of(raw, options=TableOptions(sheet="second"))
    assert (other.names, other.rows, other.reading.sheets) == (("x",), 2, ("first", "second"))
    assert "a delimiter was named, and the file is no text table" in refusal(table_of, raw, options=TableOptions(delimiter=";"))
    assert "a sheet was named, and the file is no spreadsheet" in refusal(table_of, "a,b\n1,2\n", options=TableOptions(sheet="second"))
    assert "no sheet 'secand'; did you mean 'second'" in refusal(table_of, raw, options=TableOptions(sheet="secand"))


def test_header_faults_are_refused_with_their_position(table_of):
    assert "positions 1 and 2" in refusal(table_of, workbook([["a", "a"], [1, 2]]))
    assert "column 2 has no name" in refusal(table_of, workbook([["a", None, "c"], [1, 2, 3]]))
    assert "no rows" in refusal(table_of, workbook([["a", "b"]]))
    assert "is empty" in refusal(table_of, workbook([]))


@pytest.mark.slow
def test_t25_a_bomb_is_refused_by_its_declared_size(table_of):
    bomb = changed(workbook(SMALL), add=[("xl/media/x.bin", b"0" * 320_000_000)])
    assert len(bomb) < 500_000
    assert "unpacks to 305 MB; the limit is 300 MB" in refusal(table_of, bomb)


def test_t25_a_bomb_is_refused_by_its_ratio(table_of):
    assert "more than 100 times" in refusal(table_of, changed(workbook(SMALL), add=[("xl/media/x.bin", b"0" * 100_000_000)]))


def test_an_entry_that_declares_too_little_is_refused(table_of):
    raw = bytearray(workbook(SMALL))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        entry = archive.getinfo(SHEET)
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = 0
        while (at := raw.find(signature, at)) >= 0:
            if struct.unpack_from("<I", raw, at + offset)[0] == entry.file_size:
                struct.pack_into("<I", raw, at + offset, 10)
            at += 4
    assert "declares 10 bytes" in refusal(table_of, bytes(raw))


def test_too_many_entries_are_refused(table_of):
    assert "entries; the limit is 2,000" in refusal(table_of, changed(workbook(SMALL), add=[(f"xl/x{i}", b"") for i in range(2_001)]))


def test_two_cells_at_opposite_corners_are_refused(table_of):
    with zipfile.ZipFile(io.BytesIO(workbook(SMALL))) as archive:
        sheet = archive.read(SHEET)
    far = sheet.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')
    assert far != sheet
    sentence = refusal(table_of, changed(workbook(SMALL), replace={SHEET: far}))
    assert "16,384" in sentence
    assert "the limit is 2,000 columns" in sentence
    tall = sheet.replace(b"</sheetData>", b'<row r="1048576"><c r="ALL1048576"><v>1</v></c></row></sheetData>')
    assert "spans 1,048,576,000 cells" in refusal(table_of, changed(workbook(SMALL), replace={SHEET: tall}))


@pytest.mark.parametrize("place", [
    b'r="xfd1048576"', b"r = 'XFD1048576'", b'r="XFD0000001048576"', b'y="' + b"z" * 500 + b'" r="XFD1048576"', b'y=">" r="XFD1048576"', b"r" + b" " * 3_000 + b'="XFD1048576"',
    b'r="' + b"A" * 30 + b'5"', b'r="B' + b"9" * 30 + b'"', b'r="B' + b"9" * 300 + b'"',
])
@pytest.mark.parametrize("name", [SHEET, "xl/elsewhere/one.txt"])
def test_no_spelling_and_no_name_hides_a_far_cell(table_of, place, name):
    """The reader would lay out a grid of 17 billion cells, and die of it without a sentence."""
    with zipfile.ZipFile(io.BytesIO(workbook(SMALL))) as archive:
        sheet, types, links = (archive.read(entry) for entry in (SHEET, "[Content_Types].xml", "xl/_rels/workbook.xml.rels"))
    far = sheet.replace(b"</sheetData>", b"<row><c " + place + b"><v>1</v></c></row></sheetData>")
    moved = {"[Content_Types].xml": types.replace(SHEET.encode(), name.encode()), "xl/_rels/workbook.xml.rels": links.replace(SHEET.removeprefix("xl/").encode(), name.removeprefix("xl/").encode())}
    raw = changed(workbook(SMALL), replace={**moved, SHEET: far}) if name == SHEET else changed(workbook(SMALL), replace=moved, add=[(name, far)])
    sentence = refusal(table_of, raw)
    assert "the limit is" in sentence or "in an unusual way" in sentence


def in_utf16(part: bytes, order: str) -> bytes:
    text = re.sub(r"^<\?xml.*?\?>", "", part.decode())
    return f'\ufeff<?xml version="1.0" encoding="UTF-16"?>{text}'.encode(f"utf-16-{order}")


@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("prefix", [b"", b"x:"])
def test_a_sheet_in_utf_16_is_refused_as_that(table_of, order, prefix):
    """The reader finds nothing in it, and "the sheet is empty" would send people to look for their rows."""
    with zipfile.ZipFile(io.BytesIO(workbook(SMALL))) as archive:
        sheet = archive.read(SHEET)
    named = sheet.replace(b"<sheetData", b"<" + prefix + b"sheetData").replace(b"</sheetData", b"</" + prefix + b"sheetData")
    sentence = refusal(table_of, changed(workbook(SMALL), replace={SHEET: in_utf16(named, order)}))
    assert sentence == "a sheet is written in UTF-16, and only UTF-8 is read; save it again as .xlsx"


def test_a_workbook_all_in_utf_16_is_refused_as_that(table_of):
    with zipfile.ZipFile(io.BytesIO(workbook(SMALL))) as archive:
        parts = {name: in_utf16(archive.read(name), "le") for name in archive.namelist()}
    assert "written in UTF-16" in refusal(table_of, changed(workbook(SMALL), replace=parts))


def test_a_part_beside_the_sheets_may_be_in_utf_16(table_of):
    """Power Query keeps its settings that way."""
    query = b'<DataMashup xmlns="http://schemas.microsoft.com/DataMashup">sheetData</DataMashup>'
    assert table_of(changed(workbook(SMALL), add=[("customXml/item1.xml", in_utf16(query, "le"))])).rows == 2


def test_places_in_other_parts_of_the_workbook_are_not_the_tables(table_of):
    chain = b'<calcChain><c r="XFD1048576" i="1"/></calcChain>'
    assert table_of(changed(workbook(SMALL), add=[("xl/calcChain.xml", chain)])).rows == 2


def test_too_many_rows_are_refused(table_of):
    assert "the limit is 5 rows" in refusal(table_of, workbook([["a"], *[[i] for i in range(10)]]), limits=TableLimits(rows=5))


def test_t27_macros_embedded_files_and_links_are_refused(table_of):
    assert "macros" in refusal(table_of, changed(workbook(SMALL), add=[("xl/vbaProject.bin", b"x")]))
    assert "other files inside" in refusal(table_of, changed(workbook(SMALL), add=[("xl/embeddings/oleObject1.bin", b"x")]))
    assert "other files inside" in refusal(table_of, changed(workbook(SMALL), add=[("nested.zip", b"x")]))
    link = zipfile.ZipInfo("xl/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "symbolic link" in refusal(table_of, changed(workbook(SMALL), add=[(link, b"/etc/passwd")]))


def test_t27_an_encrypted_archive_is_refused(table_of):
    raw = bytearray(workbook(SMALL))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = 0
        while (at := raw.find(signature, at)) >= 0:
            raw[at + offset] |= 1
            at += 4
    assert "encrypted" in refusal(table_of, bytes(raw))


def test_a_password_protected_workbook_and_an_old_one_are_refused(table_of):
    assert "without a password" in refusal(table_of, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600)


def test_another_zip_archive_is_refused(table_of):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("table.csv", "a,b\n1,2\n")
    assert "not a spreadsheet" in refusal(table_of, out.getvalue())


def test_t37_zip_slip_names_are_ignored_because_nothing_is_extracted(table_of, tmp_path):
    table = table_of(changed(workbook(SMALL), add=[("../../slipped.txt", b"x"), ("/absolute.txt", b"x")]))
    assert table.rows == 2
    assert not list(tmp_path.parent.parent.glob("slipped.txt"))


def test_a_nul_character_is_refused_or_never_arrives(table_of):
    with zipfile.ZipFile(io.BytesIO(workbook([["a"], ["xMARKx"]]))) as archive:
        sheet = archive.read(SHEET)
    assert b"MARK" in sheet
    for nul in (b"\x00", b"&#0;"):
        raw = changed(workbook([["a"], ["xMARKx"]]), replace={SHEET: sheet.replace(b"MARK", nul)})
        try:
            texts = table_of(raw).cells.column("a").to_pylist()
        except BadInput:
            continue
        assert not any("\x00" in text for text in texts)


def test_t26_damaged_archives_end_in_a_table_or_a_sentence(table_of):
    whole, chance = workbook(SMALL), random.Random(7)
    for _ in range(300):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(4, len(raw))] = chance.randrange(256)
        with contextlib.suppress(BadInput):  # anything else fails the test
            table_of(bytes(raw))
    for cut in range(30, len(whole), 97):
        with pytest.raises(BadInput):
            table_of(whole[:cut])


def test_damaged_xml_inside_a_sound_archive_ends_in_a_table_or_a_sentence(table_of):
    whole, chance = workbook(SMALL), random.Random(11)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in ("xl/workbook.xml", SHEET, "xl/sharedStrings.xml", "xl/styles.xml") if name in archive.namelist()}
    for _ in range(200):
        name = chance.choice(list(parts))
        part = bytearray(parts[name])
        for _ in range(chance.randint(1, 5)):
            part[chance.randrange(len(part))] = chance.choice(b"<>\"'/&;0129ABZrtcv \x00")
        with contextlib.suppress(BadInput):  # anything else fails the test
            table_of(changed(whole, replace={name: bytes(part)}))


def test_entity_expansion_is_not_followed(table_of):
    with zipfile.ZipFile(io.BytesIO(workbook(SMALL))) as archive:
        sheet = archive.read(SHEET)
    entities = b"".join(b'<!ENTITY e%d "%s">' % (i, (b"&e%d;" % (i - 1)) * 10 if i else b"lol") for i in range(10))
    laugh = sheet.replace(b"<worksheet", b"<!DOCTYPE worksheet [" + entities + b"]><worksheet", 1).replace(b"<v>41</v>", b"<v>&e9;</v>")
    try:
        table = table_of(changed(workbook(SMALL), replace={SHEET: laugh}))
    except BadInput:
        return
    assert sum(map(len, table.cells.column("age").to_pylist())) < 1_000


