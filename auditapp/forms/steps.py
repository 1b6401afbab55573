"""Which form asks each step of a new audit."""

from __future__ import annotations

from auditapp.forms.answers import AttributesForm, BudgetForm, CheckForm, ColumnsForm, GroupsForm, OutcomeForm, PredictionsForm, StepForm, TargetForm
from auditapp.forms.governing import GoverningForm
from auditapp.forms.local_law_144 import LawForm
from auditapp.forms.reasons import ReasonsForm

STEP_FORMS: dict[str, type[StepForm]] = {
    "columns": ColumnsForm, "target": TargetForm, "outcome": OutcomeForm, "predictions": PredictionsForm, "attributes": AttributesForm, "governing": GoverningForm, "groups": GroupsForm,
    "law": LawForm, "reasons": ReasonsForm, "budget": BudgetForm, "check": CheckForm,
}
