"""The web process of the fault stories: does with the service's own functions what one JSON line a time asks, and answers with one.

A process of its own, so that a story can kill it, and so that SQLite and PostgreSQL can be told apart by its environment alone.
"""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "auditapp.settings")

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 - after setup

from auditapp import datasets, dispatch, ledger, results, runs, storage, sweeps  # noqa: E402
from auditapp.models import AuditedModel, Profile, Report, Run, Workspace  # noqa: E402
from automl.spec import parse_spec  # noqa: E402

TABLE = b"a,b\n" + b"".join(b"%d,%d\n" % (row % 2, row) for row in range(40))


def user() -> Any:
    return get_user_model().objects.get_or_create(username="ada")[0]


def workspace(name: str = "one") -> Workspace:
    return Workspace.objects.get_or_create(name=name)[0]


def submit(title: str, workspace_name: str = "one", times: int = 1, path: str | None = None, spec: dict[str, Any] | None = None) -> list[str]:
    """Submit ``times`` runs of the script ``title``, or a real run of the table at ``path``."""
    house = workspace(workspace_name)
    dataset = house.datasets.filter(name="table").first() if path is None else None
    if dataset is None:
        stream = io.BytesIO(TABLE if path is None else Path(path).read_bytes())
        name = "table" if path is None else Path(path).name
        dataset = datasets.store_upload(stream, name=name, filename="t.csv", workspace=house, user=user())
    parsed = parse_spec({"title": title, **(spec or {"target": "a"})}, "training")
    return [runs.submit(workspace=house, dataset=dataset, kind="training", spec=parsed, user=user()).pk for _ in range(times)]


def look(run: str) -> dict[str, Any]:
    row = Run.objects.get(pk=run)
    return {
        "state": row.state, "attempt": row.attempt, "stage": row.stage, "code": row.failure_code, "text": row.failure_text, "owner": row.owner,
        "percent": row.percent, "trials": list(row.trials.order_by("number").values_list("number", "attempt")),
        "events": list(row.events.values_list("kind", "attempt", "text")), "place": runs.place_in_queue(row),
        "artifacts": results.artifact_names(row), "report": getattr(results.newest_report(row), "state", None),
        "parts": list(row.parts.order_by("number").values_list("number", "state", "attempt", "owner")),
        "times": [[event.kind, event.at.timestamp()] for event in row.events.all()],
    }


def kept_trials(run: str) -> list[dict[str, Any]]:
    """What Optuna's own tables hold of a run that several workers search, as they stand."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('plumbline_studies.trials')")
        if cursor.fetchone() == (None,):
            return []
        cursor.execute("""
            SELECT t.trial_id, t.state, a.key, a.value_json FROM plumbline_studies.trials t JOIN plumbline_studies.studies s USING (study_id)
            LEFT JOIN plumbline_studies.trial_user_attributes a USING (trial_id) WHERE s.study_name LIKE %s""", [f"{run}/%"])
        found: dict[int, dict[str, Any]] = {}
        for key, state, name, value in cursor.fetchall():
            found.setdefault(key, {"state": state})[name] = json.loads(value) if value else None
    return list(found.values())


def open_trials(run: str) -> list[int]:
    """The parts that are at work on a trial."""
    return sorted({trial["part"] for trial in kept_trials(run) if trial["state"] == "RUNNING"})


def parts_of_trials(run: str) -> list[int]:
    """The part that made each trial that was told."""
    return [trial["part"] for trial in kept_trials(run) if trial.get("told")]


def trials_in_evidence(run: str) -> list[Any]:
    return [[trial.number, trial.state, trial.note] for trial in results.read_evidence(Run.objects.get(pk=run)).search.trials]


def finding_ids(run: str) -> list[str]:
    return [finding.id for finding in results.read_evidence(Run.objects.get(pk=run)).findings]


def profile_state(workspace_name: str = "one") -> list[Any]:
    return [[row.state, row.failure_code, row.failure_text] for row in Profile.objects.filter(dataset__workspace=workspace(workspace_name))]


def cancel(run: str) -> str:
    return runs.request_cancel(Run.objects.get(pk=run), user()).state


def delete_table(run: str) -> None:
    datasets.delete_dataset(Run.objects.get(pk=run).dataset, user())


def finish(run: str) -> str:
    return runs.request_finish(Run.objects.get(pk=run), user()).state


def ring(run: str, times: int = 1) -> None:
    for _ in range(times):
        dispatch.ring_run(run)


def sweep() -> dict[str, int]:
    return sweeps.sweep_all()


def states() -> dict[str, int]:
    counts: dict[str, int] = {}
    for state in Run.objects.values_list("state", flat=True):
        counts[state] = counts.get(state, 0) + 1
    return counts


def highest_attempt() -> int:
    return max(Run.objects.values_list("attempt", flat=True))


def trouble(still_active: int = 0) -> list[str]:
    """The invariants of every story: what is wrong, one sentence each."""
    problems = []
    active = Run.objects.exclude(state__in=runs.ENDED).count()
    if active != still_active:
        problems.append(f"{active} runs have not ended")
    for run in Run.objects.filter(state__in=runs.ENDED):
        problems += _trouble_of(run)
    for house in Workspace.objects.all():
        problems += ledger.verify(house)
    for dataset_sha in set(Run.objects.filter(dataset__deleted_at__isnull=True).values_list("dataset__sha256", flat=True)):
        if not storage.exists(dataset_sha):
            problems.append(f"the bytes of dataset {dataset_sha} are gone")
    return problems


def _trouble_of(run: Run) -> list[str]:
    ends = [kind for kind in run.events.values_list("kind", flat=True) if kind in runs.ENDED]
    problems = [] if ends == [run.state] else [f"{run.pk} is {run.state} and its ends are {ends}"]
    in_ledger = list(ledger._chain(run.workspace_id).filter(subject=run.pk, action__in=[f"run.{end}" for end in runs.ENDED]).values_list("action", flat=True))
    if in_ledger != [f"run.{run.state}"]:
        problems.append(f"{run.pk} is {run.state} and the ledger says {in_ledger}")
    claims = run.events.filter(kind="claimed").values_list("attempt", flat=True)
    if list(claims) != list(range(1, run.attempt + 1)):
        problems.append(f"{run.pk} was claimed as {list(claims)} and is at attempt {run.attempt}")
    results_there = (Report.objects.filter(run=run).count(), AuditedModel.objects.filter(run=run).count(), run.artifacts.count() > 0)
    if results_there != ((1, 1, True) if run.state == "succeeded" else (0, 0, False)):
        problems.append(f"{run.pk} is {run.state} and has results {results_there}")
    for artifact in run.artifacts.all():
        try:
            storage.open_verified(artifact.sha256).close()
        except (OSError, storage.Damaged) as error:
            problems.append(f"{run.pk}: {artifact.name}: {error!r}")
    return problems


COMMANDS = {command.__name__: command for command in (
    submit, look, open_trials, parts_of_trials, trials_in_evidence, finding_ids, profile_state, cancel, delete_table, finish, ring, sweep, states, highest_attempt, trouble)}

if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        answer = COMMANDS[asked.pop("do")](**asked)
        print(json.dumps(answer), flush=True)
