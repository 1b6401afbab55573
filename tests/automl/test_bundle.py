"""The bundle: whole or absent, and every altered byte is named."""

import json
from pathlib import Path

import pytest

from automl.bundle import MANIFEST, BrokenBundle, open_bundle, reseal, write_bundle
from automl.evidence import Charts, Evidence, digest_of
from tests.evidence_example import make_evidence


def _write(out: Path) -> Evidence:
    evidence = _sealed(make_evidence())
    write_bundle(
        out, evidence=evidence, charts=Charts(), card="# Card\n", predictions=lambda path: path.write_text("row,label\n0,yes\n"),
        save_model=lambda folder: (folder / "model.json").write_text("{}"),
    )
    return evidence


def _sealed(evidence: Evidence) -> Evidence:
    return evidence.model_copy(update={"digest": digest_of(evidence.model_dump(mode="json"))})


def test_a_bundle_opens_as_it_was_written(tmp_path: Path) -> None:
    evidence = _write(tmp_path / "bundle")
    opened = open_bundle(tmp_path / "bundle")
    assert opened.evidence == evidence
    assert set(opened.manifest.files) == {"evidence.json", "charts.json", "modelcard.md", "predictions.csv", "model/model.json"}
    assert not (tmp_path / "bundle.draft").exists()


@pytest.mark.parametrize("name", ["evidence.json", "predictions.csv", "model/model.json", "charts.json"])
def test_one_flipped_byte_is_named(tmp_path: Path, name: str) -> None:
    _write(tmp_path / "bundle")
    path = tmp_path / "bundle" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BrokenBundle, match=name):
        open_bundle(tmp_path / "bundle")


def test_a_missing_and_an_added_file_are_named(tmp_path: Path) -> None:
    _write(tmp_path / "bundle")
    (tmp_path / "bundle" / "extra.txt").write_text("x")
    with pytest.raises(BrokenBundle, match=r"extra\.txt is not in the manifest"):
        open_bundle(tmp_path / "bundle")
    (tmp_path / "bundle" / "extra.txt").unlink()
    (tmp_path / "bundle" / "predictions.csv").unlink()
    with pytest.raises(BrokenBundle, match=r"predictions\.csv is missing"):
        open_bundle(tmp_path / "bundle")


def test_further_files_lie_beside_the_evidence_and_are_vouched_for(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", evidence=_sealed(make_evidence()), charts=Charts(), card="# Card\n", predictions=lambda path: path.write_text("row\n"), save_model=None,
                 files={"counts.csv": b"pointer\n"})
    assert open_bundle(tmp_path / "b").manifest.files["counts.csv"]["bytes"] == 8


def test_a_link_out_of_the_bundle_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "bundle")
    card = tmp_path / "bundle" / "modelcard.md"
    (tmp_path / "elsewhere.md").write_bytes(card.read_bytes())
    card.unlink()
    card.symlink_to(tmp_path / "elsewhere.md")
    with pytest.raises(BrokenBundle, match=r"modelcard\.md"):
        open_bundle(tmp_path / "bundle")


def test_resealed_evidence_with_another_number_does_not_match_its_digest(tmp_path: Path) -> None:
    _write(tmp_path / "bundle")
    path = tmp_path / "bundle" / "evidence.json"
    document = json.loads(path.read_bytes())
    document["data"]["rows"] += 1
    path.write_text(json.dumps(document))
    reseal(tmp_path / "bundle")
    with pytest.raises(BrokenBundle, match="digest"):
        open_bundle(tmp_path / "bundle")


def test_resealing_takes_up_what_was_drawn_later(tmp_path: Path) -> None:
    _write(tmp_path / "bundle")
    (tmp_path / "bundle" / "charts").mkdir()
    (tmp_path / "bundle" / "charts" / "roc.svg").write_text("<svg/>")
    manifest = reseal(tmp_path / "bundle")
    assert "charts/roc.svg" in manifest.files
    assert MANIFEST not in manifest.files
    open_bundle(tmp_path / "bundle")


def test_the_digest_ignores_the_run_and_the_clock_and_nothing_else() -> None:
    document = make_evidence().model_dump(mode="json")
    digest = digest_of(document)
    for pointer, value in [(("run", "id"), "run_other"), (("digest",), "x"), (("provenance", "seconds"), 1.0), (("provenance", "hardware"), {}),
                           (("search", "seconds"), 99.0)]:
        assert digest_of(_with(document, pointer, value)) == digest, pointer
    for pointer, value in [(("provenance", "code_version"), "x"), (("plan", "audit_number"), 7), (("data", "rows"), 1), (("search", "folds"), 9)]:
        assert digest_of(_with(document, pointer, value)) != digest, pointer


def _with(document: dict, pointer: tuple[str, ...], value: object) -> dict:
    changed = json.loads(json.dumps(document))
    place = changed
    for key in pointer[:-1]:
        place = place[key]
    place[pointer[-1]] = value
    return changed
