"""The forms about a report: one section's statements, made of the catalogue, and a step of the sign-off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _, gettext_lazy as lazy

from auditapp.forms.answers import PageForm, dress
from auditapp.statements.fields import Field, checked, checked_text, edited_in, words_of
from auditapp.statements.sign_offs import REASON_LIMIT
from automl.errors import BadInput

BASED_ON = "based_on"
"""The statements version that the person had before them."""


class StatementsForm(PageForm):
    """What can be said under one section. An empty field says nothing, or takes back what stood there; ``said`` is {name: {text, ..}} as it stands."""

    def __init__(self, *args: Any, section: int, said: Mapping[str, Any], version: int, **kwargs: Any) -> None:
        self.asked = edited_in(section)
        initial = {BASED_ON: version} | {field.name: said[field.name]["text"] for field in self.asked if field.name in said}
        super().__init__(*args, initial=initial, **kwargs)
        self.fields[BASED_ON] = forms.IntegerField(min_value=0, widget=forms.HiddenInput, error_messages={"required": lazy("Open this page again: the form does not say what it was based on.")})
        for field in self.asked:
            self.fields[field.name] = _input(field)
            dress(self.fields[field.name])

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        for field in self.asked:
            text = said.get(field.name)
            try:
                said[field.name] = checked(field.name, text) if text and text.strip() else None
            except BadInput as fault:
                self.add_error(field.name, told(fault))
        return said

    def texts(self) -> dict[str, str | None]:
        """What the person says of each field; None: nothing."""
        return {field.name: self.cleaned_data[field.name] for field in self.asked}

    def rebase(self, version: int, said: Mapping[str, Any], fields: tuple[str, ...]) -> None:
        """Others have changed ``fields`` meanwhile: what was typed stays, and saving it once more replaces theirs."""
        data = cast("QueryDict", self.data).copy()
        data[BASED_ON] = str(version)
        self.data = data
        for name in fields:
            theirs = said.get(name)
            self.add_error(name, _("%(who)s has changed this meanwhile to: “%(text)s”. Yours still stands below; saving again replaces theirs.")
                           % {"who": theirs["author"], "text": words_of(name, theirs["text"])} if theirs
                           else _("Somebody has taken this back meanwhile. Yours still stands below; saving again states it anew."))


class SignOffForm(PageForm):
    report_version = forms.IntegerField(min_value=1, widget=forms.HiddenInput, error_messages={"required": lazy("Open the report's page again: the form does not say which version it is about.")})
    step = forms.ChoiceField(choices=[("review", "review"), ("approval", "approval")], widget=forms.HiddenInput)
    reason = forms.CharField(
        label=lazy("Reason"), required=False, strip=False, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=lazy("What you looked at, and why you sign. It is printed in the report with your name, and kept in the ledger."))

    def clean_reason(self) -> str:
        try:
            return checked_text("reason", self.cleaned_data["reason"], REASON_LIMIT)
        except BadInput as fault:
            raise forms.ValidationError(told(fault)) from fault


def told(fault: BadInput) -> str:
    """The sentence beside the field, which it need not name again."""
    why = fault.sentence.partition(": ")[2] or fault.sentence
    return f"{why[:1].upper()}{why[1:]}."


def _input(field: Field) -> forms.Field:
    hint = _("%(help)s To be provided by %(who)s.") % {"help": _(field.help), "who": _(field.who)}
    if field.choices is not None:
        return forms.ChoiceField(label=_(field.label), help_text=hint, required=False, choices=[("", _("nothing is said")), *((key, _(words)) for key, words in field.choices.items())])
    widget: forms.Widget = forms.Textarea(attrs={"rows": 4}) if field.kind == "text" else forms.TextInput(attrs={"class": "w-mid"})
    if field.kind == "date":
        widget = forms.TextInput(attrs={"type": "date", "class": "w-short"})
    # Lengths are the catalogue's to check: a browser would cut what was pasted without a word
    return forms.CharField(label=_(field.label), help_text=hint, required=False, strip=False, widget=widget)
