"""Where a workspace's events are sent: webhooks, their secrets, and the log of what was delivered."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router
from pydantic import BaseModel, ConfigDict, Field

from auditapp.access import find, find_delivery
from auditapp.api.bearer import JSON, BearerToken, caller
from auditapp.api.datasets import created
from auditapp.api.documents import V1, Removed
from auditapp.api.files import document_with_etag, refuse_where_changed
from auditapp.api.ids import RowId
from auditapp.api.paging import Page, PageParameters, page_of
from auditapp.idempotency import Answer, answer_once
from auditapp.models import Delivery, Webhook
from auditapp.problems import Problem
from auditapp.webhooks import outbox as webhooks
from auditapp.webhooks.addresses import MOST_CHARACTERS
from auditapp.webhooks.outbox import EVENTS, Disabled, Event

router = Router(tags=["webhooks"])

Url = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS, description="https:// and an address outside")]
Events = Annotated[list[Event], Field(min_length=1, max_length=len(EVENTS))]
Description = Annotated[str, Field(max_length=200)]


class NewWebhook(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: Url
    events: Events
    description: Description = ""


class WebhookChange(BaseModel):
    """What is to be different; what is not named stays."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    events: Events | None = None
    description: Description | None = None
    enabled: bool | None = None


class WebhookDocument(BaseModel):
    id: str
    url: str
    events: list[Event]
    description: str
    enabled: bool
    disabled_at: datetime | None
    disabled_why: str | None
    former_secret_until: datetime | None
    """After a rotation: until when deliveries are signed with the secret before as well."""
    created_at: datetime
    created_by: str | None


class WebhookWithSecret(WebhookDocument):
    secret: str
    """Shown this once: `whsec_` and base64, as Standard Webhooks has it."""


class WebhookPage(Page):
    items: list[WebhookDocument]


class AttemptDocument(BaseModel):
    at: datetime
    status: int | None
    sentence: str


class DeliveryDocument(BaseModel):
    """`body` is what is sent; `id` is its `webhook-id`, the same in every attempt."""

    id: str
    type: Event
    state: Literal["waiting", "delivered", "failed"]
    body: dict[str, Any]
    attempt: int
    due_at: datetime | None
    attempts: list[AttemptDocument]
    created_at: datetime
    ended_at: datetime | None


class DeliveryPage(Page):
    items: list[DeliveryDocument]


@router.post("/webhooks", auth=BearerToken("webhooks", JSON), response={201: WebhookWithSecret}, summary="Have events sent somewhere")
def create_webhook(request: HttpRequest, new: NewWebhook) -> HttpResponse:
    """Deliveries follow Standard Webhooks 1.0.0. An address inside a network is refused. `secret` is in this answer and nowhere else."""
    who = caller(request)
    return created(answer_once(
        request, who, "POST /webhooks", lambda: hashlib.sha256(request.body).hexdigest(), Webhook,
        make=lambda: webhooks.create(who, url=new.url, events=new.events, description=new.description),
        answer=lambda webhook: Answer(201, _with_secret(webhook), f"{V1}/webhooks/{webhook.pk}", kept=False)))


@router.get("/webhooks", auth=BearerToken("webhooks"), response=WebhookPage, summary="List webhooks")
def list_webhooks(request: HttpRequest, page: PageParameters) -> HttpResponseBase:
    rows = Webhook.objects.filter(workspace=caller(request).workspace).select_related("created_by")
    return page_of(request, rows, page, webhook_document)


@router.get("/webhooks/{webhook_id}", auth=BearerToken("webhooks"), response=WebhookDocument, summary="One webhook")
def get_webhook(request: HttpRequest, webhook_id: RowId) -> object:
    return document_with_etag(request, _said(find(Webhook, caller(request), webhook_id)))


@router.patch("/webhooks/{webhook_id}", auth=BearerToken("webhooks", JSON), response=WebhookDocument, summary="Change, enable or disable a webhook")
def change_webhook(request: HttpRequest, webhook_id: RowId, change: WebhookChange) -> object:
    """With `If-Match`, 412 where somebody else has changed it since. A disabled webhook is sent nothing; what was waiting for it has failed and can be replayed."""
    who = caller(request)
    webhook = find(Webhook, who, webhook_id)
    refuse_where_changed(request, _said(webhook))
    webhooks.change(webhook, who, change.model_dump(exclude_none=True))
    return document_with_etag(request, _said(webhook))


@router.post("/webhooks/{webhook_id}/rotate", auth=BearerToken("webhooks"), response=WebhookWithSecret, summary="Make the next secret")
def rotate_webhook(request: HttpRequest, webhook_id: RowId) -> HttpResponse:
    """For 24 hours deliveries carry two signatures, with the secret before and with this one. `secret` is in this answer and nowhere else."""
    who = caller(request)
    webhook = find(Webhook, who, webhook_id)
    webhooks.rotate(webhook, who)
    return created(Answer(200, _with_secret(webhook)))


@router.delete("/webhooks/{webhook_id}", auth=BearerToken("webhooks"), response=Removed, summary="Delete a webhook")
def delete_webhook(request: HttpRequest, webhook_id: RowId) -> object:
    """It goes with its log; what waits is not sent."""
    who = caller(request)
    webhooks.remove(find(Webhook, who, webhook_id), who)
    return {"id": webhook_id, "removed": {"webhook": True}}


@router.get("/webhooks/{webhook_id}/deliveries", auth=BearerToken("webhooks"), response=DeliveryPage, summary="What was sent, and how that went")
def list_deliveries(request: HttpRequest, webhook_id: RowId, page: PageParameters) -> HttpResponseBase:
    """Kept for 30 days after their end."""
    return page_of(request, Delivery.objects.filter(webhook=find(Webhook, caller(request), webhook_id)), page, delivery_document)


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", auth=BearerToken("webhooks"), response={202: DeliveryDocument}, summary="Send it once more")
def replay_delivery(request: HttpRequest, webhook_id: RowId, delivery_id: RowId) -> HttpResponse:
    """With the same id and body. One that still waits stays as it is; 409 where the webhook is disabled."""
    who = caller(request)
    delivery = find_delivery(find(Webhook, who, webhook_id), delivery_id)
    try:
        webhooks.replay(delivery, who)
    except Disabled as why:
        raise Problem("conflict", str(why)) from why
    return created(Answer(202, delivery_document(delivery).model_dump(mode="json"), f"{V1}/webhooks/{webhook_id}/deliveries"))


def webhook_document(webhook: Webhook) -> WebhookDocument:
    return WebhookDocument(
        id=webhook.pk, url=webhook.url, events=webhook.events, description=webhook.description, enabled=webhook.disabled_at is None, disabled_at=webhook.disabled_at,
        disabled_why=webhook.disabled_why or None, former_secret_until=webhook.former_until, created_at=webhook.created_at,
        created_by=webhook.created_by.get_username() if webhook.created_by else None)


def delivery_document(delivery: Delivery) -> DeliveryDocument:
    return DeliveryDocument(
        id=delivery.pk, type=delivery.type, state=delivery.state, body=delivery.body, attempt=delivery.attempt,
        due_at=delivery.due_at if delivery.state == "waiting" else None, attempts=delivery.attempts, created_at=delivery.created_at, ended_at=delivery.ended_at)


def _said(webhook: Webhook) -> dict[str, Any]:
    return webhook_document(webhook).model_dump(mode="json")


def _with_secret(webhook: Webhook) -> dict[str, Any]:
    return {**_said(webhook), "secret": webhooks.secret_text(webhook)}
