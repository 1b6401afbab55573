"""The form of the page "Webhooks"."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as lazy

from auditapp.forms.answers import PageForm
from auditapp.webhooks.addresses import MOST_CHARACTERS
from auditapp.webhooks.outbox import EVENTS

EVENT_WORDS = {
    "run.succeeded": lazy("a run has succeeded"), "run.failed": lazy("a run has failed"), "run.cancelled": lazy("a run was cancelled"),
    "report.signed": lazy("a version of a report is signed"),
}
assert set(EVENT_WORDS) == set(EVENTS)


class WebhookForm(PageForm):
    url = forms.CharField(label=lazy("Address"), max_length=MOST_CHARACTERS, help_text=lazy("Begins with https:// and is reachable from outside."), error_messages={"required": lazy("Give the address that events are sent to")})
    events = forms.MultipleChoiceField(label=lazy("What is sent?"), widget=forms.CheckboxSelectMultiple, initial=list(EVENTS), error_messages={"required": lazy("Choose at least one")}, choices=list(EVENT_WORDS.items()))
    description = forms.CharField(label=lazy("What is it for?"), max_length=200, required=False, widget=forms.TextInput(attrs={"class": "w-mid"}))
