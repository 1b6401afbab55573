"""JSON as RFC 8259 has it and nothing more: no NaN, no name twice, no text that cannot be stored, and no depth that breaks the reader."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from auditapp.problems import Problem

MOST_DIGITS = 400
"""More than any float has; Python's own integers would take thousands."""
MOST_VALUES = 100_000
"""Names and values in one document. A spec with a role for each of 2,000 columns has some 4,000."""


def read_json(text: bytes | str, what: str = "body") -> Any:
    """The document in ``text``; raises Problem(malformed) with one sentence."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        document = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_each_name_once, parse_int=_bounded_int)
        _refuse_unstorable(document)
    except UnicodeDecodeError as error:
        raise Problem("malformed", f"The {what} is not UTF-8: byte {error.start} cannot be read.") from error
    except RecursionError as error:
        raise Problem("malformed", f"The {what} is nested too deeply.") from error
    except json.JSONDecodeError as error:
        raise Problem("malformed", f"The {what} is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from error
    except _Refused as error:
        raise Problem("malformed", f"The {what} {error}.") from error
    return document


class _Refused(ValueError):
    pass


def _no_constant(name: str) -> NoReturn:
    raise _Refused(f"holds {name}, which is not JSON")


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise _Refused(f"names {twice[:100]!r} more than once in one object")
    return document


def _bounded_int(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise _Refused(f"holds a number of {len(digits)} digits")
    return int(digits)


def _refuse_unstorable(document: Any) -> None:
    """NUL and lone surrogates pass JSON, and then neither PostgreSQL nor UTF-8 takes them; of what is endless, each wrong part would become an error."""
    waiting, met = [document], 0
    while waiting:
        value = waiting.pop()
        met += 1
        if met > MOST_VALUES:
            raise _Refused(f"holds more than {MOST_VALUES:,} names and values")
        if isinstance(value, str):
            if "\x00" in value:
                raise _Refused("holds a NUL character")
            if any("\ud800" <= character <= "\udfff" for character in value):
                raise _Refused("holds half a surrogate pair")
        elif isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value


class StrictParser(Parser):
    """What ninja reads request bodies with."""

    def parse_body(self, request: HttpRequest) -> Any:
        document = read_json(request.body)
        request.json_document = document  # type: ignore[attr-defined]  # for pointers into it
        return document
