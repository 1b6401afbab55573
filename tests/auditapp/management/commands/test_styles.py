"""The style sheet is what the command takes out of Bootstrap today, and a class that pages use is in it."""

from __future__ import annotations

from auditapp.management.commands.styles import USED, WHOLE, _blocks, used_styles


def test_the_style_sheet_is_up_to_date() -> None:
    assert USED.read_text() == used_styles(), "run `python manage.py styles`"


def test_what_pages_use_is_kept_and_the_rest_is_not() -> None:
    kept = used_styles()
    for rule in (".btn-primary{", ".table-responsive{", ".form-check-input:checked", ".visually-hidden", "::file-selector-button"):
        assert rule in kept, rule
    for rule in (".carousel", ".modal", ".toast", ".navbar"):
        assert rule in WHOLE.read_text(), rule
        assert rule not in kept, rule
    assert kept.count("{") == kept.count("}")
    assert len(kept) < 40_000


def test_braces_in_braces_belong_to_the_outer_rule() -> None:
    assert list(_blocks("a{b:c}@media x{d{e:f}g{h:i}}")) == [("a", "b:c"), ("@media x", "d{e:f}g{h:i}")]
