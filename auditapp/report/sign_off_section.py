"""Section 18 of a report: who answers for it, who reviewed and approved which version, and how this version came to be."""

from __future__ import annotations

from auditapp.report.blocks import Block, facts, heading, note, paragraph, quoted, spoken, stated, table
from auditapp.report.signature_level import in_words
from auditapp.statements.document import SignOff, Statements, Step, VersionEntry
from auditapp.statements.fields import FIELDS, label_of

STEP_WORDS: dict[Step, str] = {"review": "Review", "approval": "Approval"}
TO_BE_SIGNED_BY: dict[Step, str] = {
    "review": "to be provided by a reviewer or owner of the workspace", "approval": "to be provided by another reviewer or owner of the workspace, after the review",
}
VERSIONS_PRINTED = 20
FIELDS_NAMED = 12
CHECKED_BY = ("Whether a copy is unchanged anybody can find out on the page Verify of the installation that made it (page 1 names its address where it has a public one), or with the command "
              "python manage.py verify FILE.pdf. A reader of PDF that knows PAdES signatures shows the same once it trusts the installation's certificate.")
ALONE = "The approver is the reviewer: nobody else of the workspace could sign off at that time."


def sign_off_section(statements: Statements | None, levels: tuple[str, str] | None = None) -> list[Block]:
    """The level of the signature (``levels``: reached, asked for), responsible persons, the two steps, earlier ones that statements have overtaken, and the versions."""
    blocks: list[Block] = [
        paragraph("The electronic signature of this file is that of the installation that made it. The responsible persons sign by their statements."),
        *([facts([("Level of the signature", in_words(*levels))])] if levels else []),
        note(CHECKED_BY),
        stated(statements, 18),
        heading("Review and approval"),
        spoken([_step(statements, "review"), _step(statements, "approval")]),
    ]
    if statements is None:
        return blocks
    approval = statements.signed("approval")
    if approval is not None and approval.alone:
        blocks.append(note(ALONE))
    if statements.earlier():
        blocks.append(table("Earlier sign-offs: statements have changed since", [("step", "left", 0), ("by", "left", 1), ("at", "left", 0), ("report version", "right", 0), ("reason", "left", 1.6)],
                            [(STEP_WORDS[one.step], f"{quoted(one.author)}, {one.role}", one.at, str(one.report_version), quoted(" ".join(one.reason.split()))) for one in statements.earlier()[-VERSIONS_PRINTED:]]))
    if len(statements.versions) > 1:
        latest = statements.versions[-VERSIONS_PRINTED:]
        blocks.append(table("Versions of this report", [("version", "right", 0), ("what changed", "left", 2.2), ("by", "left", 0.8), ("at", "left", 0)],
                            [(str(one.report_version), changed_words(one), quoted(one.author), one.at) for one in latest],
                            "" if len(latest) == len(statements.versions) else "Earlier ones are in the attached statements.json."))
    return blocks


def _step(statements: Statements | None, step: Step) -> tuple[str, str | None, str]:
    done = statements.signed(step) if statements else None
    if done is None:
        return STEP_WORDS[step], None, TO_BE_SIGNED_BY[step]
    return STEP_WORDS[step], quoted(done.reason), f"{quoted(done.author)}, {done.role}, {done.at}; {signed_words(done)}"


def signed_words(done: SignOff) -> str:
    """What was signed off, in words."""
    return f"of report version {done.report_version} with statements version {done.statements_version}, PDF SHA-256 {done.pdf_sha256}, evidence digest {done.evidence_digest}"


def changed_words(entry: VersionEntry) -> str:
    """Why there is a version, in words."""
    if entry.what == "run":
        return "the run ended"
    if entry.what != "statements":
        return "the report was reviewed" if entry.what == "review" else "the report was approved"
    named = [label_of(name) for name in entry.fields[:FIELDS_NAMED]]
    return f"statements: {'; '.join(named)}{'; …' if len(entry.fields) > len(named) else ''}"


def said_words(statements: Statements | None) -> str:
    """For the first page: how much people have said, and whether they signed off."""
    said = len([name for name in statements.fields if name in FIELDS]) if statements else 0
    much = f"{said} of {len(FIELDS)} statements are provided" if said else f"none of {len(FIELDS)} statements is provided"
    review, approval = (statements.signed("review"), statements.signed("approval")) if statements else (None, None)
    steps = f"reviewed by {quoted(review.author)}" if review else "not reviewed", f"approved by {quoted(approval.author)}" if approval else "not approved"
    return f"{much}; {' and '.join(steps)}"
