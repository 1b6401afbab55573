"""Cohorts that a workspace keeps: error slices under a name. The only writer of SavedCohort.

A sealed run is never measured again. A cohort is chosen in a later audit, stands in its spec and its sealed plan, and is measured there.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.db import transaction
from pydantic import TypeAdapter, ValidationError

from auditapp import ledger, results
from auditapp.models import Run, SavedCohort, Workspace
from automl.errors import BadInput
from automl.evidence import NotMeasured
from automl.spec import CohortName, CohortOf

if TYPE_CHECKING:
    from auditapp.access import Caller

MOST_COHORTS = 100
"""Of a workspace."""
_name: TypeAdapter[str] = TypeAdapter(CohortName)


def save(run: Run, place: int, name: str, caller: Caller) -> SavedCohort:
    """The slice at ``place`` (from 0) of the run's error slices under a name. Raises BadInput where there is no such slice, the name is taken or none, or there are too many."""
    try:
        called = _name.validate_python(name)
    except ValidationError as error:
        raise BadInput("name: a cohort needs a name of 1 to 80 characters, all on one line", pointer="/name") from error
    try:
        section = results.read_evidence(run).slices
    except results.NoSuchArtifact as error:
        raise BadInput("run: it has no results", pointer="/run") from error
    if isinstance(section, NotMeasured) or not 0 <= place < len(section.rows):
        raise BadInput("slice: the run has no such error slice", pointer="/slice")
    one = section.rows[place]
    if not one.conditions:
        raise BadInput("slice: the run is older than cohorts, and says of its slices in words alone what defines them; repeat it first", pointer="/slice")
    with transaction.atomic():
        # One at a time of a workspace, so that names and the limit are kept
        Workspace.objects.select_for_update(no_key=True).get(pk=caller.workspace.pk)
        kept = SavedCohort.objects.filter(workspace=caller.workspace)
        if kept.filter(name=called).exists():
            raise BadInput("name: this workspace has a cohort of that name; choose another", pointer="/name")
        if kept.count() >= MOST_COHORTS:
            raise BadInput(f"name: this workspace keeps {MOST_COHORTS} cohorts, which is the limit; remove one first", pointer="/name")
        saved = SavedCohort.objects.create(
            workspace=caller.workspace, run=run, name=called, words=one.words, where=[condition.model_dump(mode="json") for condition in one.conditions], created_by=caller.user)
        ledger.append(caller.workspace, caller.actor, "cohort.saved", saved.pk, {"run": run.pk, "slice": place})
    return saved


def remove(cohort: SavedCohort, caller: Caller) -> None:
    """Runs that measured it keep it in their evidence."""
    with transaction.atomic():
        SavedCohort.objects.filter(pk=cohort.pk).delete()
        ledger.append(caller.workspace, caller.actor, "cohort.removed", cohort.pk, {"run": cohort.run_id})


def as_asked(cohort: SavedCohort) -> CohortOf:
    """As a spec asks for it."""
    return CohortOf.model_validate({"name": cohort.name, "where": cohort.where, "found_in": cohort.run_id})


def that_fit(workspace: Workspace, columns: Collection[str]) -> list[SavedCohort]:
    """Those whose conditions are all on ``columns``, the newest first."""
    return [one for one in SavedCohort.objects.filter(workspace=workspace) if all(condition["column"] in columns for condition in one.where)]
