"""What is known of each law that a report names, and when that was looked up: `law_status.json`, typed, and checked when it is read.

Facts only, none invented: a field that the review did not settle is absent, and every face prints that it is. What is superseded has no way to be shown but as superseded.
"""

from __future__ import annotations

import functools
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

FILE = Path(__file__).resolve().parent / "law_status.json"
NOT_REVIEWED = "not stated in the review"
GRADE_WORDS = {
    "P": "primary text read", "C": "source code read", "S": "secondary source", "K": "domain knowledge, not verified", "M": "measured",
}
Standing = Literal["in_force", "applies_later", "superseded", "unverified"]
Text = Annotated[str, StringConstraints(min_length=1, max_length=600)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


class BrokenLawStatus(Exception):
    """The file says something that cannot be so; the text is one sentence that names the law."""


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Closed):
    """Where a fact is from; ``grade``: how well it was read, absent where nobody graded it."""

    grade: Literal["P", "C", "S", "K", "M"] | None = None
    text: Text

    @property
    def words(self) -> str:
        return self.text if self.grade is None else f"{self.text} ({GRADE_WORDS[self.grade]})"


class Supersession(_Closed):
    """What became of a law: ``law`` is what stands in its place, where something does."""

    law: Identifier | None = None
    how: Text
    on: date | None = None


class Law(_Closed):
    id: Identifier
    name: Text
    version: Text | None = None
    effective: date | None = None
    effective_note: Text | None = None
    standing: Standing | None = None
    """None: its status was not reviewed."""
    superseded_by: Supersession | None = None
    replaces: Text | None = None
    """The former text that the name alone would leave a reader looking for."""
    confirm: Text | None = None
    """What is to be looked up before anybody relies on this entry."""
    source: Source
    retention: Text | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.standing == "superseded") != (self.superseded_by is not None):
            raise ValueError(f"{self.id} is {'superseded and does not say by what' if self.superseded_by is None else 'not called superseded and says by what it was'}")
        if self.standing == "superseded" and self.effective is not None:
            raise ValueError(f"{self.id} is superseded and has an effective date, by which it would be shown as law")
        if self.standing == "applies_later" and self.effective is None:
            raise ValueError(f"{self.id} applies later and does not say from when")
        return self

    @property
    def superseded(self) -> bool:
        return self.standing == "superseded"

    @property
    def title(self) -> str:
        """The name, which says of a superseded law that it is one."""
        if self.superseded:
            return f"{self.name} (superseded)"
        return f"{self.name} (formerly {self.replaces})" if self.replaces else self.name

    @property
    def effective_words(self) -> str:
        if self.effective is None:
            return "–" if self.superseded else NOT_REVIEWED
        return self.effective.isoformat() + (f" ({self.effective_note})" if self.effective_note else "")


class LawStatus(_Closed):
    """The whole file: laws in the order of a report's table, as of ``reviewed``."""

    reviewed: date
    laws: Annotated[tuple[Law, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        known = {law.id: law for law in self.laws}
        if len(known) != len(self.laws):
            twice = sorted({law.id for law in self.laws if [other.id for other in self.laws].count(law.id) > 1})
            raise ValueError(f"{twice[0]} stands there twice")
        for law in self.laws:
            successor = law.superseded_by.law if law.superseded_by else None
            if successor is not None and (successor not in known or known[successor].superseded):
                raise ValueError(f"{law.id} is superseded by {successor}, which is {'superseded itself' if successor in known else 'not in the file'}")
            if law.effective is not None and (law.effective > self.reviewed) != (law.standing == "applies_later"):
                raise ValueError(f"{law.id} is {law.standing} with the effective date {law.effective}, as of {self.reviewed}")
            if law.superseded_by and law.superseded_by.on and law.superseded_by.on > self.reviewed:
                raise ValueError(f"{law.id} is superseded on {law.superseded_by.on}, after the review of {self.reviewed}")
        return self

    def law(self, identifier: str) -> Law:
        """The entry; KeyError where the file has none."""
        return {law.id: law for law in self.laws}[identifier]

    def standing_words(self, law: Law) -> str:
        """What a reader needs to know before relying on ``law``: in force, from when, superseded by what; and what is to be confirmed."""
        said = {"in_force": "in force", "applies_later": f"applies from {law.effective}", "unverified": "status not verified", None: f"status {NOT_REVIEWED}"}
        if law.superseded_by is None:
            words = said[law.standing]
        else:
            by = f"; see {self.law(law.superseded_by.law).title}" if law.superseded_by.law else ""
            words = f"superseded{f' on {law.superseded_by.on}' if law.superseded_by.on else ''}: {law.superseded_by.how}{by}"
        return f"{words}. To confirm: {law.confirm}" if law.confirm else words


def read_law_status(path: Path = FILE) -> LawStatus:
    """The file at ``path``. Raises BrokenLawStatus, with one sentence, where it cannot be read or contradicts itself."""
    try:
        return LawStatus.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BrokenLawStatus(f"law_status.json cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "/".join(map(str, first["loc"]))
        raise BrokenLawStatus(f"law_status.json{f', at {where}' if where else ''}: {first['msg'].removeprefix('Value error, ')}") from error


@functools.cache
def law_status() -> LawStatus:
    """The file that this installation carries, read once."""
    return read_law_status()
