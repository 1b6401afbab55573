from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.management import load_command_class

COMMANDS = [("auditapp", "token"), ("auditapp", "verify"), ("auditapp", "member"), ("workers", "audit"), ("workers", "audit_predictions")]


@pytest.mark.parametrize(("app", "name"), COMMANDS)
@pytest.mark.parametrize("arguments", [[], ["--no-such-option"]])
def test_what_is_missing_or_unknown_is_one_sentence_and_exit_code_2(app: str, name: str, arguments: list[str], capsys: Any) -> None:
    command = load_command_class(app, name)
    with pytest.raises(SystemExit) as ended:
        command.run_from_argv(["manage.py", name, *arguments])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.count("\n") == 1, said
    assert "usage" not in said.lower()


@pytest.mark.slow
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_who_stops_reading_ends_a_command_silently(unbuffered: str) -> None:
    """As ``manage.py ... | head`` does: written at once or at the end, it is no error to tell of."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "manage.py", "help"], cwd=settings.BASE_DIR, stdout=writer, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": unbuffered}, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")
