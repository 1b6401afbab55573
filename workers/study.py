"""`python -m workers.study RUN PART ATTEMPT`: keeps the study that the parts of a run share, for the child of one of them.

Questions come as JSON lines on standard input, answers go to standard output (`workers.asking` is at the other end). The child has no credentials: this
process has them, and believes nothing that it is asked. A part can tell only trials that it was given here, has few of them open at a time, and names
none but the families that its run searches. Every question is answered alone, under one lock for the run in the database, so that no two parts get the same
number or the same default.

The study lies in Optuna's own tables, in a schema of their own; one Optuna study a family, as a search alone has. Whether an open trial is lost is not
asked of Optuna but of the leases (`auditapp.parts.holders`). The studies of runs that have ended are removed when the next one is led.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import optuna
import sqlalchemy
from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from automl.hooks import Ended, GivenOut, Standing
from automl.learn.studies import STATES, UNPRUNED_TRIALS, sampler

logger = logging.getLogger("workers.study")

SCHEMA = "plumbline_studies"
LONGEST = 64 * 1024
"""Bytes of a question."""
MOST_OPEN = 4
"""Trials that one part may have open: an honest one has two."""
MOST_TRIALS = 20_000
"""Of a run, whatever its budget."""
LEADS = 0
"""The number of the leading part."""

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Loss = Annotated[float, Field(allow_inf_nan=False)]
Value = bool | int | Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, StringConstraints(max_length=100)] | None


class _Question(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Look(_Question):
    op: Literal["look"]


class Default(_Question):
    at: Annotated[int, Field(ge=0, le=1_000)]
    settings: Annotated[dict[Word, Value], Field(max_length=64)]


class Ask(_Question):
    op: Literal["ask"]
    family: Word
    after: Annotated[int, Field(ge=0, le=1_000_000)]
    default: Default | None
    spaces: Annotated[dict[Word, Annotated[str, StringConstraints(max_length=2_000)]], Field(max_length=64)]


class Tell(_Question):
    op: Literal["tell"]
    number: Annotated[int, Field(ge=1, le=1_000_000)]
    state: Literal["complete", "pruned", "failed"]
    loss: Loss | None
    losses: Annotated[list[Loss], Field(max_length=100)]


class Close(_Question):
    op: Literal["close"]


_QUESTION: TypeAdapter[Look | Ask | Tell | Close] = TypeAdapter(Annotated[Look | Ask | Tell | Close, Field(discriminator="op")])


class Refused(Exception):
    """A question that an honest part does not ask; the text is its answer."""


@dataclass(frozen=True)
class Part:
    """For whom the study is kept."""

    run: str
    number: int
    attempt: int
    families: tuple[str, ...]
    seed: int
    trials: int | None
    """The run's budget in trials, over all parts."""


@dataclass(frozen=True)
class _Trial:
    family: str
    frozen: FrozenTrial
    is_lost: bool = False
    """Its part lost its lease before the trial was told, or before what it made was stored."""

    @property
    def number(self) -> int:
        return int(self.frozen.user_attrs["number"])

    @property
    def holder(self) -> tuple[int, int]:
        return self.frozen.user_attrs["part"], self.frozen.user_attrs["attempt"]

    @property
    def is_open(self) -> bool:
        return not self.frozen.state.is_finished()

    @property
    def is_told(self) -> bool:
        return "told" in self.frozen.user_attrs

    def as_ended(self) -> Ended:
        states: dict[TrialState, Any] = {known: name for name, known in STATES.items()}
        state: Any = "lost" if self.is_lost else "open" if self.is_open else states[self.frozen.state]
        return Ended(self.number, self.family, self.frozen.params, state)


