"""What only people can say of an audit, field by field: the one catalogue that the form, the REST interface, the report and its exports use.

A field is asked for in the report's section of its number. Nothing fills one in; what nobody has said is printed as not provided, with who should say it.
Pure data and checks: no database, no Django settings (the process that draws reports has neither).
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from automl.crosswalk.jurisdictions import JURISDICTIONS
from automl.errors import BadInput

Kind = Literal["text", "line", "date", "choice"]
SHORT, LONG = 300, 4_000
"""Characters. A report prints 4,000 characters of a text without cutting it."""
TURNS_AROUND = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the order in which others are shown: with them a text reads otherwise than it is."""

PROVIDER, DEPLOYER, DEVELOPER, AUDITOR, DATA, LEGAL, SECURITY, RISK, RESPONSIBLE = (
    "the provider", "the deployer", "the developer of the model", "the auditor", "the owner of the data", "legal counsel or the compliance officer",
    "the person responsible for information security", "the owner of the risk", "the responsible person")

SECTIONS: dict[int, str] = {
    1: "Identity", 3: "System, purpose and use", 4: "Data", 5: "Model and performance", 6: "Outcomes by group", 8: "Error rates and calibration by group",
    11: "Reasons for individual decisions", 12: "Robustness, stability and security", 13: "Human oversight and risk", 14: "Mitigation", 15: "Limits of this report",
    16: "Crosswalk to laws and frameworks", 17: "Reproducibility and log", 18: "Sign-off",
}
"""Sections of the report that ask for statements; their titles are the report's."""

YES_NO = {"yes": "yes", "no": "no"}
OUTPUT_ROLES = {
    "sole": "it is the only criterion", "weighted_most": "it is weighted more than any other criterion", "overrides": "it overrides conclusions from other criteria, human ones included",
    "one_of_several": "it is one criterion of several, and not the heaviest", "information": "it informs a person, who decides",
}
USE_CLASSES = {
    "none": "none of the classes of Annex III", "biometrics": "Annex III: biometrics", "infrastructure": "Annex III: critical infrastructure", "education": "Annex III: education",
    "recruitment": "Annex III: employment, recruitment and selection", "work": "Annex III: employment, promotion, termination and allocation of tasks",
    "public_benefits": "Annex III: public benefits and services", "credit": "Annex III: creditworthiness (not the detection of fraud)",
    "insurance": "Annex III: pricing of life and health insurance", "emergency": "Annex III: emergency triage", "law_enforcement": "Annex III: law enforcement",
    "migration": "Annex III: migration, asylum and border control", "justice": "Annex III: justice and democratic processes", "other": "another class, named under the intended purpose",
}
PROFILE = "report_profile"
LANGUAGE = "report_language"
DEFAULT_LANGUAGE = "en"
LANGUAGES = {DEFAULT_LANGUAGE: "English", "de": "German"}
PROFILES = {name: one.title for name, one in JURISDICTIONS.items()}
APPROVALS = {"approved": "its texts were read and are approved as printed", "not_approved": "its texts were read and are not approved"}


@dataclass(frozen=True)
class Field:
    """One thing to say. ``kind``: "line" is a text of one line, "date" YYYY-MM-DD, "choice" a key of ``choices``. ``sections``: where the report prints it, the first being where it is asked for."""

    name: str
    sections: tuple[int, ...]
    label: str
    who: str
    help: str
    kind: Kind = "text"
    choices: Mapping[str, str] | None = None
    printed: bool = True
    """Whether the report prints it; what says how the report is made shows in it anyway."""

    @property
    def limit(self) -> int:
        """Most characters."""
        return LONG if self.kind == "text" else SHORT


