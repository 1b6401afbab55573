"""What a child left is opened as a stranger's: plain files only, and nothing behind a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditapp.bundles import open_plain
from automl.bundle import BrokenBundle


def test_a_plain_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_bytes(b"{}")
    with open_plain(tmp_path / "profile.json") as file:
        assert file.read() == b"{}"


def test_anything_else_is_not(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.pem").write_bytes(b"secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret" / "key.pem")
    (tmp_path / "folder").symlink_to(tmp_path / "secret")
    os.link(tmp_path / "secret" / "key.pem", tmp_path / "second")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder/key.pem", "second", "pipe", "secret", "absent", "absent/file"):
        with pytest.raises(BrokenBundle):
            open_plain(tmp_path / name)
