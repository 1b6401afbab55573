"""Ids in addresses, as the schema describes them. Nothing is refused by it: what is no id names nothing, so `access.find` answers 404, as for a stranger's."""

from __future__ import annotations

from typing import Annotated

from pydantic import WithJsonSchema

RowId = Annotated[str, WithJsonSchema({"type": "string", "minLength": 29, "maxLength": 31, "pattern": "^[a-z]{2,4}_[0-9a-hjkmnp-tv-z]{26}$"})]
ShortName = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9.-]+$"})]
