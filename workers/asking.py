"""The child's end of a shared study: questions go out on one inherited pipe, answers come back on another (`workers.study` is at the other end).

A JSON object a line in each direction. The child has no credentials and needs none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from automl.hooks import Ended, GivenOut, Standing, StudyGone


def asking_study(*, leads: bool) -> AskingStudy | None:
    """The study that this child was lent (PLUMBLINE_STUDY: two descriptors), or None."""
    lent = os.environ.pop("PLUMBLINE_STUDY", "")
    if not lent:
        return None
    asks, answers = map(int, lent.split(","))
    return AskingStudy(asks, answers, leads=leads)


class AskingStudy:
    """`automl.hooks.SharedStudy` over two pipes."""

    def __init__(self, asks: int, answers: int, *, leads: bool) -> None:
        for descriptor in (asks, answers):
            os.set_inheritable(descriptor, False)
        self._asks, self._answers, self.leads = open(asks, "wb"), open(answers, "rb"), leads  # noqa: SIM115 - they live as long as the process

    def look(self) -> Standing:
        return Standing(**self._call(op="look")["standing"])

    def ask(self, family: str, *, after: int, default: tuple[int, Mapping[str, Any]] | None, spaces: Mapping[str, str]) -> GivenOut | Standing:
        answer = self._call(op="ask", family=family, after=after, spaces=dict(spaces), default=None if default is None else {"at": default[0], "settings": dict(default[1])})
        return GivenOut(**answer["given"]) if "given" in answer else Standing(**answer["standing"])

    def tell(self, number: int, state: Literal["complete", "pruned", "failed"], loss: float | None, losses: Sequence[float]) -> None:
        self._call(op="tell", number=number, state=state, loss=loss, losses=list(losses))

    def close(self) -> tuple[Ended, ...]:
        return tuple(Ended(**each) for each in self._call(op="close")["trials"])

    def _call(self, **request: Any) -> dict[str, Any]:
        try:
            self._asks.write(json.dumps(request, allow_nan=False).encode() + b"\n")
            self._asks.flush()
            line = self._answers.readline()
        except OSError as error:
            raise StudyGone(f"{request['op']}: {error}") from error
        if not line.endswith(b"\n"):
            raise StudyGone(f"{request['op']}: no answer")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise StudyGone(f"{request['op']}: {answer['error']}")
        return answer
