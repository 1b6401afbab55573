"""What people say of a run: version by version, nothing lost, nothing changed afterwards, and never a word of it from elsewhere."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from auditapp import ledger, report_versions, results, runs
from auditapp.models import Artifact, LedgerEntry, Report, ReportRendering, Run, SignOffEntry, StatementsVersion
from auditapp.statements import changes as statements
from automl.errors import BadInput
from automl.evidence import canonical_json
from tests.auditapp.report_maker import make_waiting
from tests.auditapp.statements.conftest import caller


def say(people: Any, run: Run, said: dict[str, str | None], who: str = "reviewer", **more: Any) -> bool:
    return statements.change(run, caller(people, who), said, **{"base": report_versions.document_of(run).version, **more})


def test_nobody_has_said_anything_of_a_new_run(run: Run) -> None:
    document = report_versions.document_of(run)
    assert (document.version, document.fields, document.report_version, [entry.what for entry in document.versions]) == (0, {}, 1, ["run"])


def test_a_change_is_a_new_version_with_author_role_and_time_and_asks_for_the_next_report(people: Any, run: Run) -> None:
    evidence = Artifact.objects.get(run=run, name="evidence.json").sha256
    assert say(people, run, {"purpose": "To rank loan requests."})
    assert say(people, run, {"deployer": "A bank", "purpose": None}, "owner")
    first, second = StatementsVersion.objects.filter(run=run)
    assert first.fields["purpose"] == {"text": "To rank loan requests.", "author": "reviewer", "role": "reviewer", "at": report_versions.moment(first.at)}
    assert (second.version, list(second.fields), second.changed, second.author) == (2, ["deployer"], ["deployer", "purpose"], "owner")
    renderings = list(ReportRendering.objects.filter(run=run))
    assert [(row.version, row.state, row.document["version"]) for row in renderings] == [(2, "queued", 1), (3, "queued", 2)]
    assert renderings[0].document["fields"]["purpose"]["text"] == "To rank loan requests.", "what a version says is fixed when it is asked for"
    assert Artifact.objects.get(run=run, name="evidence.json").sha256 == evidence


def test_the_ledger_names_the_fields_and_their_digest_and_not_the_texts(people: Any, run: Run) -> None:
    say(people, run, {"purpose": "Secret purpose"})
    entry = LedgerEntry.objects.filter(action="statements.changed").get()
    said = StatementsVersion.objects.get(run=run).fields
    assert (entry.actor, entry.subject) == ("user:reviewer", run.pk)
    assert entry.data == {"statements_version": 1, "fields": ["purpose"], "sha256": hashlib.sha256(canonical_json(said)).hexdigest(), "report_version": 2}
    assert ledger.verify(people.workspace) == []


def test_what_stands_already_says_nothing_anew(people: Any, run: Run) -> None:
    say(people, run, {"purpose": "The same"})
    assert not say(people, run, {"purpose": " The same\n"}, "owner")
    assert StatementsVersion.objects.get(run=run).fields["purpose"]["author"] == "reviewer"
    assert ReportRendering.objects.filter(run=run).count() == 1


def test_replacing_takes_back_what_is_not_named(people: Any, run: Run) -> None:
    say(people, run, {"purpose": "a", "deployer": "b"})
    before = StatementsVersion.objects.get(run=run, version=1).fields
    say(people, run, {"deployer": "b", "provider": "c"}, "owner", replace=True)
    after = StatementsVersion.objects.get(run=run, version=2)
    assert (after.changed, after.fields["deployer"]) == (["provider", "purpose"], before["deployer"])


def test_who_comes_second_is_told_and_nothing_is_lost(people: Any, run: Run) -> None:
    say(people, run, {"purpose": "first"})
    with pytest.raises(statements.ChangedMeanwhile) as fault:
        say(people, run, {"deployer": "late"}, "owner", base=0)
    assert fault.value.current == 1
    assert StatementsVersion.objects.count() == 1
    assert say(people, run, {"deployer": "late"}, "owner", base=0, only_these=True), "another field is no conflict where the person edits fields"
    with pytest.raises(statements.ChangedMeanwhile) as fault:
        say(people, run, {"purpose": "mine", "provider": "p"}, "owner", base=0, only_these=True)
    assert fault.value.fields == ("purpose",)
    assert set(StatementsVersion.objects.get(run=run, version=2).fields) == {"purpose", "deployer"}
    with pytest.raises(statements.ChangedMeanwhile):
        say(people, run, {"purpose": "from the future"}, base=7, only_these=True)


def test_a_bad_field_writes_nothing_of_the_others(people: Any, run: Run) -> None:
    with pytest.raises(BadInput, match="purpos"):
        say(people, run, {"deployer": "b", "purpos": "a"})
    assert not StatementsVersion.objects.exists()
    assert not ReportRendering.objects.exists()


def test_statements_are_about_results(people: Any, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state="cancelled")
    with pytest.raises(statements.NoResults, match="is cancelled"):
        statements.change(run, caller(people, "owner"), {"purpose": "a"}, base=0)


def test_waiting_versions_and_versions_in_all_are_bounded(people: Any, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_versions, "MOST_WAITING", 1)
    say(people, run, {"purpose": "a"})
    with pytest.raises(report_versions.TooMany, match="1 report versions"):
        say(people, run, {"purpose": "b"})
    assert StatementsVersion.objects.count() == 1, "what was refused is not kept"
    make_waiting()
    monkeypatch.setattr(report_versions, "MOST_VERSIONS", 2)
    with pytest.raises(report_versions.TooMany, match="has 2 versions"):
        say(people, run, {"purpose": "c"})


@pytest.mark.parametrize("change", [
    lambda: StatementsVersion.objects.update(author="nobody"), lambda: StatementsVersion.objects.all().delete(), lambda: StatementsVersion.objects.get().save(),
    lambda: connection.cursor().execute("DELETE FROM auditapp_statementsversion"), lambda: connection.cursor().execute("UPDATE auditapp_signoffentry SET number = 7"),
    lambda: SignOffEntry.objects.all().delete(),
])
def test_the_database_refuses_to_change_or_remove(people: Any, run: Run, change: Any) -> None:
    say(people, run, {"purpose": "a"})
    SignOffEntry.objects.create(run=run, number=1, document={})
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change()
    assert StatementsVersion.objects.get().author == "reviewer"


def test_with_its_run_it_goes(people: Any, run: Run) -> None:
    say(people, run, {"purpose": "a"})
    make_waiting()
    SignOffEntry.objects.create(run=run, number=1, document={})
    pdfs = list(Report.objects.filter(run=run).values_list("pdf_sha256", flat=True))
    removed = runs.delete_run(run, people.users["owner"])
    assert set(pdfs) <= set(removed.bytes_removed)
    assert not StatementsVersion.objects.exists()
    assert not SignOffEntry.objects.exists()
    assert not ReportRendering.objects.exists()
    assert LedgerEntry.objects.filter(action="statements.changed", subject=run.pk).exists()


def test_old_versions_stay_and_the_newest_signed_one_is_the_report(people: Any, run: Run) -> None:
    say(people, run, {"purpose": "a"})
    assert results.signed_report(run).version == 1, "until the next one is there"
    make_waiting()
    assert [(row.number, row.state) for row in report_versions.versions_of(run)] == [(2, "signed"), (1, "signed")]
    with results.open_report(run) as newest, results.open_report(run, 1) as oldest:
        assert (newest.read(), oldest.read()) == (b"%PDF-1.7 version 2", b"%PDF-1.7 signed")
    report = Report.objects.get(run=run, version=2)
    assert (report.statements_version, report.sign_offs, report.evidence_digest) == (1, 0, Report.objects.get(run=run, version=1).evidence_digest)
    made = LedgerEntry.objects.get(action="report.made")
    assert (made.data["pdf_sha256"], made.data["version"]) == (report.pdf_sha256, 2)
