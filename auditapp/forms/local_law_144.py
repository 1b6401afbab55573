"""The tables of New York City's Local Law 144: which attribute is which, its values in the rule's words, and what a person justifies."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from pydantic import ValidationError

from auditapp.forms.answers import Choices, StepForm
from auditapp.forms.drafts import levels
from automl.printing import visible
from automl.spec import RACES, SEXES, LocalLaw144, in_words

EXCLUSIONS = 5
"""Categories that can be left out on this page; by REST there can be more."""
MOST_VALUES = 100


class LawForm(StepForm):
    def ask(self) -> None:
        kept = self.draft.answers.get("law", {})
        names = self.draft.get("attributes", "sensitive", [])
        self.possible = [c for c in self.profile.columns if c.name in names and 0 < len(levels(c)) <= MOST_VALUES]
        offered = self.column_choices(self.possible, _("none of them"))
        for name, label in (("sex", _("Which attribute is sex?")), ("race", _("Which attribute is race or ethnicity?"))):
            self.fields[name] = forms.ChoiceField(label=label, choices=offered, required=False, initial=self.position_of(kept.get(name)), widget=forms.Select(attrs={"class": "w-mid"}))
        said = {**kept.get("sex_categories", {}), **kept.get("race_categories", {})}
        words: Choices = [("", _("as it is spelled, else unknown")), (_("Sex"), [(word, word) for word in SEXES]), (_("Race or ethnicity"), [(word, word) for word in RACES])]
        for c in self.possible:
            for at, bar in enumerate(levels(c)):
                self.fields[f"is-{c.position}-{at}"] = forms.ChoiceField(
                    label=_("%(value)s (%(name)s)") % {"value": visible(bar.label, 60), "name": visible(c.name, 60)}, choices=words, required=False, initial=said.get(bar.label, ""), widget=forms.Select(attrs={"class": "form-select-sm w-mid"}))
        if self.draft.kind == "predictions":
            self.fields["data_class"] = forms.ChoiceField(label=_("What are these rows?"), initial=kept.get("data_class", "historical"), widget=forms.RadioSelect, choices=[
                ("historical", _("Historical data: collected while the tool was used")), ("test", _("Test data"))])
        self.fields["data_reason"] = forms.CharField(
            label=_("Test data: why would historical data not do, and how were these made or obtained?"), required=False, max_length=2000, initial=kept.get("data_reason", ""), widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_("A table that a model is trained on is test data in the rule's sense.") if self.draft.kind == "training" else "")
        crossed = [(f"{sex} x {race}", f"{sex} x {race}") for sex in SEXES for race in RACES]
        categories: Choices = [("", _("none")), *((word, word) for word in (*SEXES, *RACES)), *crossed]
        left_out = kept.get("exclude", [])
        for at in range(EXCLUSIONS):
            one = left_out[at] if at < len(left_out) else {}
            self.fields[f"exclude-{at}"] = forms.ChoiceField(label=_("Category left out of the impact ratios"), choices=categories, required=False, initial=one.get("category", ""), widget=forms.Select(attrs={"class": "w-mid"}))
            self.fields[f"because-{at}"] = forms.CharField(label=_("Justification"), required=False, max_length=2000, initial=one.get("justification", ""), widget=forms.TextInput(attrs={"class": "w-mid"}))
        if self.draft.kind == "predictions":
            by = kept.get("attestation") or {}
            self.fields["auditor"] = forms.CharField(label=_("Auditor who attests it as a bias audit"), required=False, max_length=200, initial=by.get("auditor", ""), widget=forms.TextInput(attrs={"class": "w-mid"}),
                                                     help_text=_("Only an independent auditor can; left empty, the tables are no bias audit and say so."))
            self.fields["statement"] = forms.CharField(label=_("What the auditor attests"), required=False, max_length=2000, initial=by.get("statement", ""), widget=forms.Textarea(attrs={"rows": 3}))

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not said.get("sex") and not said.get("race"):
            self.add_error("sex", _("Say which attribute is sex, which is race or ethnicity, or both"))
        if said.get("sex") and said.get("sex") == said.get("race"):
            self.add_error("race", _("One attribute cannot be both"))
        if (self.draft.kind == "training" or said.get("data_class") == "test") and not (said.get("data_reason") or "").strip():
            self.add_error("data_reason", _("Say why historical data would not do, and how these were made or obtained"))
        for c in self.possible:
            for at, bar in enumerate(levels(c)):
                self._fits(f"is-{c.position}-{at}", said.get(f"is-{c.position}-{at}"), str(c.position), visible(bar.label, 60), said)
        for at in range(EXCLUSIONS):
            if said.get(f"exclude-{at}") and not (said.get(f"because-{at}") or "").strip():
                self.add_error(f"because-{at}", _("Justify why %(category)s is left out") % {"category": said[f"exclude-{at}"]})
        if bool((said.get("auditor") or "").strip()) != bool((said.get("statement") or "").strip()):
            self.add_error("statement" if said.get("auditor") else "auditor", _("An attestation needs both the auditor and the statement"))
        if not self.errors:
            try:
                LocalLaw144.model_validate(self.answers())
            except ValidationError as refused:
                first = refused.errors(include_url=False, include_input=False)[0]
                self.add_error(None, in_words(first["type"], first["msg"]))
        return said

    def _fits(self, field: str, word: str | None, position: str, value: str, said: dict[str, Any]) -> None:
        if word in RACES and said.get("sex") == position:
            self.add_error(field, _("“%(value)s” is a value of the attribute that is sex, and %(word)s is no sex") % {"value": value, "word": word})
        if word in SEXES and said.get("race") == position:
            self.add_error(field, _("“%(value)s” is a value of the attribute that is race or ethnicity, and %(word)s is none") % {"value": value, "word": word})

    def answers(self) -> dict[str, Any]:
        said = self.cleaned_data
        attestation = {name: said[name].strip() for name in ("auditor", "statement") if (said.get(name) or "").strip()}
        return {
            "sex": self.column_named("sex"), "race": self.column_named("race"), "sex_categories": self._mapped("sex"), "race_categories": self._mapped("race"),
            "exclude": [{"category": said[f"exclude-{at}"], "justification": said[f"because-{at}"].strip()} for at in range(EXCLUSIONS) if said.get(f"exclude-{at}")],
            "data_class": said.get("data_class") or "test", "data_reason": said.get("data_reason", "").strip(), "attestation": attestation or None,
        }

    def _mapped(self, which: str) -> dict[str, str]:
        """The values of the attribute that a person gave a word of the rule."""
        name = self.column_named(which)
        return {bar.label: word for c in self.possible if c.name == name for at, bar in enumerate(levels(c)) if (word := self.cleaned_data.get(f"is-{c.position}-{at}"))}
