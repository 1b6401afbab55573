"""The crosswalk of an evidence document: what laws and frameworks ask for, and whether the document holds it. States, never a judgement of anything.

What a person has to say is asked for by the name of its statement; whether it was said, only a report knows, for statements are no part of the evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from automl.crosswalk.items import ITEMS, LAW_NAMES, Item
from automl.evidence import CrosswalkRow, CrosswalkSection, Evidence, NotMeasured

AS_OF = "2026-11-20"
"""When the items were last compared with their laws."""
TO_STATE = "to be stated by a person"
NO_LOG = "the run was made outside of a workspace, which would keep a ledger"


def crosswalk_section(evidence: Evidence) -> CrosswalkSection:
    """One row an item, in the order of `automl.crosswalk.items`. Reads every section of ``evidence`` but its own crosswalk."""
    return CrosswalkSection(as_of=AS_OF, rows=tuple(_row(one, evidence) for one in ITEMS))


def _row(one: Item, evidence: Evidence) -> CrosswalkRow:
    return CrosswalkRow(
        law=LAW_NAMES[one.law], law_id=one.law, item=one.item, evidence=", ".join(one.evidence), supplied_by=_supplied_by(one), status=state_of(one, evidence), sections=one.sections,
        statements=one.statements)


def _supplied_by(one: Item) -> Literal["measured", "person", "both", "not_applicable"]:
    if one.outside:
        return "not_applicable"
    if not one.evidence and not one.absent:
        return "person"
    return "both" if one.statements else "measured"


def state_of(one: Item, evidence: Evidence) -> str:
    """ "measured", "measured in part; not measured: why", "not measured: why", `TO_STATE`, or "does not apply: why"."""
    if one.outside:
        return f"does not apply: {one.outside}"
    reasons = [reason for pointer in one.evidence if (reason := unmeasured(evidence, pointer)) is not None]
    measured = len(one.evidence) > len(reasons)
    missing = _each_once([*reasons, *([one.absent] if one.absent else [])])
    if not missing:
        return "measured" if measured else TO_STATE
    return f"{'measured in part; ' if measured else ''}not measured: {'; '.join(missing)}"


def unmeasured(evidence: Evidence, pointer: str) -> str | None:
    """Why what ``pointer`` names was not measured; None where it was. An empty collection that never has a reason of its own is as measured as a full one."""
    node: Any = evidence
    for part in pointer.strip("/").split("/"):
        node = node[int(part)] if isinstance(node, tuple) else node[part] if isinstance(node, dict) else getattr(node, part)
        if isinstance(node, NotMeasured):
            return node.reason
    if pointer == "/data/representation" and not any(one.test for one in node):
        return "no population was named to compare the groups' shares with"
    if pointer == "/fairness/limit" and evidence.fairness.outcome == "score":  # type: ignore[union-attr]
        return "a number is predicted and nobody is selected"
    if pointer == "/run/log" and not node:
        return NO_LOG
    if pointer == "/performance/baselines" and not node:
        return "there is no baseline beside predictions made elsewhere"
    return "nothing was declared to compare by" if pointer == "/performance/by_group" and not node else None


def _each_once(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(texts))
