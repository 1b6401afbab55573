"""What the pages ask. Each form parses one page's answers into plain values; a spec is made of them in `auditapp.forms.drafts`.

Columns and labels travel as positions, never as text, so that no name in the data can be altered or misread on the way.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connection
from django.utils.translation import get_language, gettext as _, gettext_lazy as lazy

from auditapp.access import SCOPES
from auditapp.forms import population
from auditapp.forms.drafts import NUMERIC, Draft, column, edges_text, is_binned, levels, roles, task_of
from auditapp.languages.chosen import numbers
from auditapp.templatetags.audit import bound
from auditapp.uploads import too_large_sentence
from automl.evidence import ColumnProfile, DatasetProfile
from automl.printing import GOVERNING_WORDS, PART_WORDS, PROFILE_WORDS, visible
from automl.spec import GOVERNING_METRICS, METRICS_OF_TASK, MOST_COHORTS, MOST_EXPLAINED, OF_NUMBERS

Choices = list[tuple[str, Any]]
FORTY = 40

ROLE_WORDS = {
    "feature": lazy("Feature: the model may use it"), "target": lazy("Target: to be predicted"), "sensitive": lazy("Sensitive attribute"), "id": lazy("Identifier"),
    "date": lazy("Date"), "text": lazy("Free text"), "weight": lazy("Weight of the row"), "group": lazy("Person or group that rows belong to"), "time": lazy("Time order of the rows"),
    "ignore": lazy("Leave out"),
}
PRESETS = {"quick": (120, None), "standard": (900, None), "thorough": (7200, None)}
FAMILY_WORDS: Choices = [("linear", lazy("Linear models")), ("lgbm", lazy("Gradient-boosted trees (LightGBM)")), ("torch", lazy("Neural network (PyTorch)")),
                         ("trees", lazy("Random forests and extra trees (scikit-learn)"))]
FAIRNESS_WORDS = {
    "demographic_parity_difference": lazy("Demographic parity difference: all groups are selected equally often"),
    "demographic_parity_ratio": lazy("Demographic parity ratio: the same, as a ratio"),
    "equal_opportunity_difference": lazy("Equal opportunity difference: those who deserve the good outcome get it equally often"),
    "equalized_odds_difference": lazy("Equalized odds difference: the errors fall equally often on all groups"),
}
METRIC_WORDS = {
    "roc_auc": lazy("ROC AUC: ranks people well"), "average_precision": lazy("Average precision: finds the rare class"), "log_loss": lazy("Log loss: good probabilities"),
    "brier": lazy("Brier score: good probabilities, bounded"), "accuracy": lazy("Accuracy: share of right decisions"), "balanced_accuracy": lazy("Balanced accuracy"),
    "f1": lazy("F1: finds the positive ones and few others"), "mcc": lazy("MCC (Matthews): decisions that agree with the truth in every class"),
    "rmse": lazy("Root mean squared error"), "mae": lazy("Mean absolute error"), "rmsle": lazy("RMSLE: errors count by their ratio, for numbers of 0 or more"),
    "r2": lazy("R², share of variance explained"), "quantile_loss": lazy("Quantile loss: predict a quantile instead of the mean"),
}


class PageForm(forms.Form):
    """Bootstrap's classes on Django's widgets; what is missing is said by the server in words, with or without JavaScript."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "label_suffix": ""})
        for shown in self.fields.values():
            dress(shown)


DRESSED = {"form-check-input", "form-select", "form-control"}


def dress(shown: forms.Field) -> None:
    widget = shown.widget
    if DRESSED & set(widget.attrs.get("class", "").split()):
        return
    if isinstance(widget, forms.CheckboxInput | forms.RadioSelect | forms.CheckboxSelectMultiple):
        css = "form-check-input"
    else:
        css = "form-select" if isinstance(widget, forms.Select) else "form-control"
    widget.attrs["class"] = f"{css} {widget.attrs.get('class', '')}".strip()


class UploadForm(PageForm):
    kind = forms.ChoiceField(
        label=lazy("What should be audited?"), initial="training", widget=forms.RadioSelect,
        choices=[("training", lazy("Train a model on this table and audit it")), ("predictions", lazy("Audit predictions that were made elsewhere"))])
    file = forms.FileField(label=lazy("The table"), allow_empty_file=True, error_messages={"required": lazy("Choose a file")})
    name = forms.CharField(label=lazy("Name"), max_length=200, required=False, help_text=lazy("How it will be listed. Left empty, the file's name is used."), widget=forms.TextInput(attrs={"class": "w-mid"}))

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if file.size is not None and file.size > settings.UPLOAD_BYTES:
            raise forms.ValidationError(too_large_sentence(settings.UPLOAD_BYTES))
        if not file.size:
            raise forms.ValidationError(_("The file is empty."))
        return file


