"""Which counts a public page withholds so that nobody is told apart: cells of fewer than ten people, and as many others as it takes that none can be found by subtraction.

Totals of a table and the tables of the single attributes are taken as known to readers, so the lines of a crossing are too. Hundepool et al., Statistical Disclosure Control (2012),
chapter 4: primary suppression by a minimum frequency, then complementary suppression. The full numbers stay in the evidence, which is handed to those who may read it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, TypeVar

from automl.evidence import Attribute, Evidence, FairnessSection, LawTable, LocalLaw144Section

LEAST = 10
"""People from which on a cell is public (audit-report.md, A9)."""

_Cell = TypeVar("_Cell", bound=Hashable)


def withheld(people: Mapping[_Cell, int], lines: Sequence[Sequence[_Cell]] | None = None, unsaid: Sequence[Sequence[_Cell]] = (), least: int = LEAST) -> frozenset[_Cell]:
    """Cells to withhold, of a table of ``people`` per cell. ``lines``: cells whose sum is known to readers (default: one line of all cells); ``unsaid``: those whose sum is itself withheld.

    A line with a withheld cell has two or more of them, the further ones the smallest that hold anybody; a line whose sum is withheld has one at least. A cell of nobody tells of no
    person, and is shown.
    """
    hidden = {cell for cell, n in people.items() if 0 < n < least}
    for line in unsaid:
        if not hidden & set(line):
            hidden |= set(_smallest(line, people, hidden))
    known = [list(people)] if lines is None else lines
    while grown := [cell for line in known if len(hidden & set(line)) == 1 for cell in _smallest(line, people, hidden)]:
        hidden.add(grown[0])
    return frozenset(hidden)


def _smallest(line: Sequence[_Cell], people: Mapping[_Cell, int], hidden: set[_Cell]) -> list[_Cell]:
    """The smallest cell of ``line`` that holds anybody and is still shown, alone in a list; an empty one where there is none."""
    return sorted((cell for cell in line if cell not in hidden and people[cell] > 0), key=lambda cell: people[cell])[:1]


def withheld_of_law(part: Any) -> dict[str, frozenset[str]]:
    """Of the tables "sex", "race" and "intersectional" of ``part`` (a `LocalLaw144Section` or one of its classes), the categories to withhold."""
    found: dict[str, frozenset[str]] = {}
    for name in ("sex", "race"):
        table = getattr(part, name)
        if isinstance(table, LawTable):
            found[name] = withheld({row.category: row.n for row in table.rows})
    both = part.intersectional
    if isinstance(both, LawTable):
        by_value = [(side, value, [row.category for row in both.rows if getattr(row, side) == value]) for side in ("sex", "race") for value in dict.fromkeys(getattr(row, side) for row in both.rows)]
        found["intersectional"] = withheld(
            {row.category: row.n for row in both.rows}, [line for _, _, line in by_value], [line for side, value, line in by_value if value in found.get(side, ())])
    return found


def withheld_groups(evidence: Evidence) -> frozenset[str]:
    """JSON pointers of the groups of the evidence that a public page does not show: of each table of group fairness and of Local Law 144."""
    pointers: set[str] = set()
    fairness, law = evidence.fairness, evidence.local_law_144
    if isinstance(fairness, FairnessSection):
        for where, part in [("/fairness", fairness), *((f"/fairness/by_class/{at}", one) for at, one in enumerate(fairness.by_class))]:
            pointers |= {f"{where}/{pointer}" for pointer in _of_fairness(part)}
    if isinstance(law, LocalLaw144Section):
        for where, tables in [("/local_law_144", law), *((f"/local_law_144/by_class/{at}", one) for at, one in enumerate(law.by_class))]:
            for name, categories in withheld_of_law(tables).items():
                pointers |= {f"{where}/{name}/rows/{at}" for at, row in enumerate(getattr(tables, name).rows) if row.category in categories}
    return frozenset(pointers)


def _of_fairness(part: Any) -> Iterator[str]:
    of_column: dict[str, frozenset[str]] = {}
    for place, attribute in enumerate(part.attributes):
        hidden = withheld({group.group: group.n for group in attribute.groups})
        of_column[attribute.columns[0]] = hidden
        yield from (f"attributes/{place}/groups/{at}" for at, group in enumerate(attribute.groups) if group.group in hidden)
    levels = {attribute.columns[0]: [group.group for group in attribute.groups] for attribute in part.attributes}
    for place, crossing in enumerate(part.intersections):
        hidden = _of_crossing(crossing, levels, of_column)
        yield from (f"intersections/{place}/groups/{at}" for at, group in enumerate(crossing.groups) if group.group in hidden)


def _of_crossing(crossing: Attribute, levels: Mapping[str, Sequence[str]], hidden: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The lines of a crossing are its cells that differ in one column: their sum is a row of the crossing of the others, which is printed too."""
    people = {group.group: group.n for group in crossing.groups}
    cells = {" x ".join(values): values for values in product(*(levels.get(column, ()) for column in crossing.columns))}
    if not set(people) <= set(cells):
        return withheld(people)
    lines: list[list[str]] = []
    unsaid: list[list[str]] = []
    for side, column in enumerate(crossing.columns):
        others: dict[tuple[str, ...], list[str]] = {}
        for cell in people:
            others.setdefault(cells[cell][:side] + cells[cell][side + 1:], []).append(cell)
        lines += others.values()
        unsaid += [[cell for cell in people if cells[cell][side] == value] for value in hidden[column]]
    return withheld(people, lines, [line for line in unsaid if line])


def may_be_public(pointer: str, evidence: Evidence, hidden: frozenset[str]) -> bool:
    """Whether a sentence about what ``pointer`` names can stand on a public page: neither it nor anything inside it is of ``hidden``, and it counts `LEAST` people or more.

    What is said of a whole table may name its small groups, so it counts as being about them.
    """
    if any(pointer.startswith(f"{group}/") or f"{group}/".startswith(f"{pointer}/") for group in hidden):
        return False
    node: Any = evidence
    for part in pointer.strip("/").split("/"):
        node = _inside(node, part)
        if 0 < getattr(node, "n", LEAST) < LEAST:
            return False
    return True


def _inside(node: Any, part: str) -> Any:
    """What ``part`` of a pointer names in ``node``; None where it names nothing, as the name of a group with a slash in it may not."""
    if isinstance(node, tuple):
        return node[int(part)] if part.isdecimal() and int(part) < len(node) else None
    return node.get(part) if isinstance(node, dict) else getattr(node, part, None)
