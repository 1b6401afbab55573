"""Settings of a workspace: where its events are sent, and what came of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from auditapp.access import find, find_delivery
from auditapp.models import Delivery, Webhook
from auditapp.views.guard import PageRequest, page
from auditapp.webhooks import outbox as webhooks
from auditapp.webhooks.form import WebhookForm
from automl.errors import BadInput

SHOWN = 50
"""Deliveries on a webhook's page; REST has all of them."""


@require_http_methods(["GET", "HEAD", "POST"])
@page("webhooks")
def overview(request: PageRequest) -> HttpResponse:
    """The workspace's webhooks; a new one's secret is in the answer to its own POST and nowhere else."""
    form = WebhookForm(request.POST or None)
    made = None
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = webhooks.create(request.caller, url=said["url"], events=said["events"], description=said["description"])
            form = WebhookForm()
        except BadInput as refused:
            form.add_error("url", refused.sentence)
    rows = Webhook.objects.filter(workspace=request.caller.workspace)
    return _secretly(render(request, "settings/webhooks.html", {"form": form, "webhooks": rows, "secret": webhooks.secret_text(made) if made else None}, status=422 if form.errors else 200), made)


@require_safe
@page("webhooks")
def one(request: PageRequest, webhook_id: str) -> HttpResponse:
    return _show(request, find(Webhook, request.caller, webhook_id))


@require_POST
@page("webhooks")
def rotate(request: PageRequest, webhook_id: str) -> HttpResponse:
    """The next secret, in the answer to this POST and nowhere else."""
    webhook = find(Webhook, request.caller, webhook_id)
    webhooks.rotate(webhook, request.caller)
    return _secretly(_show(request, webhook, webhooks.secret_text(webhook)), webhook)


@require_POST
@page("webhooks")
def switch(request: PageRequest, webhook_id: str) -> HttpResponse:
    """On where it was off, off where it was on."""
    webhook = find(Webhook, request.caller, webhook_id)
    webhooks.change(webhook, request.caller, {"enabled": webhook.disabled_at is not None})
    return redirect("webhook", webhook.pk)


@require_POST
@page("webhooks")
def delete(request: PageRequest, webhook_id: str) -> HttpResponse:
    webhooks.remove(find(Webhook, request.caller, webhook_id), request.caller)
    messages.success(request, _("The webhook is deleted, with the log of its deliveries."))
    return redirect("webhooks")


@require_POST
@page("webhooks")
def replay(request: PageRequest, webhook_id: str, delivery_id: str) -> HttpResponse:
    delivery = find_delivery(find(Webhook, request.caller, webhook_id), delivery_id)
    try:
        webhooks.replay(delivery, request.caller)
        messages.success(request, _("It will be sent once more."))
    except webhooks.Disabled as why:
        messages.error(request, str(why))
    return redirect("webhook", webhook_id)


def _show(request: PageRequest, webhook: Webhook, secret: str | None = None) -> HttpResponse:
    return render(request, "settings/webhook.html", {"webhook": webhook, "deliveries": Delivery.objects.filter(webhook=webhook)[:SHOWN], "secret": secret, "shown": SHOWN})


def _secretly(response: HttpResponse, has_secret: object) -> HttpResponse:
    if has_secret:
        response["Cache-Control"] = "no-store"
    return response
