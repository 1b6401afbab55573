"""The reason table: what may be said to a person where an input counts against them, what they can change, and what is never stated."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from auditapp.forms.answers import StepForm
from auditapp.forms.drafts import NUMERIC, roles
from automl.evidence import ColumnProfile
from automl.printing import visible

MOST_INPUTS = 400
TEXTS = ("code", "text", "when_missing")


class ReasonsForm(StepForm):
    def ask(self) -> None:
        kept = self.draft.reasons_said
        self.lines: dict[str, dict[str, Any]] = kept.get("table", {})
        self.inputs = self._inputs()
        self.fields["most"] = forms.IntegerField(label=_("Reasons stated at most"), min_value=1, max_value=20, initial=kept.get("most", 4), widget=forms.NumberInput(attrs={"class": "w-short"}),
                                                 help_text=_("Four is what US practice calls helpful, and no cap in law."))
        self.fields["approved_by"] = forms.CharField(
            label=_("Who approves these texts?"), required=False, max_length=200, widget=forms.TextInput(attrs={"class": "w-mid"}),
            help_text=_("Printed with every text that was written or changed on this page. Left empty, these are drafts, and the report says so."))
        for c in self.inputs:
            line = self.lines.get(c.name, {})
            name = visible(c.name, 60)
            text = {"code": _("Code for %(name)s"), "text": _("What is said where %(name)s counts against somebody"), "when_missing": _("What is said where %(name)s was not given")}
            for part in TEXTS:
                self.fields[f"{part}-{c.position}"] = forms.CharField(
                    label=text[part] % {"name": name}, required=False, max_length=40 if part == "code" else 300, initial=line.get(part) or "", widget=forms.TextInput(attrs={"class": f"form-control-sm{'' if part == 'code' else ' w-said'}"}))
            directions = [("any", _("any value"))] + ([("higher", _("high values")), ("lower", _("low values"))] if c.type in (*NUMERIC, "date") else [])
            self.fields[f"direction-{c.position}"] = forms.ChoiceField(label=_("Of which values of %(name)s the text is true") % {"name": name}, choices=directions, initial=line.get("direction", "any"),
                                                                       required=False, widget=forms.Select(attrs={"class": "form-select-sm"}))
            self.fields[f"kind-{c.position}"] = forms.ChoiceField(
                label=_("What a person can do about %(name)s") % {"name": name}, required=False, initial=line.get("excluded") or ("actionable" if line.get("actionable") else ""), widget=forms.Select(attrs={"class": "form-select-sm"}),
                choices=[("", _("cannot, or not said")), ("actionable", _("can change it")), ("immutable", _("immutable: never stated")), ("prohibited", _("prohibited: never stated"))])

    def _inputs(self) -> list[ColumnProfile]:
        said = roles(self.draft, self.profile)
        apart = {self.draft.get("target", "target"), *(() if self.draft.get("attributes", "as_features") else self.draft.get("attributes", "sensitive", []))}
        return [c for c in self.profile.columns if said[c.name] in ("feature", "date", "text") and c.name not in apart and c.type not in ("constant", "empty")][:MOST_INPUTS]

    def answers(self) -> dict[str, Any]:
        """A policy; what this page does not ask for (groups of inputs and their lines, materiality, rows) stays as an earlier run had it."""
        shown = {c.name for c in self.inputs}
        table = {name: line for name, line in self.lines.items() if name not in shown}
        for c in self.inputs:
            if line := self._line(c):
                table[c.name] = line
        return {**self.draft.reasons_said, "most": self.cleaned_data["most"], "table": table}

    def _line(self, c: ColumnProfile) -> dict[str, Any]:
        said = self.cleaned_data
        line: dict[str, Any] = {part: text for part in TEXTS if (text := said.get(f"{part}-{c.position}", "").strip())}
        if (direction := said.get(f"direction-{c.position}") or "any") != "any":
            line["direction"] = direction
        kind = said.get(f"kind-{c.position}")
        line |= {"actionable": True} if kind == "actionable" else {"excluded": kind} if kind else {}
        before = dict(self.lines.get(c.name, {}))
        by = before.pop("approved_by", None)
        if line and (approved := by if line == before else said.get("approved_by", "").strip()):
            line["approved_by"] = approved
        return line