_FIELDS = (
    Field("system", (1,), "System and version", PROVIDER, "The name under which the audited system is known, and its version.", "line"),
    Field("provider", (1,), "Provider", PROVIDER, "Who develops the system or places it on the market, with an address.", "line"),
    Field("auditor", (1,), "Auditor", AUDITOR, "Name and role of the person who answers for this audit.", "line"),
    Field("distribution_date", (1,), "In use since", DEPLOYER, "The day on which the employer, agency or other deployer began to use the system.", "date"),
    Field("predecessor", (3,), "Version that it replaces", PROVIDER, "The earlier system or version, where there is one.", "line"),
    Field("purpose", (3,), "Intended purpose", PROVIDER, "What the system is meant for, by whom, and where."),
    Field("intended_use", (3,), "Decision that it feeds", DEPLOYER, "The decision about a person in which its output is used, and who takes it."),
    Field("output_role", (3,), "Role of the output in that decision", DEPLOYER, "How much the output weighs beside everything else.", "choice", OUTPUT_ROLES),
    Field("deployer", (3,), "Deployer", DEPLOYER, "The organisation under whose authority the system is used.", "line"),
    Field("affected_persons", (3,), "Persons affected", DEPLOYER, "Who is assessed, and who else feels the consequences."),
    Field("consequences", (3,), "Consequences for a person", DEPLOYER, "What a favourable and what an unfavourable decision means for the person."),
    Field("foreseeable_misuse", (3,), "Foreseeable misuse", PROVIDER, "Uses that are not intended and can be expected, and what is done against them."),
    Field("use_class", (3,), "Legal use class", LEGAL, "The high-risk class of the EU AI Act, Annex III, that the use falls into.", "choice", USE_CLASSES),
    Field("exemption_reason", (3,), "Reason for an exemption from that class", LEGAL, "Only where an exemption is claimed (Art. 6(3) of the AI Act)."),
    Field("deployment_forms", (3,), "Forms in which it is provided, and what it works with", PROVIDER, "Packages, interfaces, hardware and other software that it interacts with."),
    Field("instructions_for_use", (3,), "Instructions for use and user interface", PROVIDER, "Where the deployer finds them, and what the person who uses the system sees."),
    Field("data_origin", (4,), "Origin of the data", DATA, "Where the rows come from, of which period, and how they were chosen."),
    Field("data_class", (4,), "Data class (historical or test data) and why", DATA, "Historical data of the system's own use, or test data; where test data, why and how they were made."),
    Field("lawful_basis", (4,), "Lawful basis", LEGAL, "On which legal basis the data are processed for this purpose."),
    Field("sensitive_basis", (4,), "Basis for using the sensitive attributes", LEGAL, "Why sensitive attributes may be processed to measure outcomes by group, and where they come from."),
    Field("special_data_necessity", (4,), "Necessity of special categories of data", LEGAL, "Why bias could not be examined without them, and which safeguards apply (Art. 10(5) of the AI Act)."),
    Field("labelling", (4,), "Collection and labelling", DATA, "How the outcome and the other columns were recorded, and by whom."),
    Field("data_suitability", (4,), "Assumptions and suitability", DATA, "What the data are assumed to measure, and why they suit the purpose."),
    Field("setting", (4,), "Setting in which it is used", DEPLOYER, "The geographical, contextual, behavioural or functional setting that the data must represent."),
    Field("known_gaps", (4,), "Known gaps", DATA, "What and who is missing or badly represented."),
    Field("design_rationale", (5,), "Design choices and trade-offs", DEVELOPER, "Why this target, these inputs and this kind of model, and what was given up for what."),
    Field("third_party", (5,), "Tools, models and data of third parties", DEVELOPER, "What comes from elsewhere, from whom, and how it was checked."),
    Field("metric_rationale", (5,), "Why these metrics fit the purpose", DEVELOPER, "What a good value means for the people concerned."),
    Field("error_costs", (5,), "Cost of each kind of error", DEPLOYER, "What a wrong favourable and a wrong unfavourable decision cost, and whom."),
    Field("job_relatedness", (6,), "Job-relatedness and business necessity", DEPLOYER, "Where selection rates differ: why the procedure is needed, and how it was validated."),
    Field("notices", (6,), "Notices to the persons concerned", DEPLOYER, "When and how persons are told that the system is used, and what they may ask for."),
    Field("governing_metric", (8,), "Which metric governs, and why", DEPLOYER, "Calibration and equal error rates cannot all hold where base rates differ; which one counts here."),
    Field("reason_table_approval", (11,), "Approval of the reason table", LEGAL, "Whether a person has read the texts of the reasons and approves them.", "choice", APPROVALS),
    Field("contest_route", (11, 13), "How a person contests a decision", DEPLOYER, "Where to turn to, by when, and who decides on it."),
    Field("human_review", (11,), "Human review of unfavourable decisions", DEPLOYER, "Who reviews them, with which means, and how data that are wrong are corrected."),
    Field("cybersecurity", (12,), "Measures against attacks", SECURITY, "Against poisoned data, crafted inputs, theft and manipulation of the model."),
    Field("security_tests", (12,), "Security tests that were made", SECURITY, "Which attacks were tried, when, and with what result."),
    Field("fallback", (12,), "Fallback plan", DEPLOYER, "What happens to decisions when the system fails or is switched off."),
    Field("oversight", (13,), "Who oversees, and may override or stop", DEPLOYER, "Persons or roles, their competence and authority, and how often they step in."),
    Field("automation_bias", (13,), "Measures against automation bias", DEPLOYER, "What keeps people from following the output without judging it."),
    Field("risk_register", (13,), "Risk register", RISK, "Risk, who is affected, likelihood, severity, measure, what remains, owner and date: one line a risk."),
    Field("residual_risk", (13,), "Residual risk and who accepts it", RISK, "What remains after all measures, and who has accepted it."),
    Field("impact_assessment", (13,), "Impact assessment", DEPLOYER, "Reference of the assessment of impacts on fundamental rights or on data protection."),
    Field("materiality", (13,), "Materiality and tier", RISK, "How much depends on the model, by the institution's own policy."),
    Field("challenger", (13,), "Independent challenge", RISK, "Who has challenged the model independently of its development, and the outcome."),
    Field("go_decision", (13,), "Decision to use the system", RISK, "Whether the system is to be used, on which conditions, and who decided."),
    Field("mitigation_choice", (14,), "What was chosen, and why", DEPLOYER, "Which alternative was taken or refused, and for which reason."),
    Field("unintended", (15,), "Known unintended outcomes", PROVIDER, "Outcomes that are known or expected beyond what was measured here."),
    Field(PROFILE, (16,), "For whom this report is written", LEGAL, "Which law or framework the report asks about; where nothing is chosen, all of them.", "choice", PROFILES),
    Field(LANGUAGE, (16,), "Language of this report", RESPONSIBLE, "Where nothing is chosen: as asked for with the audit, else English. The attached evidence is the same in every language.", "choice", LANGUAGES, printed=False),
    Field("retention", (17,), "Retention of records", LEGAL, "How long this report, its evidence and the logs are kept, and where."),
    Field("change_plan", (17,), "Changes that are planned", PROVIDER, "Changes decided in advance, and how the system stays within what was assessed."),
    Field("lifecycle_changes", (17,), "Changes since the last audit", PROVIDER, "What has changed in system, data and use."),
    Field("monitoring_plan", (17,), "Plan for monitoring in use", DEPLOYER, "What is watched after this audit, how often, by whom, and at which values somebody acts."),
    Field("standards", (17,), "Standards that were applied", PROVIDER, "Which ones, in which version, and where the provider's declaration is kept."),
    Field("responsible_person", (18,), "Responsible person", RESPONSIBLE, "Name and function of the person who answers for the system.", "line"),
    Field("responsible_statement", (18,), "Statement of the responsible person", RESPONSIBLE, "What the responsible person states about this report, in their own words."),
    Field("independence", (18,), "Independence of the auditor", AUDITOR, "What connects the auditor with the provider, the vendor or the deployer, in the auditor's own words."),
    Field("independence_use", (18,), "The auditor took part in using, developing or distributing the tool", AUDITOR, "New York's rule on bias audits asks it.", "choice", YES_NO),
    Field("independence_employment", (18,), "The auditor is employed by the employer, the employment agency or the vendor", AUDITOR, "New York's rule on bias audits asks it.", "choice", YES_NO),
    Field("independence_interest", (18,), "The auditor has a financial interest in one of them", AUDITOR, "A direct one, or a material indirect one. New York's rule on bias audits asks it.", "choice", YES_NO),
)

