"""The population that the groups' shares are compared with: of each group of a listed attribute a number, and where the numbers are from. Groups travel as positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from auditapp.forms.drafts import is_binned, levels
from automl.evidence import ColumnProfile
from automl.printing import visible
from automl.spec import ROUNDED, adds_up

MOST_GROUPS = 20
"""Of an attribute on the page; a spec takes more."""
SOURCE = "population_source"


def asked_of(columns: Sequence[ColumnProfile]) -> Iterator[tuple[ColumnProfile, tuple[str, ...]]]:
    """The attributes whose groups are known before the table is read again, with the groups."""
    for column in columns:
        groups = tuple(bar.label for bar in levels(column))
        if not is_binned(column) and 2 <= len(groups) <= MOST_GROUPS:
            yield column, groups


def fields(columns: Sequence[ColumnProfile], kept: Mapping[str, Any] | None) -> Iterator[tuple[str, forms.Field]]:
    """Of each group a number, then the source; nothing where no attribute can be asked about."""
    any_asked = False
    for column, groups in asked_of(columns):
        any_asked = True
        for at, group in enumerate(groups):
            yield _name(column, at), forms.FloatField(
                label=visible(group, 60), required=False, min_value=0, max_value=1e12, initial=((kept or {}).get("shares", {}).get(column.name) or {}).get(group),
                widget=forms.NumberInput(attrs={"step": "any", "class": "w-short", "inputmode": "decimal"}))
    if any_asked:
        yield SOURCE, forms.CharField(
            label=_("Where these numbers are from, and of when"), required=False, max_length=500, initial=(kept or {}).get("source", ""), widget=forms.TextInput(attrs={"class": "w-mid"}),
            help_text=_("Such as a census, or the register of those who applied. Printed in the report."))


def clean(form: forms.Form, columns: Sequence[ColumnProfile], said: Mapping[str, Any]) -> dict[str, Any] | None:
    """What was answered, as a spec takes it; None where nothing was. What cannot be is told at its field."""
    shares: dict[str, dict[str, float]] = {}
    for column, groups in asked_of(columns):
        numbers = {group: said.get(_name(column, at)) for at, group in enumerate(groups)}
        if all(number is None for number in numbers.values()):
            continue
        wanting = next((at for at, number in enumerate(numbers.values()) if not number), None)
        if wanting is not None:
            form.add_error(_name(column, wanting), _("Every group that is in the table needs a number above 0; leave all of an attribute empty where you have none"))
        elif not adds_up(total := sum(number or 0 for number in numbers.values()), numbers.values()):
            form.add_error(_name(column, 0), _("These numbers add up to %(total)s; percentages add up to 100, shares to 1 (within %(off)s %%), and numbers of people are whole and more than 100") % {
                "total": f"{total:g}", "off": f"{100 * ROUNDED:g}"})
        shares[column.name] = {group: number for group, number in numbers.items() if number}
    source = (said.get(SOURCE) or "").strip()
    if shares and not source:
        form.add_error(SOURCE, _("Say where the numbers are from"))
    return {"source": source, "shares": shares} if shares else None


def rows(form: forms.Form, columns: Sequence[ColumnProfile]) -> list[tuple[ColumnProfile, list[forms.BoundField]]]:
    """What the page shows: of each attribute its groups' fields."""
    return [(column, [form[_name(column, at)] for at in range(len(groups))]) for column, groups in asked_of(columns)]


def _name(column: ColumnProfile, at: int) -> str:
    return f"population-{column.position}-{at}"
