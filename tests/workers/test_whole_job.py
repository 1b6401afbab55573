"""What is refused before any work, and what is left when the work fails. The whole way is tests/workers/management/commands/test_audit.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automl.errors import BadInput
from automl.spec import TaskSpec
from workers.whole_job import Job, JobFailed, _draw_and_sign, check_out, do_whole_job

pytestmark = pytest.mark.slow


def _job(table: Path, out: Path, test: Path | None = None) -> Job:
    return Job("training", table, test, TaskSpec(target="y"), out)


@pytest.fixture(autouse=True)
def _home(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path / "home"
    settings.HOME.mkdir()


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("precious")
    with pytest.raises(BadInput, match=r"--out: .* is not empty"):
        check_out(tmp_path / "out")
    assert (tmp_path / "out" / "mine").read_text() == "precious"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(BadInput, match=r"--out: .* is a file"):
        check_out(tmp_path / "out")


@pytest.mark.parametrize("out", ["/proc/plumbline", "/dev/null/out", "/sys/out"])
def test_a_folder_that_cannot_be_made_is_said_before_the_work(out: str) -> None:
    with pytest.raises(BadInput, match=r"--out: .* cannot be made: "):
        check_out(Path(out))


def test_looking_leaves_nothing(tmp_path: Path) -> None:
    check_out(tmp_path / "a" / "b")
    (tmp_path / "empty").mkdir()
    check_out(tmp_path / "empty")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "home"]


@pytest.mark.parametrize(("name", "said"), [("absent.csv", "No such file or directory"), (".", "is a folder"), ("a\0b", "NUL")])
def test_a_table_that_cannot_be_read_is_named_with_its_option(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(BadInput, match=f"TABLE: .*{said}"):
        do_whole_job(_job(tmp_path / name, tmp_path / "out"), lambda progress: None)
    (tmp_path / "t.csv").write_text("x,y\n1,0\n")
    with pytest.raises(BadInput, match=f"--test: .*{said}"):
        do_whole_job(_job(tmp_path / "t.csv", tmp_path / "out", tmp_path / name), lambda progress: None)


def test_a_link_in_the_bundle_is_not_written_through(tmp_path: Path) -> None:
    mine, staging = tmp_path / "mine", tmp_path / "staging"
    mine.write_text("precious")
    (staging / "bundle").mkdir(parents=True)
    (staging / "bundle" / "audit.pdf").symlink_to(mine)
    with pytest.raises(JobFailed, match=r"'audit\.pdf' is not a plain file"):
        _draw_and_sign(staging / "bundle", staging, lambda progress: None, "en")
    assert mine.read_text() == "precious"


def test_what_only_the_child_sees_is_refused_in_its_words_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n1,0\n2,0\n")
    with pytest.raises(BadInput, match="one value"):
        do_whole_job(_job(tmp_path / "t.csv", tmp_path / "out"), lambda progress: None)
    assert not (tmp_path / "out").exists()
    assert list((tmp_path / "home" / "commands").iterdir()) == []