class ReadingForm(PageForm):
    """How the bytes are read; what was detected is the first choice."""

    delimiter = forms.ChoiceField(label=lazy("Columns are separated by"), required=False, choices=[
        ("", lazy("as detected")), (",", lazy("comma ,")), (";", lazy("semicolon ;")), ("tab", lazy("tab")), ("|", lazy("bar |")), ("space", lazy("space")), (":", lazy("colon :"))])
    encoding = forms.ChoiceField(label=lazy("Character encoding"), required=False, choices=[
        ("", lazy("as detected")), ("utf-8", "UTF-8"), ("utf-16", "UTF-16"), ("cp1252", "Windows-1252"), ("latin-1", "ISO 8859-1"), ("cp1250", "Windows-1250"), ("cp1251", "Windows-1251"),
        ("shift_jis", "Shift JIS"), ("gb18030", "GB 18030")])
    sheet = forms.CharField(label=lazy("Sheet"), required=False, max_length=200, help_text=lazy("Only for workbooks. Left empty: the first sheet."))
    empty = forms.BooleanField(label=lazy("Empty cells are missing values"), required=False)
    missing = forms.CharField(
        label=lazy("These texts are missing values, too"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=lazy("One a line. Take out “NA” where it is a value: it is the country code of Namibia."))

    def __init__(self, *args: Any, draft: Draft, sheets: tuple[str, ...] = (), **kwargs: Any) -> None:
        table = draft.table
        kwargs.setdefault("initial", {
            "delimiter": {"\t": "tab", " ": "space"}.get(table.get("delimiter") or "", table.get("delimiter") or ""), "encoding": table.get("encoding") or "",
            "sheet": table.get("sheet") or "", "empty": "" in draft.missing, "missing": "\n".join(marker for marker in draft.missing if marker)})
        super().__init__(*args, **kwargs)
        if sheets:
            self.fields["sheet"] = forms.ChoiceField(label=_("Sheet"), required=False, choices=[("", _("the first"))] + [(name, name) for name in sheets])
            dress(self.fields["sheet"])

    def reading(self) -> tuple[dict[str, Any], list[str]]:
        """Table options and missing markers."""
        said = self.cleaned_data
        delimiter = {"tab": "\t", "space": " "}.get(said["delimiter"], said["delimiter"])
        options = {name: value for name, value in (("delimiter", delimiter), ("encoding", said["encoding"]), ("sheet", said["sheet"])) if value}
        markers = [line.strip() for line in said["missing"].splitlines() if line.strip()]
        return options, ([""] if said["empty"] else []) + list(dict.fromkeys(markers))[: 50 - said["empty"]]


class StepForm(PageForm):
    """One step of a new audit: made from the profile and the draft, gives plain answers back."""

    def __init__(self, *args: Any, profile: DatasetProfile, draft: Draft, cohorts: Sequence[Mapping[str, Any]] = (), **kwargs: Any) -> None:
        """``cohorts``: those that the workspace has saved and this table can answer, as a spec asks for them."""
        self.profile, self.draft, self.saved_cohorts = profile, draft, cohorts
        super().__init__(*args, **kwargs)
        self.ask()
        for shown in self.fields.values():
            dress(shown)

    def ask(self) -> None:
        """Adds the fields that depend on the table."""

    def answers(self) -> dict[str, Any]:
        raise NotImplementedError

    def column_choices(self, columns: list[ColumnProfile], none: str = "") -> Choices:
        return ([("", none)] if none else []) + [(str(c.position), _short(c.name)) for c in columns]

    def column_named(self, field: str) -> str | None:
        chosen = self.cleaned_data.get(field)
        return next((c.name for c in self.profile.columns if str(c.position) == chosen), None) if chosen else None

    def position_of(self, name: str | None) -> str:
        found = column(self.profile, name)
        return str(found.position) if found else ""


class ColumnsForm(StepForm):
    """A role for every column, and an answer to every suspected leak."""

    def ask(self) -> None:
        now, leaks = roles(self.draft, self.profile), self.draft.get("columns", "leaks", {})
        chosen = self.draft.get("columns", "roles", {})
        for c in self.profile.columns:
            self.fields[f"role-{c.position}"] = forms.ChoiceField(
                label=_("Role of %(name)s") % {"name": _short(c.name)}, choices=list(ROLE_WORDS.items()), initial=chosen.get(c.name, now[c.name]),
                widget=forms.Select(attrs={"class": "form-select-sm"}))
            if c.suspected_leak:
                self.fields[f"leak-{c.position}"] = forms.ChoiceField(
                    label=_("May the model use %(name)s?") % {"name": _short(c.name)}, help_text=c.suspected_leak, initial=leaks.get(c.name), widget=forms.RadioSelect,
                    choices=[("leave", _("No, leave it out: it is not known when a decision is made")), ("use", _("Yes, it is known before the decision is made"))],
                    error_messages={"required": _("Say whether the model may use %(name)s") % {"name": _short(c.name)}})

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for role, word in (("target", _("target")), ("weight", _("weight"))):
            taken = [c for c in self.profile.columns if said.get(f"role-{c.position}") == role]
            if len(taken) > 1:
                self.add_error(f"role-{taken[1].position}", _("Only one column can be the %(role)s: %(first)s is already") % {"role": word, "first": _short(taken[0].name)})
        return said

    def answers(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {"roles": {c.name: said[f"role-{c.position}"] for c in self.profile.columns},
                "leaks": {c.name: said[f"leak-{c.position}"] for c in self.profile.columns if c.suspected_leak}}


class TargetForm(StepForm):
    def ask(self) -> None:
        by_role = [name for name, role in roles(self.draft, self.profile).items() if role == "target"]
        possible = [c for c in self.profile.columns if c.could_be_target is not None]
        initial = self.draft.get("target", "target") or (by_role[0] if by_role else self.profile.proposed_target)
        self.fields["target"] = forms.ChoiceField(
            label=_("Which column should be predicted?"), choices=self.column_choices(possible, _("choose a column")), initial=self.position_of(initial),
            error_messages={"required": _("Choose the column to be predicted")}, widget=forms.Select(attrs={"class": "w-mid"}))
        self.fields["task"] = forms.ChoiceField(
            label=_("What kind of question is it?"), required=False, initial=self.draft.get("target", "task") or "", widget=forms.RadioSelect,
            choices=[("", _("As the values suggest")), ("binary", _("Yes or no: two outcomes")), ("multiclass", _("One of several outcomes")), ("regression", _("A number"))])

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        target = column(self.profile, self.column_named("target"))
        if target and said.get("task") == "binary" and target.distinct != 2:
            self.add_error("task", _("%(name)s has %(n)s values; a yes-or-no question needs 2") % {"name": _short(target.name), "n": numbers(f"{target.distinct:,}")})
        if target and said.get("task") == "regression" and target.type not in NUMERIC:
            self.add_error("task", _("%(name)s does not hold numbers only") % {"name": _short(target.name)})
        return said

    def answers(self) -> dict[str, Any]:
        return {"target": self.column_named("target"), "task": self.cleaned_data["task"]}


class OutcomeFields(StepForm):
    """Which label is asked for, and whether it is good for the person: shared by both kinds of audit."""

    labels: list[str]

    def ask_outcome(self, target: ColumnProfile, step: Any, several: bool) -> None:
        self.labels = [bar.label for bar in levels(target)][:100]
        known: Choices = [(str(i), _short(label)) for i, label in enumerate(self.labels)]
        positive, favourable = self.draft.get(step, "positive"), self.draft.get(step, "favourable")
        if several:
            chosen = favourable if isinstance(favourable, list) else []
            self.fields["good"] = forms.MultipleChoiceField(
                label=_("Which outcomes are good for the person?"), choices=known, initial=[str(self.labels.index(label)) for label in chosen if label in self.labels],
                widget=forms.CheckboxSelectMultiple, error_messages={"required": _("Choose at least one outcome that is good for the person")})
            return
        proposed = positive or (min(levels(target), key=lambda bar: bar.n).label if self.labels else "")
        if self.labels:
            self.fields["positive"] = forms.ChoiceField(
                label=_("Which value is the “yes”?"), choices=known, initial=str(self.labels.index(proposed)) if proposed in self.labels else None,
                widget=forms.RadioSelect, error_messages={"required": _("Choose which value is the “yes”")})
        else:
            self.fields["positive"] = forms.CharField(label=_("Which value is the “yes”?"), initial=positive, max_length=1000, strip=False,
                                                      help_text=_("Exactly as it is written in the table."), error_messages={"required": _("Write which value is the “yes”")})
        good = None if positive is None else "good" if favourable in (None, positive) else "bad"
        self.fields["good"] = forms.ChoiceField(
            label=_("For the person concerned, being predicted “yes” is"), initial=good, widget=forms.RadioSelect, choices=[("good", _("good: a loan, a job, a place")), ("bad", _("bad: a refusal, an inspection"))],
            error_messages={"required": _("Say whether a predicted “yes” is good or bad for the person")})

    def outcome(self) -> dict[str, Any]:
        said = self.cleaned_data
        if isinstance(said.get("good"), list):
            return {"positive": None, "favourable": [self.labels[int(i)] for i in said["good"]]}
        if "positive" not in said:
            return {"positive": None, "favourable": None}
        positive = self.labels[int(said["positive"])] if self.labels else said["positive"]
        others = [label for label in self.labels if label != positive]
        return {"positive": positive, "favourable": others[0] if said["good"] == "bad" and others else positive}


class OutcomeForm(OutcomeFields):
    def ask(self) -> None:
        target = self.target = column(self.profile, self.draft.get("target", "target"))
        assert target is not None, "the step before has settled the target"
        self.task = task_of(self.draft, self.profile)
        if self.task != "regression":
            self.ask_outcome(target, "outcome", several=self.task == "multiclass")
        if target.missing:
            self.fields["left_out"] = forms.BooleanField(
                label=_("Yes, leave out the %(n)s rows in which %(name)s is missing") % {"n": numbers(f"{target.missing:,}"), "name": _short(target.name)},
                initial=self.draft.get("outcome", "left_out", False), error_messages={"required": _("Confirm that the rows without a value of %(name)s are left out") % {"name": _short(target.name)}})

    def answers(self) -> dict[str, Any]:
        return self.outcome() | {"left_out": bool(self.cleaned_data.get("left_out"))}


class PredictionsForm(OutcomeFields):
    """Which columns hold the score, the decision and the truth of a model that somebody else trained."""

    threshold = forms.FloatField(label=lazy("A score counts as “yes” from"), required=False, help_text=lazy("Only where there is no decision column. Left empty: 0.5."), widget=forms.NumberInput(attrs={"step": "any", "class": "w-short"}))

    def ask(self) -> None:
        texts = (("score", _("Score or probability"), _("A number per row: higher means more “yes”.")), ("decision", _("Decision"), _("What was decided for each row.")),
                 ("label", _("True outcome"), _("What really happened. Without it, error rates will read “not measured”.")))
        numeric = [c for c in self.profile.columns if c.type in NUMERIC]
        for name, label, hint in texts:
            self.fields[name] = forms.ChoiceField(label=label, help_text=hint, required=False, choices=self.column_choices(numeric if name == "score" else list(self.profile.columns), _("none")),
                                                  initial=self.position_of(self.draft.get("predictions", name)), widget=forms.Select(attrs={"class": "w-mid"}))
        positive = self.draft.get("predictions", "positive")
        favourable = self.draft.get("predictions", "favourable")
        self.fields["positive"] = forms.CharField(label=_("Which value is the “yes”?"), initial=positive, max_length=1000, required=False, strip=False, widget=forms.TextInput(attrs={"class": "w-short"}),
                                                  help_text=_("As written in the decision or true-outcome column, for example 1 or approved."))
        self.fields["good"] = forms.ChoiceField(
            label=_("For the person concerned, a “yes” is"), widget=forms.RadioSelect, initial="bad" if favourable not in (None, positive) else "good",
            choices=[("good", _("good: a loan, a job, a place")), ("bad", _("bad: a refusal, an inspection"))])
        self.fields["threshold"].initial = self.draft.get("predictions", "threshold")
        self.order_fields(["score", "decision", "label", "threshold", "positive", "good"])

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not said.get("score") and not said.get("decision"):
            self.add_error("score", _("Choose a score column, a decision column or both"))
        outcome = column(self.profile, self.column_named("decision") or self.column_named("label"))
        if outcome and not said.get("positive"):
            self.add_error("positive", _("Write which value of %(name)s is the “yes”") % {"name": _short(outcome.name)})
        known = [bar.label for bar in levels(outcome)] if outcome else []
        if outcome and known and said.get("positive") and said["positive"] not in known:
            self.add_error("positive", _("%(name)s has no value “%(value)s”; it has %(known)s") % {
                "name": _short(outcome.name), "value": _short(said["positive"]), "known": ", ".join(_short(label) for label in known[:8])})
        self.other = next((label for label in known if label != said.get("positive")), None) if len(known) == 2 else None
        if said.get("good") == "bad" and said.get("positive") and self.other is None:
            self.add_error("good", _("Where a “yes” is bad, the column must have exactly 2 values, so that the good one is known"))
        return said

    def answers(self) -> dict[str, Any]:
        said = self.cleaned_data
        positive = said.get("positive") or None
        return {"score": self.column_named("score"), "decision": self.column_named("decision"), "label": self.column_named("label"), "threshold": said.get("threshold"),
                "positive": positive, "favourable": self.other if said["good"] == "bad" and positive else positive}


class AttributesForm(StepForm):
    """For whom the outcome is compared, how deep attributes are crossed, and against which limit."""

    def ask(self) -> None:
        taken = {self.draft.get("target", "target"), *(self.draft.get("predictions", name) for name in ("label", "score", "decision"))}
        now = roles(self.draft, self.profile)
        self.possible = [c for c in self.profile.columns if c.name not in taken and c.type not in ("constant", "empty", "text") and (c.type in NUMERIC or c.distinct <= settings.TABLE_GROUPS)
                         and (now[c.name] not in ("id",) or c.proposal.role == "sensitive")]
        # What was marked as sensitive comes first: in a table of 400 columns nobody should have to look for it
        self.possible.sort(key=lambda c: (now[c.name] != "sensitive", c.position))
        chosen = self.draft.get("attributes", "sensitive")
        ticked = [c for c in self.possible if (c.name in chosen if chosen is not None else now[c.name] == "sensitive")]
        self.fields["sensitive"] = forms.MultipleChoiceField(label=_("Compare the groups of"), required=False, widget=forms.CheckboxSelectMultiple,
                                                             choices=self.column_choices(self.possible), initial=[str(c.position) for c in ticked])
        self.fields["none"] = forms.BooleanField(label=_("No attribute at all: I know that fairness will then read “not measured”"), required=False,
                                                 initial=self.draft.get("attributes", "none", False))
        depths: Choices = [("1", _("each attribute by itself")), ("2", _("and pairs of them, such as sex × race")), ("3", _("and three together")), ("4", _("and four together"))]
        self.fields["intersections"] = forms.ChoiceField(label=_("Crossings"), choices=depths, initial=str(self.draft.get("attributes", "intersections", 2)), widget=forms.Select(attrs={"class": "w-mid"}))
        self.fields["limit"] = forms.FloatField(
            label=_("Limit for the impact ratio"), min_value=0.01, max_value=1, initial=self.draft.get("attributes", "limit", 0.8), widget=forms.NumberInput(attrs={"step": "any", "class": "w-short"}),
            help_text=_("A group's rate of the good outcome divided by the highest group's. 0.8 is the four-fifths convention of US hiring; elsewhere it is a convention too, not a law."))
        if self.draft.kind == "training":
            self.fields["as_features"] = forms.BooleanField(label=_("The model may use the sensitive attributes as inputs"), required=False, initial=self.draft.get("attributes", "as_features", False),
                                                            help_text=_("Usually not. They are measured on either way."))
        self.ask_more()

    def ask_more(self) -> None:
        """What few audits need: the metric that governs, whose law, and two pages of their own."""
        number, kept = task_of(self.draft, self.profile) == "regression", self.draft.answers.get("attributes", {})
        fitting = [metric for metric in GOVERNING_METRICS if (metric in OF_NUMBERS) == number]
        self.fields["governing"] = forms.ChoiceField(
            label=_("Which fairness metric governs?"), required=False, initial=kept.get("governing", ""), widget=forms.Select(attrs={"class": "w-mid"}),
            choices=[("", _("None is named: all are shown alike")), ("ask", _("Help me choose: questions come next")), *((metric, _(GOVERNING_WORDS[metric])) for metric in fitting)],
            help_text=_("It is shown first, and written into the plan before anything is measured. With unequal shares of the outcome not all metrics can be equal at once."))
        self.fields["governing_reason"] = forms.CharField(label=_("Why this one governs"), required=False, max_length=2000, initial=kept.get("governing_reason", ""), widget=forms.Textarea(attrs={"rows": 2}),
                                                          help_text=_("In your own words; printed in the report."))
        self.fields["profile"] = forms.ChoiceField(label=_("Whose law are these decisions made under?"), required=False, initial=self.draft.profile or "", widget=forms.Select(attrs={"class": "w-mid"}),
                                                   choices=[("", _("not said")), *((key, _(words)) for key, words in PROFILE_WORDS.items())], help_text=_("Both bar cut-offs that differ by group: such alternatives are then marked so."))
        asked = kept.get("cohorts", [])
        self.cohorts = {_key(one["name"]): one for one in (*self.saved_cohorts, *asked)}
        if self.cohorts:
            self.fields["cohorts"] = forms.MultipleChoiceField(
                label=_("Cohorts to be looked at by themselves"), required=False, widget=forms.CheckboxSelectMultiple, initial=[_key(one["name"]) for one in asked],
                choices=[(key, _short(one["name"])) for key, one in self.cohorts.items()],
                help_text=_("Rows that somebody named in an earlier audit. Choose them before you look: each is one more comparison."))
        self.fields["law"] = forms.BooleanField(label=_("Make the tables of New York City's Local Law 144"), required=False, initial="law" in self.draft.answers,
                                                help_text=_("The next pages ask which attribute is which."))
        if self.draft.kind == "training" and not number:
            self.fields["reasons"] = forms.BooleanField(
                label=_("Write the reason table: what is said to people who are refused"), required=False, initial="reasons" in self.draft.answers,
                help_text=_("A page of its own asks for it. There is one already, which stays as it is.") if self.draft.reasons else _("A page of its own asks for it."))

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not said.get("sensitive") and (self.draft.kind == "predictions" or not said.get("none")):
            self.add_error("sensitive", _("Choose at least one attribute") if self.draft.kind == "predictions" else _("Choose at least one attribute, or say that there is none"))
        if len(said.get("sensitive") or []) > 20:
            self.add_error("sensitive", _("At most 20 attributes can be compared"))
        if len(said.get("cohorts") or []) > MOST_COHORTS:
            self.add_error("cohorts", _("At most %(n)s cohorts can be looked at in one audit") % {"n": MOST_COHORTS})
        return said

    def answers(self) -> dict[str, Any]:
        said = self.cleaned_data
        names = {str(c.position): c.name for c in self.profile.columns}
        return {"sensitive": [names[position] for position in said["sensitive"]], "none": said["none"], "intersections": int(said["intersections"]), "limit": said["limit"],
                "as_features": said.get("as_features", False), "governing": said["governing"] if said["sensitive"] else "", "governing_reason": said["governing_reason"].strip(), "profile": said["profile"] or None,
                "law": said["law"] and bool(said["sensitive"]), "reasons": said.get("reasons", False), **({"cohorts": [self.cohorts[key] for key in said["cohorts"]]} if said.get("cohorts") else {})}


class GroupsForm(StepForm):
    """Edges for numbers, a reference for categories; both before anything is measured. No edges are an answer too: quartiles that no row of the audit part moves."""

    def ask(self) -> None:
        names = self.draft.get("attributes", "sensitive", [])
        self.chosen = [c for c in self.profile.columns if c.name in names]
        bins, reference = self.draft.get("groups", "bins", {}), self.draft.get("groups", "reference", {})
        for c in self.chosen:
            if is_binned(c):
                self.fields[f"bins-{c.position}"] = forms.CharField(
                    label=_("Cut %(name)s at") % {"name": _short(c.name)}, initial=edges_text(bins.get(c.name, ())), required=False, max_length=1000, widget=forms.TextInput(attrs={"class": "w-mid", "inputmode": "decimal"}),
                    help_text=_("Rising numbers with commas between; each group reaches up to and includes its edge. From %(low)s to %(high)s in this table. %(empty)s") % {
                        "low": bound(c.low), "high": bound(c.high), "empty": " ".join(filter(None, (self.if_left_empty(c), of_age(c))))})
                continue
            known = [bar.label for bar in levels(c)]
            if known:
                self.fields[f"reference-{c.position}"] = forms.ChoiceField(
                    label=_("Compare the groups of %(name)s with") % {"name": _short(c.name)}, required=False, initial=str(known.index(reference[c.name])) if reference.get(c.name) in known else "",
                    choices=[("", _("the group with the highest rate (proposed)")), *((str(i), _short(label)) for i, label in enumerate(known))], widget=forms.Select(attrs={"class": "w-mid"}),
                    help_text=self.why_the_highest(c))
        self.fields.update(population.fields(self.chosen, self.draft.get("groups", "population")))

    def why_the_highest(self, c: ColumnProfile) -> str:
        """Why no group is proposed by its size: the largest may be the one that is selected least, and every ratio to it would look well."""
        groups = levels(c)
        if len(groups) < 3:
            return _("With two groups there is only one comparison.")
        largest = max(groups, key=lambda bar: bar.n)
        return _("Every group is then compared with every other one, so that no group that is selected less stays unseen. Naming one now, such as %(largest)s, the largest with %(n)s rows, needs no correction for "
                 "many comparisons and is never a handful of rows, but tells differences to that one only.") % {"largest": _short(largest.label), "n": numbers(f"{largest.n:,}")}

    def if_left_empty(self, c: ColumnProfile) -> str:
        words = _("Left empty: the quartiles of the rows that the model learns from; those of the whole table are %(edges)s.") if self.draft.kind == "training" else \
            _("Left empty: the quartiles of the table, %(edges)s.")
        return words % {"edges": edges_text(c.default_bins)}

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        self.edges: dict[str, list[float]] = {}
        for c in self.chosen:
            name = f"bins-{c.position}"
            if is_binned(c) and (said.get(name) or "").strip():
                try:
                    self.edges[c.name] = _rising(said[name])
                except forms.ValidationError as error:
                    self.add_error(name, error)
        self.population = population.clean(self, self.chosen, said)
        return said

    def answers(self) -> dict[str, Any]:
        reference = {}
        for c in self.chosen:
            picked = self.cleaned_data.get(f"reference-{c.position}")
            if picked:
                reference[c.name] = levels(c)[int(picked)].label
        return {"bins": self.edges, "reference": reference, **({"population": self.population} if self.population else {})}


class BudgetForm(StepForm):
    preset = forms.ChoiceField(label=lazy("How long may the search take?"), widget=forms.RadioSelect, error_messages={"required": lazy("Choose how long the search may take")}, choices=[
        ("quick", lazy("Quick: 2 minutes")), ("standard", lazy("Standard: 15 minutes")), ("thorough", lazy("Thorough: 2 hours")), ("custom", lazy("My own budget"))])
    seconds = forms.FloatField(label=lazy("Seconds"), required=False, min_value=1, max_value=86_400, widget=forms.NumberInput(attrs={"step": "any", "class": "w-short"}))
    trials = forms.IntegerField(label=lazy("Trials"), required=False, min_value=1, max_value=10_000, widget=forms.NumberInput(attrs={"class": "w-short"}),
                                help_text=lazy("The same data, seed and number of trials give the same result again."))

    def ask(self) -> None:
        kept, task = self.draft.answers.get("budget", {}), task_of(self.draft, self.profile)
        metrics = METRICS_OF_TASK.get(task or "", ())
        add = self.fields.__setitem__
        add("metric", forms.ChoiceField(label=_("What should the search improve?"), choices=[(name, METRIC_WORDS[name]) for name in metrics], required=bool(metrics), initial=kept.get("metric") or (metrics[0] if metrics else None), widget=forms.Select(attrs={"class": "w-mid"})))
        if "quantile_loss" in metrics:
            add("quantile", forms.FloatField(label=_("Level of the quantile"), required=False, initial=kept.get("quantile"), widget=forms.NumberInput(attrs={"step": "any", "class": "w-short"}),
                                             help_text=_("For the quantile loss only: between 0 and 1, such as 0.9 for a number that 9 of 10 stay below; 0.5 where it is left empty.")))
        add("families", forms.MultipleChoiceField(label=_("Kinds of models to try"), choices=FAMILY_WORDS, widget=forms.CheckboxSelectMultiple, initial=kept.get("families") or [name for name, _word in FAMILY_WORDS],
                                                  error_messages={"required": _("Choose at least one kind of model")}))
        by_role = {role: name for name, role in roles(self.draft, self.profile).items()}
        others = [c for c in self.profile.columns if c.name != self.draft.get("target", "target")]
        ordered = [c for c in others if c.type in ("date", *NUMERIC)]
        time, group = kept.get("time", by_role.get("time")), kept.get("group", by_role.get("group"))
        add("split", forms.ChoiceField(label=_("How are the rows to be audited chosen?"), widget=forms.RadioSelect, initial="time" if time else "group" if group else "random", choices=[
            ("random", _("At random, with the shares of the target and of groups kept")), ("time", _("The latest rows: the model will be used on later cases")),
            ("group", _("By person or group: several rows belong to one"))], help_text=self.why_split(by_role)))
        add("time", forms.ChoiceField(label=_("Column that gives the time"), required=False, choices=self.column_choices(ordered, _("none")), initial=self.position_of(time), widget=forms.Select(attrs={"class": "w-mid"})))
        add("group", forms.ChoiceField(label=_("Column that names the person or group"), required=False, choices=self.column_choices(others, _("none")), initial=self.position_of(group), widget=forms.Select(attrs={"class": "w-mid"})))
        add("audit_fraction", forms.FloatField(label=_("Share of the rows kept for the audit"), min_value=0.05, max_value=0.5, initial=kept.get("audit_fraction", 0.25), widget=forms.NumberInput(attrs={"step": "any", "class": "w-short"})))
        add("seed", forms.IntegerField(label=_("Seed"), min_value=0, max_value=2**31 - 1, initial=kept.get("seed", 0), widget=forms.NumberInput(attrs={"class": "w-short"}), help_text=_("Any number; the same one repeats the same choices.")))
        if (sensitive := self.draft.get("attributes", "sensitive", [])) and task != "regression":
            objective = kept.get("fairness_objective") or {}
            compared = [c for c in self.profile.columns if c.name in sensitive]
            add("fairness", forms.ChoiceField(
                label=_("Should the search also look for models whose groups are closer together?"), required=False, initial=objective.get("metric", ""), widget=forms.Select(attrs={"class": "w-mid"}),
                choices=[("", _("No")), *FAIRNESS_WORDS.items()],
                help_text=_("The results then show what each step closer costs in score. The model with the best score is still the one that is audited; the others are kept beside it.")))
            add("fairness_of", forms.ChoiceField(
                label=_("Between the groups of"), required=False, initial=self.position_of(objective.get("attribute")), widget=forms.Select(attrs={"class": "w-mid"}),
                choices=self.column_choices(compared, _("every sensitive attribute; the one that does worst counts"))))
        if connection.vendor == "postgresql":
            add("parallel", forms.IntegerField(label=_("Workers that search together"), min_value=1, max_value=16, initial=kept.get("parallel", 1), widget=forms.NumberInput(attrs={"class": "w-short"}),
                                               help_text=_("As many as are free take part. With more than one, the same seed does not repeat the same trials.")))
        add("explain_rows", forms.CharField(
            label=_("Rows to explain one by one"), required=False, max_length=300, initial=", ".join(map(str, kept.get("explain_rows", []))), widget=forms.TextInput(attrs={"class": "w-mid", "inputmode": "numeric"}),
            help_text=_("Numbers with commas between, at most %(most)s; the first row of the table is 0. Some rows are picked by rule besides: the highest, the lowest and those beside the cut.") % {"most": MOST_EXPLAINED}))
        add("leave_out", forms.MultipleChoiceField(
            label=_("Parts of the audit to leave out"), required=False, choices=[(key, _(words)) for key, words in PART_WORDS.items()], initial=kept.get("leave_out", self.draft.leave_out), widget=forms.CheckboxSelectMultiple,
            help_text=_("Shorter, for a run whose audit nobody will be shown: evidence and report say of each that it was left out. Performance, fairness and findings always are measured.")))
        add("simple", forms.BooleanField(label=_("One single model instead of a combination"), required=False, initial=kept.get("simple", False)))
        self.fields["preset"].initial = next((name for name, budget in PRESETS.items() if kept and budget == (kept.get("seconds"), kept.get("trials"))), "custom" if kept else "quick")
        self.fields["seconds"].initial, self.fields["trials"].initial = kept.get("seconds"), kept.get("trials")
        if isinstance(seconds := kept.get("seconds"), float) and seconds.is_integer():
            self.fields["seconds"].initial = int(seconds)

    def why_split(self, by_role: dict[str, str]) -> str:
        """What of the table speaks for another split than a random one."""
        if "time" in by_role:
            return _("%(name)s gives the time, so the latest rows are proposed: they are most like the cases to come.") % {"name": _short(by_role["time"])}
        if "group" in by_role:
            return _("%(name)s names the person or group, so its rows are kept together: else the model would be audited on people that it knows.") % {"name": _short(by_role["group"])}
        return ""

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("preset") == "custom" and not said.get("seconds") and not said.get("trials") and not {"seconds", "trials"} & set(self.errors):
            self.add_error("seconds", _("Give seconds, trials or both"))
        if said.get("split") in ("time", "group") and not said.get(said["split"]):
            self.add_error(said["split"], _("Choose the column for this kind of split"))
        if (level := said.get("quantile")) is not None:
            if not 0 < level < 1:
                self.add_error("quantile", _("Give a number between 0 and 1"))
            elif said.get("metric") != "quantile_loss":
                self.add_error("quantile", _("This belongs to the quantile loss: choose that above, or leave this empty"))
        if said.get("audit_fraction") is not None and math.isnan(said["audit_fraction"]):
            self.add_error("audit_fraction", _("Give a number from 0.05 to 0.5"))
        return said

    def clean_explain_rows(self) -> list[int]:
        return _row_numbers(self.cleaned_data["explain_rows"], self.profile.rows)

    def answers(self) -> dict[str, Any]:
        said = self.cleaned_data
        seconds, trials = (said["seconds"], said["trials"]) if said["preset"] == "custom" else PRESETS[said["preset"]]
        return {"seconds": seconds, "trials": trials, "metric": said["metric"], "quantile": said.get("quantile"), "families": said["families"] if len(said["families"]) < len(FAMILY_WORDS) else [], "simple": said["simple"],
                "time": self.column_named("time") if said["split"] == "time" else None, "group": self.column_named("group") if said["split"] == "group" else None,
                "audit_fraction": said["audit_fraction"], "seed": said["seed"], "parallel": said.get("parallel") or 1,
                "fairness_objective": {"metric": said["fairness"], "attribute": self.column_named("fairness_of")} if said.get("fairness") else None, "leave_out": said["leave_out"], "explain_rows": said["explain_rows"]}


class CheckForm(StepForm):
    title = forms.CharField(label=lazy("Name of this audit"), max_length=200, required=False, help_text=lazy("Printed on the report."), widget=forms.TextInput(attrs={"class": "w-mid"}))

    report_language = forms.ChoiceField(
        label=lazy("Language of the report"), required=False, choices=settings.LANGUAGES, widget=forms.Select(attrs={"class": "w-mid"}),
        help_text=lazy("Of the PDF; the attached evidence is English. Another can be chosen for its next version."))

    def ask(self) -> None:
        self.fields["title"].initial = self.draft.title
        self.fields["report_language"].initial = self.draft.report_language or get_language()

    def answers(self) -> dict[str, Any]:
        return {"title": self.cleaned_data["title"], "report_language": self.cleaned_data["report_language"]}


class VerifyForm(PageForm):
    file = forms.FileField(label=lazy("The report, a PDF"), allow_empty_file=True, error_messages={"required": lazy("Choose a PDF")})


class TokenForm(PageForm):
    name = forms.CharField(label=lazy("What is it for?"), max_length=200, error_messages={"required": lazy("Say what the token is for")}, widget=forms.TextInput(attrs={"class": "w-mid"}))
    scopes = forms.MultipleChoiceField(label=lazy("What may it do?"), widget=forms.CheckboxSelectMultiple, initial=["read"], error_messages={"required": lazy("Choose at least one")}, choices=[
        ("read", lazy("read: see and download")), ("run", lazy("run: upload, start, cancel and delete")), ("predict", lazy("predict: ask models")),
        ("statements", lazy("statements: say in your name what only people can say of a run")), ("admin", lazy("admin: list members, manage webhooks"))])
    days = forms.IntegerField(label=lazy("It ends after this many days"), min_value=1, max_value=3650, initial=90, widget=forms.NumberInput(attrs={"class": "w-short"}))

    assert {"read", "run", "predict", "statements", "admin"} == set(SCOPES)



def of_age(c: ColumnProfile) -> str:
    """Where whole numbers are called an age: how the split that a law of age discrimination speaks of is written."""
    named = bool(re.search(r"(?<![a-z])(age|alter|jahre|years)(?![a-z])", c.name.lower().replace("_", " ")))
    if not named or c.type != "integer" or c.low is None or c.high is None or not float(c.low) < FORTY <= float(c.high):
        return ""
    return _("For people of 40 and more against all younger ones, as the US Age Discrimination in Employment Act has it, write 39.")


def _row_numbers(text: str, rows: int) -> list[int]:
    try:
        named = list(dict.fromkeys(int(part) for part in text.replace(";", ",").split(",") if part.strip()))
    except ValueError:
        raise forms.ValidationError(_("Write row numbers with commas between, for example 17, 230")) from None
    if len(named) > MOST_EXPLAINED:
        raise forms.ValidationError(_("At most %(n)s rows can be named") % {"n": MOST_EXPLAINED})
    if beyond := [row for row in named if not 0 <= row < rows]:
        raise forms.ValidationError(_("There is no row %(row)s; the rows of this table are 0 to %(last)s") % {"row": beyond[0], "last": rows - 1})
    return named


def _short(text: str, most: int = 80) -> str:
    return visible(text, most)


def _key(name: str) -> str:
    """What stands for a name in a form: a browser may alter a text on its way."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _rising(text: str) -> list[float]:
    try:
        edges = [float(part) for part in text.replace(";", ",").split(",") if part.strip()]
    except ValueError:
        raise forms.ValidationError(_("Write numbers with commas between, for example 25, 40, 60")) from None
    if not edges or not all(math.isfinite(edge) for edge in edges):
        raise forms.ValidationError(_("Write numbers with commas between, for example 25, 40, 60"))
    if len(edges) > 50 or any(low >= high for low, high in itertools.pairwise(edges)):
        raise forms.ValidationError(_("The numbers must rise, and there can be at most 50 of them"))
    return edges
