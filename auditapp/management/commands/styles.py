"""python manage.py styles: takes out of Bootstrap what the pages use, a fifth of it, so that the first page of a slow line is not mostly rules for nothing.

A test makes the same file in memory and compares: who uses a further class of Bootstrap's runs this command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from auditapp.settings import BASE_DIR

WHOLE = BASE_DIR / "auditapp" / "static" / "vendor" / "bootstrap" / "bootstrap.min.css"
USED = BASE_DIR / "auditapp" / "static" / "plumbline" / "bootstrap-used.css"
NOTICE = "/* Taken by `manage.py styles` out of Bootstrap v5.3.8 (https://getbootstrap.com/), Copyright 2011-2025 The Bootstrap Authors, MIT licence. */\n"
_CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")


def used_styles() -> str:
    """The rules of Bootstrap whose classes all occur in a template, a script or a string of the code; those without a class too."""
    kept = "".join(_kept(re.sub(r"/\*.*?\*/|@charset[^;]*;", "", WHOLE.read_text(), flags=re.DOTALL), _words()))
    variables = set(re.findall(r"var\((--[\w-]+)", kept + (USED.parent / "plumbline.css").read_text()))
    # Colours that nothing asks for
    return NOTICE + re.sub(r"(?<=[{;])(--bs-[\w-]+):[^;}]*;?", lambda found: found[0] if found[1] in variables else "", kept) + "\n"


def _words() -> set[str]:
    """Whatever may be a class: the words of class attributes in templates, and of texts in quotes elsewhere."""
    words: set[str] = set()
    for path in (BASE_DIR / "templates").rglob("*.html"):
        words.update(word for value in re.findall(r'class="((?:[^"{]|{[^}]*}|{)*)"', path.read_text()) for word in re.findall(r"[\w-]+", value))
    for path in [*(BASE_DIR / "auditapp").rglob("*.py"), *USED.parent.glob("*.js")]:
        words.update(word for value in re.findall(r'"([^"\n]*)"', path.read_text()) for word in re.findall(r"[\w-]+", value))
    return words


def _kept(text: str, words: set[str]) -> Iterator[str]:
    for head, body in _blocks(text):
        if head.startswith("@keyframes"):
            continue  # nothing of ours moves by itself
        if head.startswith("@"):
            inner = "".join(_kept(body, words))
            if inner:
                yield f"{head}{{{inner}}}"
            continue
        selectors = [one for one in _selectors(head) if set(_CLASS.findall(one)) <= words]
        if selectors:
            yield f"{','.join(selectors)}{{{body}}}"


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Each rule's head and what stands in its braces."""
    at = 0
    while (opening := text.find("{", at)) >= 0:
        depth, end = 1, opening + 1
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        yield text[at:opening].strip(), text[opening + 1:end - 1]
        at = end


def _selectors(head: str) -> list[str]:
    """A list of selectors, told apart at commas that stand in no bracket."""
    return re.split(r",(?![^(]*\))", head)


class Command(BaseCommand):
    help = "Take out of Bootstrap what the pages use."

    def handle(self, *args: Any, **options: Any) -> None:
        USED.write_text(used_styles())
        self.stdout.write(f"{USED.stat().st_size:,} of {WHOLE.stat().st_size:,} bytes")
