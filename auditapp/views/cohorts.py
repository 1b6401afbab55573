"""An error slice under a name: saved and removed on the page of a run's weaknesses."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from auditapp import cohorts
from auditapp.access import find
from auditapp.languages.chosen import said
from auditapp.models import Run, SavedCohort
from auditapp.views.guard import PageRequest, page
from automl.errors import BadInput


@require_POST
@page("run")
def save(request: PageRequest, run_id: str) -> HttpResponse:
    run = find(Run, request.caller, run_id)
    place = request.POST.get("slice", "")
    try:
        saved = cohorts.save(run, int(place) if place.isascii() and place.isdigit() and len(place) < 4 else -1, request.POST.get("name", ""), request.caller)
    except BadInput as fault:
        messages.error(request, said(f"{fault.sentence}."))
    else:
        messages.success(request, _("The cohort “%(name)s” is saved. It is measured in the next audit that you choose it for.") % {"name": saved.name})
    return redirect(_back_to(run.pk))


@require_POST
@page("run")
def remove(request: PageRequest, cohort_id: str) -> HttpResponse:
    cohort = find(SavedCohort, request.caller, cohort_id)
    cohorts.remove(cohort, request.caller)
    messages.success(request, _("The cohort “%(name)s” is removed. Audits that measured it keep what they measured.") % {"name": cohort.name})
    return redirect(_back_to(cohort.run_id))


def _back_to(run_id: str) -> str:
    return f"{reverse('results-section', args=[run_id, 'weaknesses'])}#saved-cohorts"
