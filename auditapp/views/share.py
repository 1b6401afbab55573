"""Links to one report for people without an account: made and revoked by reviewers and owners, opened by whoever has one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from auditapp import results
from auditapp.access import find
from auditapp.api.files import download
from auditapp.models import Run
from auditapp.people import share_links
from auditapp.people.forms import ShareForm
from auditapp.public_address import public_address
from auditapp.views.guard import PageRequest, page, public


@require_http_methods(["GET", "HEAD", "POST"])
@page("share")
def shares(request: PageRequest, run_id: str) -> HttpResponse:
    """The run's links; a new one's address is in the answer to its own POST and nowhere else."""
    run = find(Run.objects.select_related("dataset", "workspace"), request.caller, run_id)
    if run.state != "succeeded":
        return redirect("run", run.pk)
    form, address = ShareForm(request.POST or None), None
    try:
        report = results.signed_report(run)
    except results.NotSigned:
        return render(request, "report_not_there.html", {"run": run}, status=409)
    if request.method == "POST" and form.is_valid():
        _link, secret = share_links.share(request.caller, report, form.cleaned_data["name"], form.cleaned_data["days"])
        address = public_address(request) + reverse("shared", args=[secret])
        form = ShareForm()
    invalid = request.method == "POST" and address is None
    response = render(request, "statements/shares.html", {"run": run, "report": report, "form": form, "address": address, "links": share_links.of_run(run)}, status=422 if invalid else 200)
    if address:
        response["Cache-Control"] = "no-store"
    return response


@require_POST
@page("share")
def revoke(request: PageRequest, run_id: str, link_id: str) -> HttpResponse:
    run = find(Run, request.caller, run_id)
    link = find(share_links.of_run(run), request.caller, link_id)
    if share_links.revoke(request.caller, link):
        messages.success(request, _("The link for “%(name)s” is revoked and opens nothing any more.") % {"name": link.name})
    return redirect("run-shares", run.pk)


@require_safe
@public
def shared(request: HttpRequest, secret: str) -> HttpResponseBase:
    """What the link opens, in words; the download is a step of its own, so that previews of mail programs do not count."""
    link = share_links.link_of(secret)
    response = render(request, "shared.html", {"link": link, "secret": secret}, status=200 if link else 410)
    return _hidden(response)


@require_safe
@public
def shared_pdf(request: HttpRequest, secret: str) -> HttpResponseBase:
    link = share_links.link_of(secret)
    if link is None or (request.method == "GET" and not share_links.note_download(link)):
        return _hidden(render(request, "shared.html", {"link": None}, status=410))
    report = link.report
    return _hidden(download(request, results.open_report(report.run, report.version), name=f"{report.run_id}-v{report.version}.pdf", media_type="application/pdf", sha256=report.pdf_sha256))


def _hidden(response: HttpResponseBase) -> HttpResponseBase:
    """The address is the key: no index, no cache and no other site learns it."""
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
