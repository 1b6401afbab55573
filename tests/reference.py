"""`make reference`: docs/reference.md, made of the parsers, the settings and the evidence's types; tests/test_docs.py holds it fresh."""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference.md"
OURS = ("audit", "audit_predictions", "demo", "export", "verify", "verify_all", "backup", "member", "token", "reconcile")
OF_THE_MACHINE = {"home": "`var`", "run_memory": "the smaller of 8 GiB and half the machine's memory", "run_threads": "the machine's cores"}
"""Defaults that differ from one machine to the next."""

HEAD = """# Reference

Made by `make reference` from the code; do not edit. REST has its own page, [rest.md](rest.md), and its schema at `/api/v1/openapi.json`.

## Exit codes

| Code | Says |
|---|---|
| 0 | done; of `verify`: intact; of `verify_all`: no problems |
| 1 | anything else that went wrong; of `verify`: altered or unknown; of `verify_all`: there are problems, one sentence each |
| 2 | bad input, one sentence that names the row, column or option; of `verify`: not a PDF |
| 3 | done, and a finding at or above `--fail-on` exists |
"""


def page() -> str:
    return "\n".join([HEAD, *_commands(), *_settings(), *_evidence()]) + "\n"


def _commands() -> Iterator[str]:
    from django.core.management import load_command_class

    from automl.__main__ import _parser

    yield "## Command line\n"
    for name in OURS:
        app = "workers" if (ROOT / "workers" / "management" / "commands" / f"{name}.py").exists() else "auditapp"
        command: Any = load_command_class(app, name)
        yield from _command(f"python manage.py {name}", command.help, command.create_parser("manage.py", name))
    subparsers: Any = next(action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    for choice in subparsers._choices_actions:
        yield from _command(f"python -m automl {choice.dest}", choice.help[:1].upper() + choice.help[1:] + ".", subparsers.choices[choice.dest])


FURTHER = {
    "schema_version": "Of this document's form.", "digest": "sha256 of the canonical JSON without what differs between two runs of the same inputs.", "run": "Which run it is of.",
    "spec": "What was asked for.", "crosswalk": "Which item of which law the document holds something about, and what a person has to supply.",
    "provenance": "What it was made from and with.",
}
"""Words on fields whose types have none of their own."""
DJANGOS = {"help", "version", "verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks"}


def _command(call: str, says: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"### `{call}`\n\n{says}\n"
    options = [action for action in parser._actions if action.dest not in DJANGOS]
    if options:
        yield "| Option | |\n|---|---|"
        for action in options:
            yield f"| {_cell(_named(action))} | {_cell(_said(action))} |"
        yield ""


def _named(action: argparse.Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, str) else "|".join(map(str, action.choices)) if action.choices else action.dest.upper()
    if not action.option_strings:
        return f"`{metavar}`"
    return f"`{action.option_strings[-1]}`" if action.nargs == 0 else f"`{action.option_strings[-1]} {metavar}`"


def _said(action: argparse.Action) -> str:
    text = (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")
    return text + (" (needed)" if action.required and action.option_strings else "")


def _settings() -> Iterator[str]:
    from auditapp.settings import Environment

    said = attribute_docstrings(Environment)
    yield "## Settings\n\nEach is an environment variable, or a line of `.env`. Times are in seconds.\n\n| Name | Default | |\n|---|---|---|"
    for name, field in Environment.model_fields.items():
        default = OF_THE_MACHINE.get(name) or (f"`{field.default}`" if field.default not in ("", None) else "")
        yield f"| `PLUMBLINE_{name.upper()}` | {_cell(default)} | {_cell(said.get(name, ''))} |"
    yield ""


def attribute_docstrings(kind: type) -> dict[str, str]:
    """The text that stands under each attribute of a class."""
    [tree] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for line, following in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            found[line.target.id] = inspect.cleandoc(str(following.value.value))
    return found


def _evidence() -> Iterator[str]:
    from automl.evidence import Evidence, NotMeasured

    yield "## evidence.json\n"
    yield (f"{Evidence.__doc__} Its JSON Schema is at `/api/v1/schemas/evidence.json`. Where a section, or any part of one, could not be measured, a `NotMeasured` with its "
           "`reason` stands in its place. Numbers with uncertainty are an `Estimate`: `value`, `low`, `high`, `n`, `method`.\n")
    said = attribute_docstrings(Evidence)
    for name, field in Evidence.model_fields.items():
        members = get_args(field.annotation) or (field.annotation,)
        kinds = [kind for kind in members if isinstance(kind, type) and kind is not NotMeasured and hasattr(kind, "model_fields")]
        words = FURTHER.get(name) or said.get(name) or " ".join(filter(None, (_own_words(kind) for kind in kinds)))
        yield f"### `{name}`\n\n{words}\n" if words else f"### `{name}`\n"
        for kind in kinds:
            yield f"`{kind.__name__}`: {', '.join(f'`{field}`' for field in kind.model_fields)}.\n"


def _own_words(kind: type) -> str:
    """Its docstring, or that of the file that is about it alone."""
    module = inspect.getmodule(kind)
    of_file = "" if module is None or module.__name__.endswith((".document", ".spec")) else module.__doc__
    return " ".join((vars(kind).get("__doc__") or of_file or "").split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "auditapp.settings")
    django.setup()
    PAGE.write_text(page())
