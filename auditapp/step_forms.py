"""Which form asks each step of a new audit."""

from __future__ import annotations

from auditapp.forms import AttributesForm, BudgetForm, CheckForm, ColumnsForm, GroupsForm, OutcomeForm, PredictionsForm, StepForm, TargetForm
from auditapp.governing_form import GoverningForm
from auditapp.law_form import LawForm
from auditapp.reasons_form import ReasonsForm

STEP_FORMS: dict[str, type[StepForm]] = {
    "columns": ColumnsForm, "target": TargetForm, "outcome": OutcomeForm, "predictions": PredictionsForm, "attributes": AttributesForm, "governing": GoverningForm, "groups": GroupsForm,
    "law": LawForm, "reasons": ReasonsForm, "budget": BudgetForm, "check": CheckForm,
}
