"""A new home, made by whatever command comes first: real commands in real processes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from auditapp.home import HomeUnusable, make_private, read_or_make_secret_key

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
COUNT = "from django.contrib.auth.models import User; from auditapp.models import *; print([*User.objects.values_list('username', flat=True)], [*Membership.objects.values_list('role', flat=True)])"


def _manage(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env={**clean, "PLUMBLINE_HOME": str(home), **environment}, capture_output=True, text=True, timeout=120)


def test_the_database_is_private_in_a_home_that_is_not(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    done = _manage(tmp_path, "shell", "-v", "0", "-c", COUNT)
    assert done.returncode == 0, done.stderr
    for file in tmp_path.glob("db.sqlite3*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_the_first_command_prepares_a_home_and_the_second_finds_it(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    first = _manage(home, "shell", "-v", "0", "-c", COUNT)
    assert first.stdout.strip() == "['demo'] ['owner']", first.stderr
    key, database = (home / "secret_key").read_text(), (home / "db.sqlite3").stat().st_ino
    certificate = (home / "signing" / "certificate.pem").read_bytes()
    second = _manage(home, "shell", "-v", "0", "-c", COUNT)
    assert second.stdout == first.stdout
    assert (home / "secret_key").read_text() == key
    assert (home / "db.sqlite3").stat().st_ino == database
    assert (home / "signing" / "certificate.pem").read_bytes() == certificate
    for private in (home, home / "secret_key", home / "signing" / "key.pem"):
        assert stat.S_IMODE(private.stat().st_mode) & 0o077 == 0, f"{private} is open to others"


def test_what_was_lost_is_made_again(tmp_path: Path) -> None:
    _manage(tmp_path, "shell", "-v", "0", "-c", "")
    (tmp_path / "db.sqlite3").unlink()
    assert _manage(tmp_path, "shell", "-v", "0", "-c", COUNT).stdout.strip() == "['demo'] ['owner']"


def test_two_first_commands_at_once_agree(tmp_path: Path) -> None:
    home = tmp_path / "home"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
    both = [
        subprocess.Popen([sys.executable, "manage.py", "shell", "-v", "0", "-c", COUNT], cwd=ROOT, env={**clean, "PLUMBLINE_HOME": str(home)}, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate(timeout=120)[0].strip() for process in both] == ["['demo'] ['owner']"] * 2


@pytest.mark.parametrize("arguments", [("check",), ("help",), ("token", "--help")])
def test_commands_that_need_no_database_make_none(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert _manage(tmp_path / "home", *arguments).returncode == 0
    assert not (tmp_path / "home" / "db.sqlite3").exists()


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = _manage(tmp_path / "file" / "home", "shell", "-c", "")
    assert refused.returncode == 1
    assert refused.stderr == f"PLUMBLINE_HOME {tmp_path}/file/home cannot be made: Not a directory\n"


def test_a_setting_that_is_no_number_is_one_sentence(tmp_path: Path) -> None:
    refused = _manage(tmp_path, "shell", "-c", "", PLUMBLINE_RUN_MEMORY="8 GiB")
    assert refused.returncode == 1
    assert refused.stderr.startswith("PLUMBLINE_RUN_MEMORY is '8 GiB': ")
    assert refused.stderr.count("\n") == 1


PRODUCTION = {
    "PLUMBLINE_PROFILE": "production", "PLUMBLINE_SECRET_KEY": "k" * 60, "PLUMBLINE_ALLOWED_HOSTS": "audit.example.org",
    "PLUMBLINE_DATABASE_URL": "postgresql://plumbline@127.0.0.1:1/plumbline", "PLUMBLINE_REDIS_URL": "redis://127.0.0.1:1/0",
}


@pytest.mark.parametrize(("name", "value", "said"), [
    ("PLUMBLINE_SECRET_KEY", "", "PLUMBLINE_SECRET_KEY is not set"),
    ("PLUMBLINE_SECRET_KEY", "short", "PLUMBLINE_SECRET_KEY is shorter than 50 characters"),
    ("PLUMBLINE_DEBUG", "true", "PLUMBLINE_DEBUG is on"),
    ("PLUMBLINE_DATABASE_URL", "", "PLUMBLINE_DATABASE_URL is not set"),
    ("PLUMBLINE_DATABASE_URL", "sqlite:///x", "PLUMBLINE_DATABASE_URL begins with sqlite://"),
    ("PLUMBLINE_REDIS_URL", "", "PLUMBLINE_REDIS_URL is not set"),
    ("PLUMBLINE_ALLOWED_HOSTS", "*", "PLUMBLINE_ALLOWED_HOSTS must name the hosts"),
    ("PLUMBLINE_ALLOWED_HOSTS", "", "PLUMBLINE_ALLOWED_HOSTS must name the hosts"),
])
def test_production_refuses_weak_settings_by_name(tmp_path: Path, name: str, value: str, said: str) -> None:
    refused = _manage(tmp_path, "check", **{**PRODUCTION, name: value})
    assert refused.returncode == 1
    assert refused.stderr.startswith(said), refused.stderr
    assert refused.stderr.count("\n") == 1


def test_production_makes_no_database_and_no_demo_user(tmp_path: Path) -> None:
    assert _manage(tmp_path / "home", "shell", "-v", "0", "-c", "print('up')", **PRODUCTION).stdout == "up\n"
    assert not (tmp_path / "home" / "signing").exists()
    assert not (tmp_path / "home" / "db.sqlite3").exists()


def test_the_secret_key_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    key = read_or_make_secret_key(tmp_path / "home")
    assert len(key) >= 50
    assert read_or_make_secret_key(tmp_path / "home") == key
    assert stat.S_IMODE((tmp_path / "home" / "secret_key").stat().st_mode) == 0o600
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["secret_key"], "no draft is left"


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeUnusable, match=f"PLUMBLINE_HOME {tmp_path}/file cannot be made"):
        make_private(tmp_path / "file")
