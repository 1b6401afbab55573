"""Four questions that lead to the fairness metric that governs; asked of those who did not name one themselves."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from auditapp.forms.answers import Choices, StepForm
from auditapp.forms.drafts import task_of


class GoverningForm(StepForm):
    """Only what the tree can come to is asked: of a number whether it is true, without a recorded outcome nothing about errors."""

    def ask(self) -> None:
        number = task_of(self.draft, self.profile) == "regression"
        recorded = self.draft.kind == "training" or self.draft.get("predictions", "label") is not None
        if not number:
            self.put("measured_by_rates", _("Does a law, a contract or a policy measure these decisions by how often each group gets the good outcome?"), [
                ("yes", _("Yes, selection rates are compared, as in US hiring")), ("no", _("No"))])
        if recorded:
            self.put("outcome_trusted", _("Does the recorded number say as truly of every group what is to be predicted?") if number else
                     _("Does the recorded outcome say as truly of every group who deserved the good outcome?"), [
                ("yes", _("Yes, as far as we know")), ("no", _("No: earlier decisions or measurements may have treated groups unequally"))])
        if recorded and not number:
            self.put("used_as", _("Do people act on the decision, or read the score?"), [("decision", _("On the decision")), ("score", _("They read the score and decide by themselves"))])
            self.put("worse", _("Which error does more harm?"), [
                ("refused", _("The good outcome is refused to somebody who deserved it")), ("granted", _("The good outcome is granted to somebody who did not deserve it")), ("both", _("Both alike"))])

    def put(self, name: str, label: str, choices: Choices) -> None:
        self.fields[name] = forms.ChoiceField(label=label, choices=choices, widget=forms.RadioSelect, initial=self.draft.get("governing", name), error_messages={"required": _("Answer: %(question)s") % {"question": label}})

    def answers(self) -> dict[str, Any]:
        return dict(self.cleaned_data)
