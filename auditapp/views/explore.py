"""The spec of a picture, for "Explore", which draws it live in the page, and for whoever opens it in a Vega editor."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from auditapp import results
from auditapp.access import find
from auditapp.api.files import document_with_etag
from auditapp.models import Run
from auditapp.report.translated import chart_in_language
from auditapp.views.guard import PageRequest, page
from automl.chart_theme import spec_in_the_dark, theme

NUMBERS = {"de": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", "\u00a0€"]}}
"""How the axes write numbers, where it is not as in English."""


@require_safe
@page("read")
def chart_spec(request: PageRequest, run_id: str, name: str) -> HttpResponseBase:
    """Vega-Lite: the very spec that the picture was drawn from, with its look laid over it; ``?theme=dark`` for a dark ground, ``?lang=de`` with its words and numbers in German."""
    run = find(Run, request.caller, run_id)
    if (chart := results.find_chart(run, name)) is None:
        raise Http404
    if (lang := request.GET.get("lang")) in dict(settings.LANGUAGES):
        chart = chart_in_language(chart, lang)
    spec = {**chart.spec, "description": chart.sentence, "config": theme() | ({"locale": {"number": NUMBERS[lang]}} if lang in NUMBERS else {})}
    return document_with_etag(request, spec_in_the_dark(spec) if request.GET.get("theme") == "dark" else spec)