FIELDS: dict[str, Field] = {field.name: field for field in _FIELDS}


def asked_in(section: int) -> list[Field]:
    """The fields that the report's section of this number prints, in order."""
    return [field for field in _FIELDS if section in field.sections and field.printed]


def edited_in(section: int) -> list[Field]:
    """The fields that are asked for under this section: each field once in all."""
    return [field for field in _FIELDS if field.sections[0] == section]


def checked(name: str, text: str) -> str:
    """``text`` as it is kept: spaces at the ends away, line ends as one. BadInput (pointer ``/fields/NAME``) for an unknown field, an empty text, one that is too long, a character that hides or
    turns around what others say, a date that is none, or a choice that is not offered."""
    field = _field(name)
    kept = checked_text(name, text, field.limit)
    if "\n" in kept and field.kind != "text":
        raise _refused(name, "it has more than one line")
    if field.kind == "date":
        _check_date(name, kept)
    if field.choices is not None and kept not in field.choices:
        raise _refused(name, f"{kept[:60]!r} is not offered; choose from {', '.join(field.choices)}")
    return kept


def checked_text(name: str, text: str, limit: int) -> str:
    """The same for any text of a person: what is kept of it. BadInput (pointer ``/fields/NAME``) where it is empty, too long, or holds a character that hides or turns around others."""
    kept = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").strip()
    if not any(character.isprintable() and not character.isspace() for character in kept):
        raise _refused(name, "nothing is said")
    if len(kept) > limit:
        raise _refused(name, f"it has {len(kept):,} characters; at most {limit:,} are kept")
    strange = next((character for character in kept if character in TURNS_AROUND or (character != "\n" and unicodedata.category(character) in ("Cc", "Cs"))), None)
    if strange is not None:
        raise _refused(name, f"it holds the character U+{ord(strange):04X}, which hides or turns around what it stands with")
    return kept


