"""The bundled sample as a task: which table, and what is asked about it. The table itself is made by `automl.data.sample` in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from django.conf import settings

SAMPLE_FILENAME = "sample-loans.csv"
SAMPLE_SPEC: dict[str, Any] = {
    "title": "Sample: loan applications",
    "target": "approved",
    "positive": "yes",
    "sensitive": ["sex", "race", "age"],
    "bins": {"age": [24, 39, 59]},
    "budget": {"seconds": 30},
    "reasons": {"table": {
        # a draft: no person has approved it, and the report says so
        "income": {"code": "R01", "text": "Income is low for the loan asked for", "when_missing": "Income was not given", "direction": "lower"},
        "debt_ratio": {"code": "R02", "text": "Debts are high in relation to income", "direction": "higher", "actionable": True},
        "late_payments": {"code": "R03", "text": "Payments were late", "direction": "higher"},
        "loan_amount": {"code": "R04", "text": "The amount asked for is high", "direction": "higher", "actionable": True},
        "term_months": {"code": "R05", "text": "The term asked for is short", "direction": "lower", "actionable": True},
        "savings": {"code": "R06", "text": "Savings are low", "when_missing": "Savings were not given", "direction": "lower", "actionable": True},
        "employment": {"code": "R07", "text": "Employment status"},
        "employment_years": {"code": "R08", "text": "Time in the present employment is short", "when_missing": "Time in the present employment was not given", "direction": "lower"},
        "housing": {"code": "R09", "text": "Housing situation"},
        "purpose": {"code": "R10", "text": "Purpose of the loan", "actionable": True},
        "region": {"excluded": "prohibited"},
    }},
    "seed": 1,
}


def sample_csv() -> bytes:
    """The sample's table as CSV, the same bytes every time."""
    made = subprocess.run([sys.executable, "-m", "automl.data.sample"], cwd=settings.BASE_DIR, capture_output=True, check=True, timeout=120)
    return made.stdout