class KeptStudies:
    """The studies of one run, for one of its parts. ``holders`` says which (part, attempt) hold a lease now, ``stored`` which trials' files are kept."""

    def __init__(
        self, storage: BaseStorage, engine: sqlalchemy.Engine, part: Part, holders: Callable[[], set[tuple[int, int]]], stored: Callable[[], set[int]],
    ) -> None:
        self.part, self.holders, self.stored, self.engine = part, holders, stored, engine
        self.mine: dict[int, tuple[str, optuna.Trial]] = {}
        with locked(engine, part.run):
            self.studies = {name: optuna.create_study(storage=storage, study_name=f"{part.run}/{name}", direction="minimize", load_if_exists=True)
                            for name in part.families}
            self.first = next(iter(self.studies.values()))
            if part.number == LEADS:
                # An earlier attempt may have closed it and died before it could use what it had gathered
                self.first.set_user_attr("closed", False)

    def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to one question, whatever it is; ``{"error": ...}`` for what is none."""
        try:
            question = _QUESTION.validate_json(line)
            with locked(self.engine, self.part.run):
                return self._answer(question)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            return {"error": f"no such question: {'/'.join(map(str, first['loc']))}: {first['msg']}"[:500]}
        except Refused as refused:
            return {"error": str(refused)}

    def _answer(self, question: Look | Ask | Tell | Close) -> dict[str, Any]:
        if isinstance(question, Tell):
            self._tell(question)
            return {}
        trials = self._trials()
        if isinstance(question, Close):
            if self.part.number != LEADS:
                raise Refused("only the leading part closes the study")
            self.first.set_user_attr("closed", True)
            return {"trials": [asdict(trial.as_ended()) for trial in trials]}
        standing = self._standing(trials)
        if isinstance(question, Look) or standing.over or question.after != standing.started:
            return {"standing": asdict(standing)}
        return {"given": asdict(self._give_out(question, trials))}

    # --- what is known

    def _trials(self) -> list[_Trial]:
        """Every trial of the run, by number; those whose part has lost its lease have just been marked as failed."""
        holders = self.holders()
        found: list[_Trial] = []
        for family, study in self.studies.items():
            trials = [_Trial(family, frozen) for frozen in study.get_trials(deepcopy=False)]
            given_up = [trial for trial in trials if trial.is_open and self._is_given_up(trial, holders)]
            for trial in given_up:
                _fail(study, trial.frozen)
            found += trials if not given_up else [_Trial(family, frozen) for frozen in study.get_trials(deepcopy=False)]
        doubtful = any(trial.is_told and trial.holder not in holders for trial in found)
        stored = self.stored() if doubtful else set()
        lost = {trial.number for trial in found if not trial.is_open and not (trial.is_told and (trial.holder in holders or trial.number in stored))}
        return [replace(trial, is_lost=trial.number in lost) for trial in sorted(found, key=lambda trial: trial.number)]

    def _is_given_up(self, trial: _Trial, holders: set[tuple[int, int]]) -> bool:
        # One of ours that we do not know was given out by a question that the database interrupted
        ours = trial.holder == (self.part.number, self.part.attempt)
        return trial.holder not in holders or (ours and trial.number not in self.mine)

    def _standing(self, trials: Sequence[_Trial]) -> Standing:
        alive = [trial for trial in trials if not trial.is_lost]
        over: Literal["trials", "closed"] | None = None
        if self.first.user_attrs.get("closed"):
            over = "closed"
        elif len(alive) >= (self.part.trials or MOST_TRIALS) or len(trials) >= MOST_TRIALS:
            over = "trials"
        return Standing(
            started=len(trials), alive=len(alive), over=over, tried={name: sum(trial.family == name for trial in alive) for name in self.studies},
            defaults={name: [trial.frozen.user_attrs["default"] for trial in alive if trial.family == name and trial.frozen.user_attrs["default"] is not None]
                      for name in self.studies},
            others_open=sum(trial.is_open and trial.holder[0] != self.part.number for trial in alive))

    # --- ask and tell

    def _give_out(self, ask: Ask, trials: Sequence[_Trial]) -> GivenOut:
        if len(self.mine) >= MOST_OPEN:
            raise Refused(f"{MOST_OPEN} trials are open already; tell one first")
        study = self.studies.get(ask.family)
        if study is None:
            raise Refused(f"this run searches {', '.join(self.studies)} and no {ask.family}")
        spaces = {name: _space(name, text) for name, text in ask.spaces.items()}
        number = len(trials) + 1
        study.sampler = sampler(self.part.seed, number)
        default = ask.default
        study.enqueue_trial(default.settings if default else {}, user_attrs={
            "number": number, "part": self.part.number, "attempt": self.part.attempt, "default": default.at if default else None})
        try:
            trial = study.ask(fixed_distributions=spaces)
        except (ValueError, TypeError) as error:
            # Another space than this setting has had, or a default that does not lie in it. The next question finds the trial and marks it
            raise Refused(f"the settings of {ask.family} do not fit its spaces: {error}"[:500]) from error
        self.mine[number] = ask.family, trial
        return GivenOut(number, trial.params, [] if default else _bar(trials, ask.family))

    def _tell(self, tell: Tell) -> None:
        if tell.number not in self.mine:
            raise Refused(f"trial {tell.number} was not given to this part, or it has been told")
        if (tell.state == "complete") != (tell.loss is not None):
            raise Refused("a complete trial has a loss, and no other has one")
        family, trial = self.mine[tell.number]
        study = self.studies[family]
        try:
            for step, loss in enumerate(tell.losses, start=1):
                trial.report(loss, step)
            trial.set_user_attr("told", True)
        except optuna.exceptions.UpdateFinishedTrialError:
            logger.warning("trial %d of %s was told after it had been given up for lost", tell.number, self.part.run)
        study.tell(trial, tell.loss, state=STATES[tell.state], skip_if_finished=True)
        del self.mine[tell.number]


def _space(name: str, text: str) -> BaseDistribution:
    try:
        return json_to_distribution(text)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise Refused(f"the space of {name} is none: {error}"[:500]) from error


def _bar(trials: Sequence[_Trial], family: str) -> list[float]:
    """The median over the family's complete trials of the mean loss after each fold; empty while there are too few of them."""
    rivals = [list(trial.frozen.intermediate_values.values()) for trial in trials if trial.family == family and trial.frozen.state == TrialState.COMPLETE]
    if len(rivals) < UNPRUNED_TRIALS:
        return []
    return [float(np.median([rival[step] for rival in rivals])) for step in range(min(map(len, rivals)))]


