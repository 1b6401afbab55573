"""Profiles of a report: for whom it is written, and so which items, sections and statements are asked for. A choice at the report; the evidence is the same under each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from automl.crosswalk.items import ITEMS, Item
from automl.errors import BadInput

EVERYTHING = "all"
ALWAYS = (1, 2, 15, 16, 17, 18)
"""Sections that no profile leaves out: what the report is about, what was found, what was not measured, and how to check it."""
ALWAYS_STATED = ("system", "provider", "responsible_person", "responsible_statement")


@dataclass(frozen=True)
class Jurisdiction:
    """``items``: what an item's name begins with, for a profile that asks for a part of a law; empty: all of them."""

    title: str
    laws: tuple[str, ...]
    items: tuple[str, ...] = ()

    def asks_for(self, law: str, item: str) -> bool:
        """Whether the profile asks for ``item`` (its name in the crosswalk) of ``law`` (its identifier)."""
        return law in self.laws and (not self.items or item.startswith(self.items))


JURISDICTIONS: dict[str, Jurisdiction] = {
    EVERYTHING: Jurisdiction("Everything", tuple(dict.fromkeys(one.law for one in ITEMS))),
    "nyc_ll144": Jurisdiction("New York City: Local Law 144", ("nyc-ll144",)),
    "eu_ai_act": Jurisdiction("EU AI Act: Annex IV and Articles 10 to 15", ("eu-ai-act",), ("Annex IV", "Art. 10", "Art. 12", "Art. 13", "Art. 15")),
    "reg_b": Jurisdiction("United States: adverse action under Regulation B", ("reg-b",)),
    "sr_26_2": Jurisdiction("United States banks: SR 26-2", ("sr-26-2",)),
    "colorado": Jurisdiction("Colorado: SB 26-189", ("co-sb-26-189",)),
    "nist_ai_rmf": Jurisdiction("NIST AI RMF", ("nist-ai-rmf",)),
    "model_card": Jurisdiction("Model card", ("model-card", "hf-model-index")),
}


@dataclass(frozen=True)
class AskedFor:
    """What a report under one profile holds: numbers of its sections, rising, and names of the statements that people are asked for, in the order of the crosswalk."""

    sections: tuple[int, ...]
    statements: tuple[str, ...]


def jurisdiction(profile: str) -> Jurisdiction:
    """The profile of that name; BadInput, which names all of them, for any other."""
    if profile not in JURISDICTIONS:
        raise BadInput(f"profile: there is no report profile {profile[:60]!r}; it is one of {', '.join(JURISDICTIONS)}")
    return JURISDICTIONS[profile]


def asked_for(profile: str = EVERYTHING) -> AskedFor:
    """Sections and statements that the items of ``profile`` ask for. BadInput for an unknown profile."""
    chosen = jurisdiction(profile)
    if profile == EVERYTHING:
        return AskedFor(tuple(range(1, 19)), _each_once([*ALWAYS_STATED, *_statements(ITEMS)]))
    items = [one for one in ITEMS if chosen.asks_for(one.law, one.item)]
    sections = {*ALWAYS, *(number for one in items for number in one.sections)}
    return AskedFor(tuple(sorted(sections)), _each_once([*ALWAYS_STATED, *_statements(items)]))


def _statements(items: Iterable[Item]) -> list[str]:
    return [field for one in items for field in one.statements]


def _each_once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
