"""`python -m workers.child STAGING`: the fresh interpreter. Walls first, then the engine; says how it went on the descriptor it was given.

Exit codes: 0 done, 2 bad input, 3 stopped on request, 4 out of memory, 1 anything else.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from auditapp.confinement import confine
from auditapp.failpoints import failpoint, testing
from automl.errors import BadInput, Stopped
from automl.hooks import Hooks, Progress, SharedStudy
from workers.asking import asking_study
from workers.compiled import lend_compiled

if TYPE_CHECKING:
    from automl.data.tables import TableLimits


class Teller:
    """One JSON object a line on the descriptor PLUMBLINE_EVENTS."""

    def __init__(self) -> None:
        self._descriptor = int(os.environ.pop("PLUMBLINE_EVENTS"))
        os.set_inheritable(self._descriptor, False)

    def tell(self, event: str, **fields: Any) -> None:
        data = json.dumps({"event": event, **fields}).encode() + b"\n"
        while data:
            data = data[os.write(self._descriptor, data):]


class ChildHooks(Hooks):
    """Progress and trials go up the pipe; wishes come down by the control file."""

    def __init__(self, teller: Teller, staging: Path, study: SharedStudy | None = None) -> None:
        self._teller, self._staging, self._stage, self._study = teller, staging, "", study

    def progress(self, progress: Progress) -> None:
        self._teller.tell("progress", **progress.as_json())
        if progress.stage != self._stage:
            self._stage = progress.stage
            failpoint(progress.stage)

    def stop_requested(self) -> Literal["finish", "cancel"] | None:
        try:
            asked = (self._staging / "control").read_text()
        except FileNotFoundError:
            return None
        return cast(Literal["finish", "cancel"], asked) if asked in ("finish", "cancel") else None

    def trial_finished(self, number: int, path: Path, *, family: str = "", score: float | None = None) -> None:
        self._teller.tell("trial", number=number, path=path.resolve().relative_to(self._staging.resolve()).as_posix(), family=family, score=score)
        failpoint(f"trial-{number}")

    def shared_study(self) -> SharedStudy | None:
        return self._study


def main(staging: Path) -> int:
    teller = Teller()
    job = json.loads((staging / "job.json").read_bytes())
    os.chdir(staging / "tmp")
    tables = [Path(job[name]) for name in ("table", "test") if job.get(name)]
    # Behind the supervisor's wall: private writable memory, which on the CPU is not far from what is resident. CUDA maps far more than it uses
    walls = confine(memory=None if _has_accelerator() else job["memory"] * 3 // 2 + 2**30, cpu_seconds=job["cpu_seconds"], writable=[staging], readable=tables)
    print(f"walls: {walls.as_json()}", file=sys.stderr)
    try:
        _do(job, staging, ChildHooks(teller, staging, asking_study(leads=job["kind"] == "training")))
        failpoint("bundle")
    except BadInput as refusal:
        teller.tell("bad_input", sentence=refusal.sentence, pointer=refusal.pointer)
        return 2
    except Stopped:
        teller.tell("stopped")
        return 3
    except MemoryError:
        teller.tell("out_of_memory")
        return 4
    except Exception:  # noqa: BLE001 - whatever it is, it is told to the supervisor, which logs it
        teller.tell("failed", text=traceback.format_exc()[-4_000:])
        return 1
    teller.tell("done")
    return 0


def _do(job: dict[str, Any], staging: Path, hooks: ChildHooks) -> None:
    if job["kind"] == "nothing" and testing():
        return
    if job["kind"] == "profile":
        _profile(job, staging, hooks)
    elif job["kind"] in ("training", "predictions", "part"):
        _run(job, staging, hooks)
    else:
        raise ValueError(f"job.json: kind {job['kind']!r} is unknown")


def _profile(job: dict[str, Any], staging: Path, hooks: ChildHooks) -> None:
    hooks.progress(Progress("read"))
    from automl.data.profiles import profile_table
    from automl.data.tables import read_table
    from automl.evidence import canonical_json
    from automl.spec import TableOptions

    table = read_table(Path(job["table"]), TableOptions.model_validate(job["options"]), tuple(job["missing"]), _table_limits(job))
    profile = profile_table(table)
    (staging / "bundle").mkdir()
    (staging / "bundle" / "profile.json").write_bytes(canonical_json(profile.model_dump(mode="json")))


def _run(job: dict[str, Any], staging: Path, hooks: ChildHooks) -> None:
    # Before the engine is imported, which takes seconds: the page shows that the work has begun
    hooks.progress(Progress("read"))
    from automl.spec import parse_spec

    spec = parse_spec(job["spec"], "predictions" if job["kind"] == "predictions" else "training")
    # A scripted engine may stand in for the real one in tests of everything around it
    name = os.environ.get("PLUMBLINE_TESTING_PIPELINE") if testing() else None
    pipeline = importlib.import_module(name or "automl.pipeline")
    always = {"run": job["run"], "audit_number": job["audit_number"], "limits": _table_limits(job)}
    if job["kind"] == "predictions":
        pipeline.run_audit_of_predictions(spec, Path(job["table"]), staging / "bundle", hooks, **always)
        return
    lend_compiled(staging / "tmp" / "compiled")
    if job["kind"] == "part":
        pipeline.run_part(
            spec, Path(job["table"]), hooks, trials=staging / "trials", test=Path(job["test"]) if job["test"] else None, limits=always["limits"],
            spent_seconds=job["spent_seconds"])
        return
    pipeline.run_training(
        spec, Path(job["table"]), staging / "bundle", hooks, **always, test=Path(job["test"]) if job["test"] else None,
        trials=staging / "trials", spent_seconds=job["spent_seconds"])


def _table_limits(job: dict[str, Any]) -> TableLimits:
    from automl.data.tables import TableLimits

    return TableLimits(**job["limits"])


def _has_accelerator() -> bool:
    return os.environ.get("CUDA_VISIBLE_DEVICES") != "" and os.path.exists("/dev/nvidiactl")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