def _fail(study: optuna.Study, frozen: FrozenTrial) -> None:
    if frozen.state == TrialState.WAITING:
        study.ask()  # takes the waiting one; under the lock there is no other
    study.tell(frozen.number, state=TrialState.FAIL, skip_if_finished=True)


# --- the database


@contextmanager
def locked(engine: sqlalchemy.Engine, what: str) -> Iterator[None]:
    """Nobody else is in here for the same ``what``, on any machine. A killed holder lets go with its connection."""
    key = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], signed=True)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        yield


def open_storage(database: Mapping[str, Any]) -> tuple[BaseStorage, sqlalchemy.Engine]:
    """Optuna's tables in the PostgreSQL that ``database`` (an entry of Django's DATABASES) names, in a schema of their own, made where they are missing."""
    host = database["HOST"] or ""
    url = sqlalchemy.URL.create(
        "postgresql+psycopg", database["USER"] or None, database["PASSWORD"] or None, None if host.startswith("/") else host or None,
        int(database["PORT"]) if database["PORT"] else None, database["NAME"], {"host": host} if host.startswith("/") else {})
    options = dict(database.get("OPTIONS", {}))
    options["options"] = f"{options.get('options', '')} -c search_path={SCHEMA}".strip()
    engine = sqlalchemy.create_engine(url, connect_args=options, pool_pre_ping=True)
    with locked(engine, SCHEMA):
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        stored = RDBStorage(url.render_as_string(hide_password=False), engine_kwargs={"connect_args": options, "pool_pre_ping": True})
    return optuna.storages.get_storage(stored), engine


def remove_ended(storage: BaseStorage, still_active: Callable[[list[str]], set[str]]) -> None:
    """Forget the studies of runs that are over."""
    names = optuna.get_all_study_names(storage)
    active = still_active(sorted({name.partition("/")[0] for name in names}))
    for name in names:
        if name.partition("/")[0] not in active:
            try:
                optuna.delete_study(study_name=name, storage=storage)
            except KeyError:
                logger.info("study %s was removed by somebody else", name)


# --- the process


def main(run_id: str, number: int, attempt: int) -> int:
    from auditapp.confinement import die_with_parent

    die_with_parent()
    import django

    django.setup()
    from django.conf import settings
    from django.db import OperationalError, close_old_connections

    from auditapp import parts
    from auditapp.models import Run
    from automl.learn.families import FAMILIES
    from automl.spec import parse_spec

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    spec: Any = parse_spec(Run.objects.get(pk=run_id).spec, "training")
    storage, engine = open_storage(settings.DATABASES["default"])
    if number == LEADS:
        remove_ended(storage, parts.still_active)
    part = Part(run_id, number, attempt, tuple(name for name in FAMILIES if not spec.families or name in spec.families), spec.seed, spec.budget.trials)
    studies = KeptStudies(storage, engine, part, lambda: parts.holders(run_id), lambda: parts.stored_trials(run_id))
    for line in iter(partial(sys.stdin.buffer.readline, LONGEST + 1), b""):
        if len(line) > LONGEST:
            logger.warning("a question of %s is longer than %d bytes", run_id, LONGEST)
            return 0
        until = time.monotonic() + settings.LEASE_SECONDS
        while True:
            try:
                answer = studies.answer(line)
                break
            except (OperationalError, sqlalchemy.exc.OperationalError, optuna.exceptions.StorageInternalError):
                # As long as a lease lasts the database may be away; then somebody else goes on
                if time.monotonic() > until:
                    raise
                close_old_connections()
                time.sleep(1)
        try:
            sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
