"""A run once more, from its recorded configuration; and whether the repetition came to the same evidence, or where it did not.

Compared is what the digests are of: the document without run, times and hardware. The plan counts the audits of the audit part, this one included, so two runs of one workspace never have
the same digest; the digest of what was measured sets that number aside, and is the same where nothing else differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from django.contrib.auth.models import User

from auditapp import results, runs
from auditapp.models import Run
from automl.canonical import OF_ITS_NUMBER
from automl.evidence import Evidence, canonical_json, measured_digest_of, repeatable_part
from automl.printing import visible
from automl.spec import parse_spec

COUNTED = frozenset(f"/plan/{member}" for member in OF_ITS_NUMBER)
"""What differs because the audit part was looked at once more."""
MOST_OF_A_PART = 12
"""Differences of one part of the evidence that are shown; the others are counted."""
LONGEST = 80

Verdict = Literal["same_digest", "same_but_number", "different"]
Kind = Literal["training", "predictions"]


@dataclass(frozen=True)
class Difference:
    """One place of the evidence. ``before`` and ``after`` as JSON, cut; None where it is not there."""

    pointer: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class PartDiffers:
    """A part of the evidence, such as "performance", in which ``count`` places differ."""

    name: str
    count: int
    first: tuple[Difference, ...]


@dataclass(frozen=True)
class Repetition:
    """``before`` and ``after`` are the digests of both runs, ``measured_before`` and ``measured_after`` those of what was measured; ``by_time``: a budget in seconds may end a search by the clock, which no repetition meets again."""

    verdict: Verdict
    before: str
    after: str
    measured_before: str
    measured_after: str
    by_time: bool
    parts: tuple[PartDiffers, ...]


def repeat(run: Run, user: User | None) -> Run:
    """A new run of the same table and configuration, whose parent is ``run``. Raises as `runs.submit`."""
    kind: Kind = "training" if run.kind == "training" else "predictions"
    return runs.submit(workspace=run.workspace, dataset=run.dataset, kind=kind, spec=parse_spec(run.spec, kind), user=user, test_dataset=run.test_dataset, parent=run)


def compared_with_parent(run: Run) -> Repetition | None:
    """How ``run`` compares with the run that it repeats; None unless both have results."""
    if run.parent is None:
        return None
    try:
        return repetition(results.read_evidence(run.parent), results.read_evidence(run))
    except results.NoSuchArtifact:
        return None


def repetition(before: Evidence, after: Evidence) -> Repetition:
    """What differs from one document to the other, part by part in the document's order."""
    found: dict[str, list[Difference]] = {}
    first, second = before.model_dump(mode="json"), after.model_dump(mode="json")
    if before.digest != after.digest:
        for one in _differences(repeatable_part(first), repeatable_part(second), ""):
            found.setdefault(one.pointer.split("/")[1], []).append(one)
    pointers = {one.pointer for part in found.values() for one in part}
    verdict: Verdict = "same_digest" if not pointers else "same_but_number" if pointers <= COUNTED else "different"
    budget = getattr(after.spec, "budget", None)
    order = [name for name in type(after).model_fields if name in found]
    return Repetition(
        verdict, before.digest, after.digest, measured_digest_of(first), measured_digest_of(second), budget is not None and budget.seconds is not None,
        tuple(PartDiffers(name, len(found[name]), tuple(found[name][:MOST_OF_A_PART])) for name in order))


def _differences(before: Any, after: Any, pointer: str) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from _member(before, after, key, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(before, list) and isinstance(after, list):
        yield from _differences(dict(enumerate(before)), dict(enumerate(after)), pointer)
    elif type(before) is not type(after) or before != after:
        yield Difference(pointer, _json(before), _json(after))


def _member(before: dict[Any, Any], after: dict[Any, Any], key: Any, pointer: str) -> Iterator[Difference]:
    if key in before and key in after:
        yield from _differences(before[key], after[key], pointer)
    else:
        yield Difference(pointer, _json(before[key]) if key in before else None, _json(after[key]) if key in after else None)


def _json(value: Any) -> str:
    return visible(canonical_json(value).decode(errors="backslashreplace"), LONGEST)
