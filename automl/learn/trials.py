"""One finished trial in one file: what it tried, how it scored, its out-of-fold predictions and its fold models. What a resumed run takes up.

An uncompressed zip: ``trial.json`` (UTF-8), ``out_of_fold.npy`` (raw scores of the training rows, float64), ``fold0/...`` (`FoldModel.files`).
Numbers and text only. Written aside, synced and renamed: a file under its final name is whole.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from automl.evidence import Trial
from automl.learn.families import Files, FoldModel, constant, family

State = Literal["complete", "pruned", "failed", "baseline"]
SUFFIX = ".trial"
FORMAT = 3
"""Of what families store in their files. Models and trials of another format are not read."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class TrialRecord:
    number: int
    family: str
    params: dict[str, Any]
    state: State
    score: float | None
    """Out-of-fold, in the metric's own direction; None unless complete or baseline."""
    seconds: float
    spent_seconds: float
    """Tuning time used up to and including this trial, over all attempts of the run."""
    fingerprint: str
    """Of the rows, folds and settings it was made with: a trial of other data is not taken up."""
    fold_losses: tuple[float, ...] = ()
    """Mean loss (smaller is better) over the folds so far, after each fold: what pruning compared."""
    spaces: dict[str, str] = field(default_factory=dict)
    """Setting to the space it was drawn from, as Optuna's JSON: with it a resumed search replays the trial."""
    fairness: float | None = None
    """The second objective's value out of fold (`automl.learn.disparity`), where the spec asks for one and it is defined."""
    note: str = ""
    path: Path | None = field(default=None, compare=False)

    def as_evidence(self) -> Trial:
        return Trial(number=self.number, family=self.family, params=self.params, score=self.score, seconds=round(self.seconds, 3), state=self.state, note=self.note,
                     fairness=self.fairness)

    def out_of_fold(self) -> Array:
        """Raw scores of the training rows, (n,) or (n, k)."""
        with zipfile.ZipFile(self._file()) as archive:
            return np.asarray(np.load(io.BytesIO(archive.read("out_of_fold.npy")), allow_pickle=False))

    def fold_models(self) -> tuple[FoldModel, ...]:
        return tuple(load_fold_model(self.family, files) for files in self.fold_files())

    def fold_files(self) -> tuple[Files, ...]:
        folds: dict[int, Files] = {}
        with zipfile.ZipFile(self._file()) as archive:
            for name in archive.namelist():
                folder, _, rest = name.partition("/")
                if rest:
                    folds.setdefault(int(folder.removeprefix("fold")), {})[rest] = archive.read(name)
        return tuple(folds[at] for at in sorted(folds))

    def _file(self) -> Path:
        if self.path is None:
            raise ValueError(f"trial {self.number} has not been written")
        return self.path


def load_fold_model(name: str, files: Files) -> FoldModel:
    """The fold model of family ``name`` (or the baseline) from its files."""
    return constant.load_constant(files) if name == constant.NAME else family(name).load(files)


def write_trial(folder: Path, record: TrialRecord, out_of_fold: Array | None, folds: tuple[FoldModel, ...]) -> Path:
    """Writes ``folder/0003.trial`` whole or not at all, and returns its path."""
    path = folder / f"{record.number:04}{SUFFIX}"
    aside = path.with_suffix(".part")
    # a search with one objective writes what it always wrote
    document = {key: value for key, value in asdict(record).items() if key != "path" and (key, value) != ("fairness", None)}
    with aside.open("wb") as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            _add(archive, "trial.json", json.dumps(document, ensure_ascii=False, sort_keys=True).encode())
            if out_of_fold is not None:
                buffer = io.BytesIO()
                np.save(buffer, out_of_fold, allow_pickle=False)
                _add(archive, "out_of_fold.npy", buffer.getvalue())
            for at, fold in enumerate(folds):
                for name, content in sorted(fold.files().items()):
                    _add(archive, f"fold{at}/{name}", content)
        stream.flush()
        os.fsync(stream.fileno())
    aside.rename(path)
    _sync_folder(folder)
    return path


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name), content)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_trials(folder: Path, fingerprint: str) -> list[TrialRecord]:
    """The finished trials in ``folder`` that were made with these rows and settings, by number, up to the first gap."""
    found = {record.number: record for path in sorted(folder.glob(f"*{SUFFIX}")) if (record := read_trial(path, fingerprint))}
    kept: list[TrialRecord] = []
    while len(kept) in found:
        kept.append(found[len(kept)])
    return kept


def read_trial(path: Path, fingerprint: str) -> TrialRecord | None:
    """None for a file that is no trial of these rows and settings: it is then simply made again."""
    try:
        with zipfile.ZipFile(path) as archive:
            document = json.loads(archive.read("trial.json"))
        record = TrialRecord(**{**document, "fold_losses": tuple(document["fold_losses"]), "path": path})
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError):
        return None
    return record if record.fingerprint == fingerprint else None
