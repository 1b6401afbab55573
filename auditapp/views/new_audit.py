"""Setting up an audit, one question a page: upload, columns, target, outcome, attributes, groups, budget, check, start."""

from __future__ import annotations

import io
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from auditapp import cohorts, datasets, profiles, runs, storage
from auditapp.access import find
from auditapp.forms import drafts, population
from auditapp.forms.answers import AttributesForm, ColumnsForm, GroupsForm, ReadingForm, StepForm, UploadForm
from auditapp.forms.drafts import Draft
from auditapp.forms.local_law_144 import EXCLUSIONS, LawForm
from auditapp.forms.reasons import ReasonsForm
from auditapp.forms.steps import STEP_FORMS
from auditapp.models import Dataset, Profile
from auditapp.sample import SAMPLE_FILENAME, SAMPLE_SPEC, sample_csv
from auditapp.views.errors import error_page
from auditapp.views.guard import PageRequest, page
from automl.errors import BadInput
from automl.evidence import DatasetProfile
from automl.spec import parse_spec

TABLES_A_PAGE = 25
MORE = ("governing_reason", "profile", "cohorts", "law", "reasons")
"""The questions on attributes that are folded away until somebody has answered one of them."""


@require_http_methods(["GET", "HEAD", "POST"])
@page("upload")
def upload(request: PageRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            dataset = datasets.store_upload(file, name=form.cleaned_data["name"] or file.name, filename=file.name, workspace=request.caller.workspace, user=request.caller.user)
        except BadInput as fault:
            form.add_error("file", fault.sentence)
        except storage.StorageFull as fault:
            form.add_error("file", str(fault))
        else:
            return _begin(request, dataset, form.cleaned_data["kind"])
    known = Dataset.objects.filter(workspace=request.caller.workspace, deleted_at=None)
    context = {"form": form, "limits": settings, "datasets": Paginator(known, TABLES_A_PAGE).get_page(request.GET.get("page"))}
    return render(request, "new/upload.html", context, status=422 if form.errors else 200)


@require_POST
@page("upload")
def use_sample(request: PageRequest) -> HttpResponse:
    """The bundled sample as this workspace's own table, with the sample's answers filled in."""
    try:
        dataset = datasets.store_upload(
            io.BytesIO(sample_csv()), name=SAMPLE_SPEC["title"], filename=SAMPLE_FILENAME, workspace=request.caller.workspace, user=request.caller.user)
    except storage.StorageFull as fault:
        return error_page(507, _("The sample could not be stored"), str(fault))
    except BadInput as fault:  # the workspace keeps as much as it may
        return error_page(409, _("The sample could not be stored"), f"{fault.sentence}.")
    drafts.keep(request.session, dataset.pk, Draft.from_spec(parse_spec(SAMPLE_SPEC, "training")))
    return redirect("new-reading", dataset.pk)


@require_POST
@page("run")
def use_dataset(request: PageRequest, dataset_id: str) -> HttpResponse:
    """Another audit of a table that is already here."""
    kind = "predictions" if request.POST.get("kind") == "predictions" else "training"
    return _begin(request, find(Dataset, request.caller, dataset_id), kind)


def _begin(request: PageRequest, dataset: Dataset, kind: str) -> HttpResponseRedirect:
    drafts.drop(request.session, dataset.pk)
    drafts.keep(request.session, dataset.pk, Draft(kind="predictions" if kind == "predictions" else "training", title=dataset.name))
    return redirect("new-reading", dataset.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@page("run")
def reading(request: PageRequest, dataset_id: str) -> HttpResponse:
    """"Being read": polls until the profile is there; how the bytes are read can be changed here at any time."""
    dataset = find(Dataset, request.caller, dataset_id)
    draft = drafts.read(request.session, dataset.pk)
    try:
        return _reading(request, dataset, draft)
    except profiles.QueueFull as fault:
        return error_page(429, _("Too many tables wait to be read"), f"{fault.sentence}.")


def _reading(request: PageRequest, dataset: Dataset, draft: Draft) -> HttpResponse:
    profile = _profile(dataset, draft)
    if request.method == "POST":
        form = ReadingForm(request.POST, draft=draft, sheets=_sheets(dataset))
        if form.is_valid():
            draft.table, draft.missing = form.reading()
            draft.answers.clear()
            _profile(dataset, draft)
            drafts.keep(request.session, dataset.pk, draft)
            return redirect("new-reading", dataset.pk)
        return render(request, "new/reading.html", {"dataset": dataset, "profile": profile, "form": form, "changing": True, "answered": bool(draft.answers)}, status=422)
    if profile.state == "ready" and "change" not in request.GET:
        if "HX-Request" in request.headers:
            return HttpResponse(headers={"HX-Redirect": request.build_absolute_uri(_step_url(dataset, drafts.first_open(draft)))})
        return redirect(_step_url(dataset, drafts.first_open(draft)))
    template = "new/reading_live.html" if "HX-Request" in request.headers else "new/reading.html"
    return render(request, template, {
        "dataset": dataset, "profile": profile, "form": ReadingForm(draft=draft, sheets=_sheets(dataset)), "changing": "change" in request.GET or profile.state == "failed", "answered": bool(draft.answers)})


@require_http_methods(["GET", "HEAD", "POST"])
@page("run")
def step(request: PageRequest, dataset_id: str, step: drafts.Step) -> HttpResponse:
    dataset = find(Dataset, request.caller, dataset_id)
    draft = drafts.read(request.session, dataset.pk)
    table = profiles.ready_profile(dataset, draft.options, tuple(draft.missing))
    if table is None:
        return redirect("new-reading", dataset.pk)
    steps = drafts.steps_of(draft)
    if step not in steps or steps.index(step) > steps.index(drafts.first_open(draft)):
        return redirect(_step_url(dataset, drafts.first_open(draft)))
    saved = [cohorts.as_asked(one).model_dump(mode="json") for one in cohorts.that_fit(request.caller.workspace, {c.name for c in table.columns})] if step == "attributes" else ()
    form = STEP_FORMS[step](request.POST if request.method == "POST" else None, profile=table, draft=draft, cohorts=saved)
    if request.method == "POST" and form.is_valid():
        if step == "check":
            return _start(request, dataset, draft, table, form)
        drafts.answer(draft, step, form.answers())
        drafts.keep(request.session, dataset.pk, draft)
        # Who came from "check your answers" goes back there, unless the change has opened other questions
        after = drafts.first_open(draft) if "change" in request.GET else drafts.next_step(draft, step)
        return redirect(_step_url(dataset, after))
    return _show(request, dataset, draft, table, step, form)


def _start(request: PageRequest, dataset: Dataset, draft: Draft, table: DatasetProfile, form: StepForm) -> HttpResponse:
    said = form.answers()
    draft.title, draft.report_language = said["title"], said["report_language"]
    try:
        spec = drafts.spec_of(draft, table)
        run = runs.submit(workspace=request.caller.workspace, dataset=dataset, kind=draft.kind, spec=spec, user=request.caller.user)
    except BadInput as fault:
        form.add_error(None, fault.sentence)
        return _show(request, dataset, draft, table, "check", form, fault=fault)
    drafts.keep(request.session, dataset.pk, draft)
    return redirect("run", run.pk)


def _show(request: PageRequest, dataset: Dataset, draft: Draft, table: DatasetProfile, step: drafts.Step, form: StepForm, fault: BadInput | None = None) -> HttpResponse:
    steps = drafts.steps_of(draft)
    context: dict[str, Any] = {
        "dataset": dataset, "draft": draft, "profile": table, "form": form, "step": step, "steps": steps, "done": [s for s in steps if s in draft.answers],
        "back": steps[steps.index(step) - 1] if steps.index(step) else None, "changing": "change" in request.GET, "task": drafts.task_of(draft, table),
        "target": drafts.column(table, draft.get("target", "target")),
    }
    if step == "check":
        context |= _checked(draft, table, fault)
    elif isinstance(form, ColumnsForm):
        context["rows"] = [(c, form[f"role-{c.position}"], form[f"leak-{c.position}"] if c.suspected_leak else None) for c in table.columns]
    elif isinstance(form, AttributesForm):
        context["more_open"] = any(form[name].errors or form[name].initial for name in MORE if name in form.fields)
        context["attributes"] = [(option, c, drafts.levels(c)) for option, c in zip(form["sensitive"], form.possible, strict=True)]
    elif isinstance(form, GroupsForm):
        context["population"] = population.rows(form, form.chosen)
        context["population_open"] = any(one.errors or one.initial for _column, fields in context["population"] for one in fields)
    elif isinstance(form, LawForm):
        context["values"] = [(c, [(bar, form[f"is-{c.position}-{at}"]) for at, bar in enumerate(drafts.levels(c))]) for c in form.possible]
        context["exclusions"] = [(form[f"exclude-{at}"], form[f"because-{at}"]) for at in range(EXCLUSIONS)]
    elif isinstance(form, ReasonsForm):
        context["lines"] = [(c, [form[f"{part}-{c.position}"] for part in ("code", "text", "when_missing", "direction", "kind")]) for c in form.inputs]
    return render(request, f"new/{step}.html", context, status=422 if form.errors else 200)


def _checked(draft: Draft, table: DatasetProfile, fault: BadInput | None) -> dict[str, Any]:
    """The answers in words; where they contradict each other, the sentence that says so and the step that mends it."""
    try:
        spec = drafts.spec_of(draft, table)
    except BadInput as contradiction:
        return {"fault": contradiction.sentence, "fault_step": _step_of(contradiction, draft)}
    task = drafts.task_of(draft, table)
    return {"answers": drafts.answers_of(spec, table, task), "plan": drafts.plan_sentences(spec, table, task),
            "fault": fault.sentence if fault else None, "fault_step": _step_of(fault, draft) if fault else None}


def _step_of(fault: BadInput, draft: Draft) -> str | None:
    first = (fault.pointer or "").strip("/").split("/")[0]
    found = drafts.STEP_OF_POINTER.get(first)
    if found in ("target", "outcome") and draft.kind == "predictions":
        return "predictions"
    return "attributes" if found in ("law", "reasons") and found not in drafts.steps_of(draft) else found


def _profile(dataset: Dataset, draft: Draft) -> Profile:
    return profiles.request_profile(dataset, draft.options, tuple(draft.missing))


def _sheets(dataset: Dataset) -> tuple[str, ...]:
    """Names of the workbook's sheets, where any reading of it has found them."""
    row = Profile.objects.filter(dataset=dataset, state="ready").first()
    return DatasetProfile.model_validate(row.document).reading.sheets if row else ()


def _step_url(dataset: Dataset, step: str) -> str:
    return reverse("new-step", args=[dataset.pk, step])
