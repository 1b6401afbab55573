"""A finished run as a folder of files that vouch for each other: the model, the evidence, the charts, and a manifest of every file's sha256.

Light to import: the worker reads and checks bundles without the libraries that made them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.evidence import Charts, Evidence, canonical_json, digest_of

MANIFEST = "manifest.json"


class BrokenBundle(Exception):
    """A bundle whose files are not what its manifest says; the text names the file."""


@dataclass(frozen=True)
class Manifest:
    """What a bundle holds: ``files`` maps a name such as "model/model.json" to its sha256 and size in bytes."""

    files: dict[str, dict[str, Any]]
    evidence_digest: str
    run: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {"files": self.files, "evidence_digest": self.evidence_digest, "run": self.run}


@dataclass(frozen=True)
class Bundle:
    """An opened bundle: every file was read and agreed with the manifest."""

    folder: Path
    manifest: Manifest
    evidence: Evidence

    def charts(self) -> Charts:
        return Charts.model_validate_json((self.folder / "charts.json").read_bytes())


def write_bundle(
    out: Path, *, evidence: Evidence, charts: Charts, card: str, predictions: Callable[[Path], None], save_model: Callable[[Path], object] | None,
    save_others: Mapping[str, Callable[[Path], object]] | None = None, files: Mapping[str, bytes] | None = None,
) -> Manifest:
    """Write the bundle beside ``out``, flush it to the disk and rename it into place: ``out`` is whole or absent.

    ``predictions`` writes the CSV of the audit rows to the path it is given, ``save_model`` the model into the folder it is given,
    ``save_others`` models that were not deployed into folders of the bundle, by their names. ``files``: what else lies in it, by name.
    """
    draft = out.with_name(out.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    (draft / "evidence.json").write_bytes(evidence_bytes(evidence))
    (draft / "charts.json").write_bytes(canonical_json(charts.model_dump(mode="json")))
    (draft / "modelcard.md").write_text(card, encoding="utf-8")
    for name, content in (files or {}).items():
        (draft / name).write_bytes(content)
    predictions(draft / "predictions.csv")
    for name, save in {**({} if save_model is None else {"model": save_model}), **(save_others or {})}.items():
        (draft / name).mkdir(parents=True)
        save(draft / name)
    manifest = reseal(draft)
    for folder, _, names in os.walk(draft):
        for name in names:
            _flush(Path(folder) / name)
        _flush(Path(folder))
    draft.rename(out)
    _flush(out.parent)
    return manifest


def evidence_bytes(evidence: Evidence) -> bytes:
    """The canonical bytes that are stored, served and attached to the PDF."""
    return canonical_json(evidence.model_dump(mode="json"))


def reseal(folder: Path) -> Manifest:
    """Write the manifest anew over all files in ``folder``: after the charts are drawn and the PDF is signed."""
    document = json.loads((folder / "evidence.json").read_bytes())
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    files = {name: {"sha256": sha256_of(folder / name), "bytes": (folder / name).stat().st_size} for name in names}
    manifest = Manifest(files=files, evidence_digest=document["digest"], run=document["run"])
    draft = folder / (MANIFEST + ".draft")
    draft.write_bytes(canonical_json(manifest.as_json()))
    draft.rename(folder / MANIFEST)
    return manifest


def open_bundle(folder: Path) -> Bundle:
    """The bundle in ``folder``; raises BrokenBundle where a file is missing, added or altered, or the evidence does not match its digest."""
    manifest = Manifest(**json.loads((folder / MANIFEST).read_bytes()))
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST}
    for name in sorted(present ^ set(manifest.files)):
        raise BrokenBundle(f"{name} is {'missing' if name in manifest.files else 'not in the manifest'}")
    for name, said in manifest.files.items():
        path = folder / name
        if path.is_symlink() or sha256_of(path) != said["sha256"]:
            raise BrokenBundle(f"{name} is not the file that the manifest names")
    document = json.loads((folder / "evidence.json").read_bytes())
    if digest_of(document) != document["digest"] or manifest.evidence_digest != document["digest"]:
        raise BrokenBundle("evidence.json does not match its digest")
    return Bundle(folder=folder, manifest=manifest, evidence=Evidence.model_validate(document))


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file's content, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
