"""Alternatives to the deployed model that treat groups more alike, made on training rows and frozen before the audit part is opened (evidence rules 1 and 12).

`alternatives.prepare` is the story; `decisions` is what it looks at, `curves` and `cuts` move cut-offs, `optimizer` lets Fairlearn move them, `refits` learns again
from reweighed rows, and `reductions` learns under a constraint. `automl.audit.mitigation` measures on the audit part what is frozen here.
"""
