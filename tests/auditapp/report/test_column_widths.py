"""Columns are as wide as their texts need; reckoned from letters."""

from __future__ import annotations

from typing import Any

from auditapp.report.blocks import Block, columns, paragraph, table
from auditapp.report.column_widths import GUTTER, WIDTH, points, wide_enough


def widths_of(block: Block, width: float = WIDTH) -> list[float]:
    [sized] = wide_enough([block], width)
    found: list[float] = sized["widths"]
    return found


def a_table(rows: list[list[Any]], weights: tuple[float, ...] = (1, 1), **more: Any) -> Block:
    return table("T", [(f"column {at}", "left", weight) for at, weight in enumerate(weights)], rows, **more)


def test_where_there_is_room_every_cell_has_its_line_and_the_rest_goes_by_weight() -> None:
    first, second = widths_of(a_table([["a" * 60, "b"]], (1, 1)))
    assert first >= points("a" * 60)
    assert abs(first + second - WIDTH) < 0.2
    assert widths_of(a_table([["a", "b"]], (3, 1)))[0] > widths_of(a_table([["a", "b"]], (1, 1)))[0]


def test_a_column_of_no_weight_stays_as_wide_as_its_text() -> None:
    found = widths_of(a_table([["a" * 20, "12,345", "b"]], (1, 0, 1)))
    assert found[1] == 0
    assert found[0] + found[2] < WIDTH - points("column 1")


def test_where_there_is_none_that_column_is_narrowed_whose_long_texts_are_few() -> None:
    name = "a group of a rather long name, 40 to 59"
    rows = [[name, "a few words", "inconclusive at this sample size"]] * 9 + [["another", "some words " * 3, "many more words " * 15]]
    names, few, many = widths_of(a_table(rows, (1, 1, 9)))
    assert names >= points(name)
    assert many > few
    assert abs(names + few + many - WIDTH) < 1


def test_no_word_is_broken_for_another_columns_lines() -> None:
    word = "demographic_parity_difference"
    assert widths_of(a_table([[f"the {word} of it all", "words " * 400]], (1, 1)))[0] >= points(word)


def test_tables_that_share_a_line_have_a_part_of_it_and_a_lone_one_has_all() -> None:
    pair = [a_table([["a", "b"]], share=1), a_table([["a", "b"]], share=3)]
    left, right, alone = (sum(block["widths"]) for block in wide_enough([*pair, a_table([["a", "b"]], share=1)]))
    assert abs(left - (WIDTH - GUTTER) / 4) < 1
    assert abs(right - (WIDTH - GUTTER) * 3 / 4) < 1
    assert abs(alone - WIDTH) < 1


def test_a_heading_that_keeps_its_line_counts_where_a_table_might_stand_in_two_halves() -> None:
    """Its column takes it whole, and would leave the names beside it too little."""
    rows = [["MajorAxisLength", "0.991 (0.983 to 0.999)", "1", "2"] for _ in range(9)]
    for heading, halved in (("no", True), ("share of all that moves the score", False)):
        block = table("T", [("input", "left", 1), ("area", "left", 1), (heading, "right", 0), (heading, "right", 0)], rows)
        assert wide_enough([block])[0]["halves"] is halved


def test_many_narrow_rows_stand_in_two_halves() -> None:
    rows = [[f"input {at}", "−0.003 (−0.008 to 0.003)"] for at in range(12)]
    [halved] = wide_enough([a_table(rows)])
    assert halved["halves"]
    assert abs(sum(halved["widths"]) - (WIDTH - GUTTER) / 2) < 1
    for other in (a_table(rows[:8]), a_table(rows, share=1), a_table([[f"{name} with a very long name indeed, longer than any half of a page", value] for name, value in rows])):
        assert not wide_enough([other])[0]["halves"]


def test_what_stands_above_its_rows_takes_no_width() -> None:
    rows = [["A law with a very long name " * 4, "item", "state"]]
    hidden, *shown = widths_of(a_table(rows, (1, 1, 1), grouped=True))
    assert hidden == 0
    assert abs(sum(shown) - WIDTH) < 1


def test_within_columns_there_is_half_the_width() -> None:
    [block] = wide_enough([columns([a_table([["a", "b"]])], [paragraph("Words.")], whole=True)])
    assert abs(sum(block["left"][0]["widths"]) - (WIDTH - GUTTER) / 2) < 1
    assert block["right"] == [paragraph("Words.")]
