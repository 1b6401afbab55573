"""One worker, one run, without a queue: from the claim to the commit, and every way in which it ends without a result."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from auditapp import datasets, ledger, profiles, results, runs, storage
from auditapp.models import Profile, Run, Workspace
from automl.bundle import BrokenBundle
from automl.evidence import canonical_json
from automl.spec import TaskSpec
from tests.profile_example import make_profile
from workers import stopping, supervise
from workers.process import Ending, Limits

pytestmark = pytest.mark.slow


@pytest.fixture
def run(workspace: Workspace, analyst: Any, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    monkeypatch.setenv("PLUMBLINE_TESTING", "1")
    monkeypatch.setenv("PLUMBLINE_TESTING_PIPELINE", "tests.flow.scripted_pipeline")
    monkeypatch.setenv("PLUMBLINE_TESTING_RENDER", "tests.flow.scripted_render")
    monkeypatch.delenv("PLUMBLINE_FAILPOINT_ONCE", raising=False)
    settings.SIGNING_KEY = "/nonexistent"
    dataset = datasets.store_upload(io.BytesIO(b"a,b\n1,2\n"), name="t", filename="t.csv", workspace=workspace, user=analyst)

    def run(title: str = "trials=2", strike: str = "", **spec: Any) -> Run:
        monkeypatch.setenv("PLUMBLINE_FAILPOINT", strike)
        run = runs.submit(workspace=workspace, dataset=dataset, kind="training", spec=TaskSpec(target="a", title=title, **spec), user=analyst)
        assert supervise.do_run(run.pk)
        run.refresh_from_db()
        assert ledger.verify(workspace) == []
        return run

    return run


def nothing_left(settings: Any) -> bool:
    return not list(Path(settings.STAGING_ROOT).iterdir())


def test_from_claim_to_commit(run: Any, settings: Any) -> None:
    done = run()
    assert done.state == "succeeded", (done.failure_code, done.failure_text)
    assert results.read_evidence(done).run.id == done.pk
    assert list(done.trials.values_list("number", flat=True)) == [0, 1]
    stages = list(done.events.filter(kind="stage").values_list("text", flat=True))
    assert stages == ["read", "split", "tune", "ensemble", "evidence", "draw", "sign"]
    assert [event.data["best"] for event in done.events.filter(kind="trial")] == [0.5, 0.51]
    assert nothing_left(settings)


def test_each_trial_has_its_family_and_its_own_score_beside_the_best_so_far(run: Any) -> None:
    done = run("trials=3")
    assert [(event.data["family"], event.data["score"], event.data["best"]) for event in done.events.filter(kind="trial")] == [("scripted", 0.5, 0.5), ("scripted", 0.51, 0.51), ("scripted", 0.5, 0.52)]


@pytest.mark.parametrize(("said", "kept"), [
    ({"family": "lgbm", "score": 0.9}, ("lgbm", 0.9)), ({}, ("", None)), ({"family": "<b>", "score": float("nan")}, ("", None)), ({"family": ["x"], "score": "0.9"}, ("", None)),
    ({"family": "x" * 50, "score": float("inf")}, ("", None)),
])
def test_what_a_child_says_of_a_trial_is_held_to_its_kind(tmp_path: Path, said: dict[str, Any], kept: tuple[str, float | None]) -> None:
    (tmp_path / "trials").mkdir()
    (tmp_path / "trials" / "0001.trial").write_text("a trial")
    keeper = supervise.RunKeeper(runs.Lease("run_x", 1, "training", "t", None, {}, "", None, 1, 0.0, ()), tmp_path)
    keeper.event(json.loads(json.dumps({"event": "trial", "number": 1, **said})))
    assert [(trial.family, trial.score) for trial in keeper._trials] == [kept]


def test_finished_or_foreign_run_is_left_alone(run: Any) -> None:
    done = run()
    assert not supervise.do_run(done.pk)
    assert not supervise.do_run("run_nobody")


@pytest.mark.parametrize(("strike", "code", "words"), [
    ("tune:fail", "internal", "the log of the worker has the details"), ("evidence:memory", "out_of_memory", "more memory than the limit of 0.4 GiB"),
    ("before_commit:full", "internal", "log"), ("draw:fail", "internal", "log"), ("sign:fail", "internal", "log"),
])
def test_every_failure_has_its_code_and_its_sentence(run: Any, settings: Any, strike: str, code: str, words: str) -> None:
    settings.RUN_MEMORY = 400 * 2**20
    failed = run(strike=strike)
    assert (failed.state, failed.failure_code) == ("failed", code)
    assert words in failed.failure_text
    assert "Traceback" not in failed.failure_text
    assert not failed.artifacts.exists()
    assert nothing_left(settings)


def test_time_limit(run: Any, settings: Any) -> None:
    settings.RUN_SECONDS = 3
    failed = run(strike="split:sleep")
    assert (failed.failure_code, failed.failure_text) == ("time_limit", "it took longer than the limit of 3 seconds and was ended")


def test_dead_child_is_the_reconcilers_to_decide(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = run(strike="trial-0:kill")
    assert lost.state == "running"
    assert runs.sweep()["runs_requeued"] == 1
    monkeypatch.setenv("PLUMBLINE_FAILPOINT", "")
    assert supervise.do_run(lost.pk)
    lost.refresh_from_db()
    assert (lost.state, lost.attempt) == ("succeeded", 2)
    assert list(lost.trials.values_list("number", "attempt")) == [(0, 1), (1, 2)]


def test_full_storage_is_said(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> storage.Stored:
        raise storage.StorageFull("the storage is full")

    monkeypatch.setattr(storage, "put_file", full)
    failed = run()
    assert (failed.failure_code, failed.failure_text) == ("storage_full", "the storage is full")


def test_lost_dataset(run: Any, workspace: Workspace) -> None:
    [sha] = workspace.datasets.values_list("sha256", flat=True)
    storage.delete(sha)
    assert run().failure_code == "internal"


def test_damaged_table_is_the_childs_to_refuse_but_a_damaged_trial_ours(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = run(strike="trial-0:kill")
    runs.sweep()
    path = storage._path(lost.trials.get().sha256)
    path.chmod(0o600)
    path.write_bytes(b"altered")
    monkeypatch.setenv("PLUMBLINE_FAILPOINT", "")
    supervise.do_run(lost.pk)
    lost.refresh_from_db()
    assert lost.failure_code == "internal"


@pytest.fixture
def stopping_worker() -> Iterator[None]:
    stopping.ask()
    yield
    stopping._flag[0] = 0


@pytest.mark.usefixtures("stopping_worker")
def test_worker_that_stops_hands_its_run_back(run: Any, settings: Any) -> None:
    handed = run("trials=1000 sleep=0.1")
    assert (handed.state, handed.attempt, handed.max_attempts) == ("queued", 1, 3)
    assert nothing_left(settings)


@pytest.mark.django_db
def test_database_away_for_a_moment_and_for_longer_than_the_lease(settings: Any) -> None:
    settings.BEAT_SECONDS = settings.SWEEP_SECONDS = 0
    answers: list[Any] = [OperationalError("away"), "finish"]

    def beat(progress: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    keeper = supervise.Keeper(beat)
    assert keeper.wish() is None
    assert keeper.wish() == "finish"
    answers.append(OperationalError("away"))
    settings.LEASE_SECONDS = -1
    with pytest.raises(runs.LeaseLost):
        keeper.wish()


@pytest.mark.parametrize("said", [
    {"event": "progress", "stage": "party"}, {"event": "progress"}, {"event": "progress", "stage": "tune", "done": "many"}, {"event": "progress", "stage": "tune", "note": "x" * 600},
    {"event": "progress", "stage": "tune", "best": float("nan")}, {"event": "progress", "stage": "tune", "note": "\x00"},
    {"event": "trial", "number": -1, "path": "x"}, {"event": "trial", "number": "1"}, {"event": "trial", "number": 1, "path": "../../etc/passwd"}, {"event": "trial", "number": 10**9},
])
def test_child_that_talks_nonsense_is_not_listened_to(tmp_path: Path, said: dict[str, Any]) -> None:
    (tmp_path / "trials").mkdir()
    lease = runs.Lease("run_x", 1, "training", "t", None, {}, "", None, 1, 0.0, ())
    keeper = supervise.RunKeeper(lease, tmp_path)
    keeper.event(json.loads(json.dumps(said)))
    assert keeper._latest is None
    assert keeper._trials == []


def test_trial_that_is_a_link_is_not_stored(tmp_path: Path) -> None:
    (tmp_path / "trials").mkdir()
    (tmp_path / "trials" / "0001.trial").symlink_to("/etc/passwd")
    keeper = supervise.RunKeeper(runs.Lease("run_x", 1, "training", "t", None, {}, "", None, 1, 0.0, ()), tmp_path)
    keeper.event({"event": "trial", "number": 1, "path": "trials/0001.trial"})
    assert keeper._trials == []


def test_profile_that_is_a_link_is_not_read(workspace: Workspace, analyst: Any, tmp_path: Path) -> None:
    dataset = datasets.store_upload(io.BytesIO(b"a\n1\n"), name="t", filename="t.csv", workspace=workspace, user=analyst)
    lease = profiles.claim_profile(dataset.profiles.get().pk, "test")
    assert lease is not None
    (tmp_path / "another").mkdir()
    (tmp_path / "another" / "profile.json").write_bytes(canonical_json(make_profile().model_dump(mode="json")))
    (tmp_path / "bundle").symlink_to(tmp_path / "another")
    with pytest.raises(BrokenBundle):
        supervise._end_profile(lease, Ending("done"), Limits(2**30, 60), tmp_path)
    assert Profile.objects.get(dataset=dataset).state == "running"


def test_profile_is_read_in_a_child(workspace: Workspace, analyst: Any, settings: Any) -> None:
    good = datasets.store_upload(io.BytesIO(b"sex,y\n" + b"f,1\nm,0\n" * 20), name="t", filename="t.csv", workspace=workspace, user=analyst)
    ragged = datasets.store_upload(io.BytesIO(b"a,b\n1,2\n1,2,3\n"), name="t", filename="t.csv", workspace=workspace, user=analyst)
    for dataset in (good, ragged):
        assert supervise.read_profile(dataset.profiles.get().pk)
        assert not supervise.read_profile(dataset.profiles.get().pk)
    ready, refused = Profile.objects.get(dataset=good), Profile.objects.get(dataset=ragged)
    assert ready.state == "ready", (ready.failure_code, ready.failure_text)
    assert [column["name"] for column in ready.document["columns"]] == ["sex", "y"]
    assert (refused.state, refused.failure_code) == ("failed", "bad_input")
    assert "3" in refused.failure_text
    assert nothing_left(settings)
