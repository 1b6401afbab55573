"""The specification's own numbers: every vector V1 to V19, every expected value T1 to T15, every mistake 1 to 16 and every rule 1 to 15 has a test with its number in the name."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from tests.test_house import CODE, ROOT, _ours

HERE = Path(__file__).resolve().parent
NUMBERED = [*(f"v{n:02d}" for n in range(1, 20)), *(f"t{n:02d}" for n in range(1, 16)), *(f"mistake_{n:02d}" for n in range(1, 17)), *(f"rule_{n:02d}" for n in range(1, 16))]


@cache
def _names() -> tuple[str, ...]:
    """Names of tests; the stories' own numbers (their faults are T1 and on, too) and those of reports and runs are other lists."""
    files = [path for folder in ("automl", "auditapp/report") for path in (HERE / folder).rglob("test_*.py")]
    return tuple(name for path in [*files, Path(__file__)] for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("number", NUMBERED)
def test_every_number_of_the_specification_has_a_test(number: str) -> None:
    assert any(re.search(rf"_{number}(?=_|$)", name) for name in _names())


def test_mistake_13_no_text_cites_law_that_was_withdrawn_as_standing() -> None:
    """SR 11-7, SB 24-205, the EU's old date and Circular 2022-03 (audit-report L1, L2, L3, L6)."""
    stale = re.compile(r"SR 11-7(?! \(rescinded)|24-205|2026-08-02|2022-03|2 August 2026")
    ours = (path for path in _ours(".py", ".html", ".typ", ".json") if path.relative_to(ROOT).parts[0] in (*CODE, "templates"))
    found = [f"{path.relative_to(ROOT)}: {match.group()}" for path in ours if path.name != "law_status.json" for match in stale.finditer(path.read_text())]
    assert found == []
    # The one file that knows them: superseded there, or what a current text replaced
    for law in json.loads((ROOT / "auditapp" / "law_status.json").read_text())["laws"]:
        said = json.dumps({key: value for key, value in law.items() if key != "replaces"})
        assert law.get("standing") == "superseded" or not stale.search(said), law["id"]