def words_of(name: str, text: str) -> str:
    """A kept text for a reader: a choice in words. What a later catalogue no longer knows is shown as it was kept."""
    field = FIELDS.get(name)
    return text if field is None or field.choices is None else field.choices.get(text, text)


def language_of(said: Mapping[str, str], asked: str | None = None) -> str:
    """The language that people have chosen for the report; ``asked``: with the run."""
    chosen = said.get(LANGUAGE) or asked or DEFAULT_LANGUAGE
    return chosen if chosen in LANGUAGES else DEFAULT_LANGUAGE


def label_of(name: str) -> str:
    """How the field is called; its name where a later catalogue no longer knows it."""
    return FIELDS[name].label if name in FIELDS else name


def _field(name: str) -> Field:
    if name in FIELDS:
        return FIELDS[name]
    close = difflib.get_close_matches(name, FIELDS, n=1)
    raise _refused(name, f"there is no such field{f'; did you mean {close[0]!r}?' if close else ''}")


def _check_date(name: str, text: str) -> None:
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != text:
        raise _refused(name, f"{text[:40]!r} is no date; write it as year, month and day, for example 2026-11-22")


def _refused(name: str, why: str) -> BadInput:
    shown = name if name in FIELDS else repr(name[:60])
    return BadInput(f"{shown}: {why}", pointer="/fields/" + name[:200].replace("~", "~0").replace("/", "~1"))
