"""Anybody may ask whether a report is what was signed: no login, and nothing of the file is kept."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from auditapp import ledger
from auditapp.forms.answers import VerifyForm
from auditapp.report.turns import RETRY_SECONDS, Busy
from auditapp.report.verify import MAX_BYTES, Verdict, verify_in_child
from auditapp.uploads import file_sha256, passing_through, too_large_sentence
from auditapp.views.guard import public

PEM_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


@require_http_methods(["GET", "HEAD", "POST"])
@public
def verify(request: HttpRequest) -> HttpResponse:
    form = VerifyForm(request.POST or None, request.FILES or None)
    verdict, known, busy = None, False, False
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        if file.size > MAX_BYTES:
            form.add_error("file", too_large_sentence(MAX_BYTES))
        else:
            try:
                verdict = _verdict_on(file)
            except Busy as why:
                form.add_error("file", str(why))
                busy = True
        if verdict is not None and not verdict.is_pdf:
            form.add_error("file", _("This file is not a PDF."))
            verdict = None
        if verdict is not None and verdict.valid:
            known = ledger.knows_file(file_sha256(file))
    answer = render(request, "verify.html", {
        "form": form, "verdict": verdict, "known": known, "signed_at": parse_datetime(verdict.signed_at) if verdict and verdict.signed_at else None, "limit": MAX_BYTES,
    }, status=503 if busy else 422 if form.errors else 200)
    if busy:
        answer["Retry-After"] = str(RETRY_SECONDS)
    return answer


@require_safe
@public
def certificate(request: HttpRequest) -> HttpResponse:
    """What a reader of PDFs has to trust to tell a report of this installation: its certificate and those above it, and never what else the file may hold."""
    try:
        held = Path(settings.SIGNING_CERTIFICATE).read_text(errors="replace")
    except OSError:
        held = ""
    blocks = PEM_CERTIFICATE.findall(held)
    if not blocks:
        raise Http404
    return HttpResponse("\n".join([*blocks, ""]), content_type="application/x-pem-file", headers={"Content-Disposition": 'attachment; filename="plumbline-certificate.pem"'})


def _verdict_on(file: UploadedFile[bytes]) -> Verdict:
    with tempfile.TemporaryDirectory(dir=passing_through()) as folder:
        path = Path(folder) / "to-verify.pdf"
        with path.open("wb") as copy:
            for chunk in file.chunks():
                copy.write(chunk)
        return verify_in_child(path)
