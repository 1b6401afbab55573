from __future__ import annotations

from typing import Any

import pytest

from auditapp import access
from auditapp.models import Run


@pytest.fixture
def run(succeeded_run: Any) -> Run:
    made: Run = succeeded_run()
    return made


def caller(people: Any, who: str) -> access.Caller:
    return access.Caller(people.users[who], people.workspace, who)
