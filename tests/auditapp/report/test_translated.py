"""A document and a picture in German: our words and the numbers change, what is quoted from the data stays, and legends keep room for longer words."""

from __future__ import annotations

from typing import Any

from auditapp.report.blocks import data_text, facts, quotations_marked, table
from auditapp.report.context import report_data
from auditapp.report.translated import chart_in_language, in_language
from automl.evidence import Chart, Charts, ChartTable
from tests.evidence_example import make_evidence


def picture(name: str, rows: list[dict[str, Any]], **encoding: Any) -> Chart:
    spec = {"datasets": {"d": rows}, "encoding": {"x": {"title": ["selection rate, with 95 %", "interval"]}, **encoding}}
    return Chart(name=name, section="fairness", title="Selection rate by sex", sentence="Selection rate by sex, lowest and highest. no: 7.3 % (6.6 to 8.2), n = 4,000.",
                 spec=spec, table=ChartTable(columns=("group",), rows=(("no",),)))


def test_names_from_the_data_stay_and_words_of_ours_do_not() -> None:
    with quotations_marked():
        blocks = [facts([("Favourable outcome", data_text("yes")), ("Weights", "none")]), table("Outcomes by group", [("group", "left", 1), ("n", "right", 0)], [(data_text("no"), "1,200")])]
    said = in_language({"title": "no", "run": "run_1", "sections": [{"number": "6", "title": "Outcomes by group", "blocks": blocks}]}, "de")
    section = said["sections"][0]
    assert (said["lang"], said["title"], section["title"]) == ("de", "no", "Ausgänge nach Gruppe")
    assert section["blocks"][0]["rows"] == [["Günstiger Ausgang", "yes"], ["Gewichte", "keine"]]
    assert section["blocks"][1]["rows"] == [["no", "1.200"]]
    assert section["blocks"][1]["align"] == ["left", "right"]


def test_a_report_in_english_has_no_marks_and_one_in_german_has_the_same_shape() -> None:
    english, german = (report_data(make_evidence(), Charts(), lang=lang) for lang in ("en", "de"))
    assert not any("\ue000" <= character <= "\ue0ff" for document in (english, german) for character in str(document))
    assert [[block["kind"] for block in section["blocks"]] for section in english["sections"]] == [[block["kind"] for block in section["blocks"]] for section in german["sections"]]
    assert (english["lang"], german["lang"]) == ("en", "de")
    assert german["sections"][1]["title"] == "Befunde auf einen Blick"


def test_a_picture_of_groups_keeps_their_names_and_says_the_rest_in_german() -> None:
    rows = [{"label": "no (n = 4,000)", "status": "below", "value": 0.07}, {"label": "below", "status": "reference", "value": 0.2}]
    domain = {"title": "against the limit", "scale": {"domain": ["below", "reference"]}, "legend": {"columns": 4}}
    english = picture("selection-rate-1", rows, color=domain)
    german = chart_in_language(english, "de")
    assert german.title == "Selektionsrate nach sex"
    assert german.sentence == "Selektionsrate nach sex, niedrigste und höchste. no: 7,3 % (6,6 bis 8,2), n = 4.000."
    assert german.spec["datasets"]["d"] == [{"label": "no (n = 4.000)", "status": "unterhalb", "value": 0.07}, {"label": "below", "status": "Referenz", "value": 0.2}]
    assert german.spec["encoding"]["color"]["scale"]["domain"] == ["unterhalb", "Referenz"]
    assert german.spec["encoding"]["x"]["title"] == ["Selektionsrate, mit", "95-%-Intervall"]
    assert (german.table, chart_in_language(english, "en")) == (english.table, english)


def test_a_legend_of_longer_words_has_fewer_columns() -> None:
    series = {"title": None, "scale": {"domain": ["selection rate", "lowest ratio: race"]}, "legend": {"columns": 3}}
    german = chart_in_language(picture("threshold-curve", [], color=series), "de")
    assert german.spec["encoding"]["color"]["scale"]["domain"] == ["Selektionsrate", "niedrigstes Verhältnis: race"]
    assert german.spec["encoding"]["color"]["legend"]["columns"] == 2
