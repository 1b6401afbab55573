from __future__ import annotations

from typing import Any

import pytest

from automl.errors import BadInput
from automl.spec import parse_spec


@pytest.mark.parametrize(("document", "said"), [
    ({}, "spec/target: this field is needed"),
    ({"target": "y", "colour": 1}, "spec/colour: there is no such field"),
    ({"target": "y", "seed": -1}, "spec/seed: must be greater than or equal to 0"),
    ({"target": 5}, "spec/target: must be a valid string"),
    ({"target": "y", "sensitive": ["y"]}, "spec: 'y' cannot be both target and sensitive attribute"),
])
def test_refusals_are_in_our_words_and_point_at_the_field(document: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_spec(document, "training")
    assert refused.value.sentence == said
