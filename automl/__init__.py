"""Plumbline's engine: from a table to a tuned model and the evidence about it.

A pure library: no Django, no Celery, no network. The stages, in the order the data flows:

1. ``automl.spec``      what the person asked for (`TaskSpec`, `PredictionsSpec`)
2. ``automl.data``      a table becomes a split that is safe to learn from
3. ``automl.learn``     a split becomes a model
4. ``automl.audit``     a model, or somebody else's predictions, becomes evidence
5. ``automl.charts``    evidence becomes pictures (Vega-Lite specs)
6. ``automl.bundle``    model, evidence and pictures become a sealed folder
7. ``automl.pipeline``  the whole story, one screen each

``automl.evidence`` holds the types of the document that all faces render; ``automl.hooks`` how a run reports and is stopped.
Importing this package imports none of the heavy libraries; each stage imports its own.
"""

__version__ = "0.1.0"
