"""What each column seems to be for, with the reason in a sentence. Proposals only: the person decides."""

from __future__ import annotations

import re

from automl.data.column_types import ColumnFacts
from automl.data.groups import LEVELS_KEPT
from automl.data.names import shown, words_of
from automl.data.personal import why_personal
from automl.data.problems import infer_task
from automl.data.tables import Table
from automl.errors import BadInput
from automl.evidence import ProposedRole
from automl.spec import TaskKind

# beginnings of words, English and German, after case and accents are gone; grounds that discrimination law names
_SENSITIVE = re.compile(
    r"^(sex|gender|race|racial|ethni|age$|aged$|religio|faith$|disab|handicap|national|citizen|immigra|migra|foreign|native|marital|married|"
    r"pregnan|orientation$|veteran|birth|dob$|skin|caste|indigen|tribe|language$|politic|"
    r"geschlecht|rasse$|ethnie|alter$|altersgruppe|herkunft|konfession|glaube|behinder|schwerbehinder|nationalit|staatsangehor|staatsburger|auslander|"
    r"familienstand|schwanger|geburt|muttersprache|hautfarbe)"
)
# "age" of these is not a person's
_THINGS = frozenset((
    "house", "housing", "building", "account", "vehicle", "car", "property", "loan", "credit", "policy", "company", "machine", "device", "asset",
))
_WEIGHT = re.compile(r"^(fnlwgt|\w*wgt|sampl\w*_?weight|survey_?weight|case_?weight|weights|gewichtung|hochrechnungsfaktor)$")
_PERSON_ID = re.compile(r"^(customer|client|person|patient|user|applicant|employee|student|member|kunden?|personen?|patienten?)_?(id|nr|no|number|key|nummer)$")
_TARGET = re.compile(r"^(target|label|class|outcome|response|y|ziel|zielvariable|zielgrosse|klasse|decision|approved|accepted|hired|granted|admitted|churn)$")
_TARGET_LIKE = re.compile(r"^(value|price|income|salary|score|default|recid\w*|result|status|preis|einkommen)$")


def task_if_target(table: Table, name: str) -> TaskKind | None:
    """The task that ``name`` would make as a target, None where it cannot be one."""
    facts = table.facts[name]
    if facts.type in ("text", "date") or (facts.type == "id" and not facts.numeric):
        return None
    try:
        return infer_task(table, name)
    except BadInput:
        return None


def propose_target(table: Table) -> str | None:
    """The likeliest target by name and place; None where no column could be one."""
    able = {name: task for name in table.names if table.facts[name].type != "id" and (task := task_if_target(table, name)) is not None}
    named = [name for name in able if any(_TARGET.match(word) for word in (*words_of(name), "_".join(words_of(name))))]
    if named:
        return named[-1]
    last = table.names[-1]
    if able.get(last) == "binary" and not is_sensitive_name(last):
        return last
    like = [name for name in able if words_of(name) and _TARGET_LIKE.match(words_of(name)[-1])]
    if like:
        return like[-1]
    return last if last in able else None


def is_sensitive_name(name: str) -> str | None:
    """The word of ``name`` that a protected ground is often called by, or None."""
    words = words_of(name)
    found = next((word for word in words if _SENSITIVE.match(word)), None)
    return None if found is None or (found.startswith("age") and _THINGS.intersection(words)) else found


def propose_role(table: Table, name: str, target: str | None) -> ProposedRole:
    """One role for ``name`` and the sentence that says why; ``target`` is the given or proposed target."""
    facts = table.facts[name]
    if name == target:
        return ProposedRole(role="target", reason=f"its name or place suggests the outcome, and it has {_values(facts)}")
    if facts.type == "empty":
        return ProposedRole(role="ignore", reason="it is missing in every row")
    if facts.type == "constant":
        return ProposedRole(role="ignore", reason="it has the same value in every row")
    if (word := is_sensitive_name(name)) is not None and (proposal := _sensitive(word, facts, table.limits.groups)) is not None:
        return proposal
    joined = "_".join(words_of(name))
    if facts.numeric and _WEIGHT.match(joined):
        return ProposedRole(role="weight", reason="its name is one that survey weights have: how many people a row stands for")
    if _PERSON_ID.match(joined) and facts.type != "id":
        return ProposedRole(role="group", reason=f"its name suggests one person, and {facts.distinct:,} values repeat over the rows: keep a person's rows together")
    if facts.type == "text" and (why := why_personal(table, name)) is not None:
        return ProposedRole(role="ignore", reason=f"{why}: it would tell who somebody is")
    return _by_type(facts)


def _sensitive(word: str, facts: ColumnFacts, most_groups: int) -> ProposedRole | None:
    if facts.type in ("id", "text", "date"):
        return None
    why = f"its name contains {shown(word)}"
    if facts.numeric and facts.distinct > LEVELS_KEPT:
        return ProposedRole(role="sensitive", reason=f"{why}, and its numbers can be compared in bins")
    if facts.distinct <= most_groups:
        return ProposedRole(role="sensitive", reason=f"its name contains {shown(word)} and it has {_values(facts)}")
    return ProposedRole(role="feature", reason=f"{why}, but its {facts.distinct:,} values are too many groups: merge them to at most {most_groups} to measure on it")


def _by_type(facts: ColumnFacts) -> ProposedRole:
    if facts.type == "id":
        return ProposedRole(role="id", reason="nearly every row has a code of its own")
    if facts.type == "date":
        return ProposedRole(role="date", reason=f"every value is a date ({'ISO 8601' if facts.date_format == 'ISO8601' else facts.date_format})")
    if facts.type == "text":
        return ProposedRole(role="text", reason="it holds free text, of which the words are learned from")
    if facts.numeric:
        return ProposedRole(role="feature", reason=f"it holds numbers, {facts.distinct:,} different ones")
    return ProposedRole(role="feature", reason=f"it has {_values(facts)}")


def _values(facts: ColumnFacts) -> str:
    return f"{facts.distinct:,} values"
