"""`statements.json`: what people said of a run and who signed it off, as of one report version. Types only; beside the evidence, never part of it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Step = Literal["review", "approval"]
What = Literal["run", "statements", "review", "approval"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Statement(_Part):
    """One field as somebody has said it. ``role`` is the author's in the workspace at that time; ``at`` ISO 8601, UTC."""

    text: str
    author: str
    role: str
    at: str


class SignOff(_Part):
    """One person's step, and what they had before them."""

    step: Step
    author: str
    role: str
    at: str
    reason: str
    report_version: int
    pdf_sha256: str
    evidence_digest: str
    statements_version: int
    alone: bool = False
    """The approver is the reviewer too: nobody else of the workspace could sign off."""


class VersionEntry(_Part):
    """Why there is a report version: the end of the run, statements that changed (``fields``), or a step of the sign-off."""

    report_version: int
    what: What
    statements_version: int
    fields: tuple[str, ...] = ()
    author: str
    at: str


class Statements(_Part):
    """What a report says beside its evidence. ``version`` 0: nobody has said anything. A field that is absent was not provided."""

    schema_version: Literal[1] = 1
    run: str
    evidence_digest: str
    report_version: int = 1
    version: int = 0
    fields: dict[str, Statement] = {}
    sign_offs: tuple[SignOff, ...] = ()
    versions: tuple[VersionEntry, ...] = ()

    def signed(self, step: Step) -> SignOff | None:
        """The step's newest sign-off of these very statements; None where there is none, or only of statements that were changed since."""
        return next((one for one in reversed(self.sign_offs) if one.step == step and one.statements_version == self.version), None)

    def earlier(self) -> list[SignOff]:
        """Sign-offs of statements that were changed since."""
        return [one for one in self.sign_offs if one.statements_version != self.version]


def nothing_said(run: str, evidence_digest: str) -> Statements:
    """The document of a run about which nobody has said anything."""
    return Statements(run=run, evidence_digest=evidence_digest)
