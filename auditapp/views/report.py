"""The report of a run for those who answer for it: its versions, what people say in it, review and approval."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from auditapp import report_versions, results
from auditapp.access import find, may
from auditapp.api.files import download
from auditapp.downloads import noted_report
from auditapp.models import Report, ReportRendering, Run, StatementsVersion
from auditapp.statements import changes as statements, sign_offs
from auditapp.statements.document import Statements
from auditapp.statements.fields import FIELDS, SECTIONS, edited_in
from auditapp.statements.form import BASED_ON, SignOffForm, StatementsForm
from auditapp.views.guard import PageRequest, page
from automl.errors import BadInput


@require_safe
@page("read")
def report_page(request: PageRequest, run_id: str) -> HttpResponse:
    """Newest version, sign-off, how much has been said, and every version. While one is being made, the list asks again."""
    run = _run(request, run_id)
    if run.state != "succeeded":
        return redirect("run", run.pk)
    document = report_versions.document_of(run)
    if "HX-Request" in request.headers:
        context = _versions(run)
        response = render(request, "statements/versions.html", {"run": run, **context})
        if not context["making"]:
            response["HX-Refresh"] = "true"
        return response
    return _show_report(request, run, document, None)


@require_safe
@page("read")
def statements_page(request: PageRequest, run_id: str) -> HttpResponse:
    """Everything that people have said, now or (``?version=``) as of an earlier version."""
    run = _run(request, run_id)
    if run.state != "succeeded":
        return redirect("run", run.pk)
    rows = list(StatementsVersion.objects.filter(run=run).order_by("-version"))
    newest = rows[0].version if rows else 0
    asked = request.GET.get("version", "")
    version = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else newest
    if version > newest:
        raise Http404
    said = statements.fields_at(run, version)
    sections = [(number, title, [(field, said.get(field.name)) for field in edited_in(number)]) for number, title in SECTIONS.items()]
    return render(request, "statements/statements.html", {
        "run": run, "sections": sections, "version": version, "newest": newest, "rows": rows, "provided": len(said), "asked": len(FIELDS)})


@require_http_methods(["GET", "HEAD", "POST"])
@page("statements")
def edit_statements(request: PageRequest, run_id: str, number: int) -> HttpResponse:
    """The form of one section. What others changed meanwhile is kept; where it is the same field, the person is asked again, and nothing typed is lost."""
    run = _run(request, run_id)
    if number not in SECTIONS or not edited_in(number):
        raise Http404
    if run.state != "succeeded":
        return redirect("run", run.pk)
    document = report_versions.document_of(run)
    said = {name: one.model_dump() for name, one in document.fields.items()}
    form = StatementsForm(request.POST if request.method == "POST" else None, section=number, said=said, version=document.version)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            if (answer := _say(request, run, form)) is not None:
                return answer
            status = 409
    return render(request, "statements/edit.html", {
        "run": run, "number": number, "title": SECTIONS[number], "form": form, "rows": [(form[field.name], said.get(field.name)) for field in form.asked]}, status=status)


def _say(request: PageRequest, run: Run, form: StatementsForm) -> HttpResponse | None:
    """Where it goes on; None where others were first, or too many versions wait, which the form then says."""
    base = form.cleaned_data[BASED_ON]
    try:
        then = statements.fields_at(run, base)
        # Only what the person changed: a field that was left as it was says nothing anew
        edits = {name: text for name, text in form.texts().items() if text != then.get(name, {}).get("text")}
        if statements.change(run, request.caller, edits, base=base, only_these=True):
            messages.success(request, _("Your statements are kept, and the next version of the report is being made."))
        else:
            messages.info(request, _("Nothing was changed."))
    except statements.ChangedMeanwhile as fault:
        form.rebase(fault.current, statements.fields_at(run, fault.current), fault.fields)
        return None
    except StatementsVersion.DoesNotExist:
        raise Http404 from None
    except BadInput as fault:
        form.add_error(None, fault.sentence)
        return None
    return redirect("run-statements", run.pk)


@require_POST
@page("sign_off")
def sign_off(request: PageRequest, run_id: str) -> HttpResponse:
    """Review or approve the version that the person had before them."""
    run = _run(request, run_id)
    if run.state != "succeeded":
        return redirect("run", run.pk)
    form = SignOffForm(request.POST)
    status = 422
    if form.is_valid():
        said = form.cleaned_data
        try:
            sign_offs.sign_off(run, request.caller, said["step"], said["reason"], report_version=said["report_version"])
        except (sign_offs.NotNow, BadInput) as fault:
            form.add_error(None, str(fault))
            status = 409
        else:
            messages.success(request, _("Your sign-off is recorded, and a report version that prints it is being made."))
            return redirect("run-report-page", run.pk)
    return _show_report(request, run, report_versions.document_of(run), form, status=status)


@require_POST
@page("statements")
def make_again(request: PageRequest, run_id: str, version: int) -> HttpResponse:
    """Try a version once more that could not be made."""
    run = _run(request, run_id)
    rendering = ReportRendering.objects.filter(run=run, version=version).first()
    if rendering is None:
        raise Http404
    report_versions.ask_again(rendering)
    return redirect("run-report-page", run.pk)


@require_safe
@page("read")
def version_pdf(request: PageRequest, run_id: str, version: int) -> HttpResponseBase:
    """One signed version; 409 in words while it is being made or awaits its signature."""
    run = _run(request, run_id)
    if version not in {one.number for one in report_versions.versions_of(run)}:
        raise Http404
    try:
        report = results.signed_report(run, version)
    except results.NotSigned:
        return render(request, "report_not_there.html", {"run": run}, status=409)
    answer = download(request, results.open_report(run, version), name=f"{run.pk}-v{version}.pdf", media_type="application/pdf", sha256=report.pdf_sha256)
    return noted_report(answer, request, request.caller, report)


@require_safe
@page("read")
def version_picture(request: PageRequest, run_id: str, version: int) -> HttpResponseBase:
    """The first page of one version, as a picture."""
    report = Report.objects.filter(run=_run(request, run_id), version=version).first()
    if report is None:
        raise Http404
    try:
        picture = results.open_picture(report)
    except results.NoSuchArtifact:
        raise Http404 from None
    return download(request, picture, name=f"{run_id}-v{version}.png", media_type="image/png", sha256=report.picture_sha256)


def _show_report(request: PageRequest, run: Run, document: Statements, form: SignOffForm | None, status: int = 200) -> HttpResponse:
    step = sign_offs.next_step(document)
    signs = may(request.caller, "sign_off")
    obstacle = sign_offs.obstacle(run, request.caller, document) if signs else None
    if form is None and signs and step is not None and obstacle is None:
        form = SignOffForm(initial={"step": step, "report_version": document.report_version})
    sections = [(number, title, sum(field.name in document.fields for field in edited_in(number)), len(edited_in(number))) for number, title in SECTIONS.items()]
    return render(request, "statements/report.html", {
        "run": run, "document": document, "report": results.newest_report(run), "sections": sections, "provided": len(document.fields), "asked": len(FIELDS), "step": step, "obstacle": obstacle,
        "form": form, "steps": [("review", document.signed("review")), ("approval", document.signed("approval"))], "earlier": document.earlier(), **_versions(run)}, status=status)


def _versions(run: Run) -> dict[str, Any]:
    rows = report_versions.versions_of(run)
    return {"versions": rows, "making": any(row.state in ("queued", "running") for row in rows)}


def _run(request: PageRequest, run_id: str) -> Run:
    return find(Run.objects.select_related("dataset", "workspace"), request.caller, run_id)
