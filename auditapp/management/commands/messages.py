"""python manage.py messages: brings the German catalogues up to date: of the strings of pages and code (compiled for Django), and of the sentences of evidence, charts and reports.

In Python alone, so that neither users nor developers need the gettext tools; a test makes the same files in memory and compares."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.template import Engine
from django.template.base import Node, NodeList
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

from auditapp.languages.catalogues import OF_PAGES, OF_SENTENCES, Catalogue, Message, compiled, read, written
from auditapp.languages.patterns import patterns
from auditapp.settings import BASE_DIR
from auditapp.statements.fields import FIELDS, SECTIONS
from auditapp.templatetags.audit import METRIC_NAMES
from automl import printing
from automl.crosswalk.jurisdictions import JURISDICTIONS

MARKERS = {"gettext", "gettext_lazy", "gettext_noop", "ngettext"}


def messages() -> list[Message]:
    """Every string that pages or code mark, in the order of their files, each once."""
    found = [message for path in sorted((BASE_DIR / "templates").rglob("*.*")) for message in _of_template(path)]
    found += [message for path in sorted((BASE_DIR / "auditapp").rglob("*.py")) for message in _of_code(path)]
    found += [Message(words) for words in _of_data()]
    plural = {message.text for message in found if message.plural is not None}
    return list(dict.fromkeys(message for message in found if message.plural is not None or message.text not in plural))


def _of_template(path: Path) -> Iterator[Message]:
    nodes = Engine.get_default().from_string(path.read_text()).nodelist
    for node in _nodes(nodes):
        if isinstance(node, TranslateNode) and isinstance(node.filter_expression.var.literal, str):
            yield Message(node.filter_expression.var.literal.replace("%", "%%"))  # as Django looks it up
        elif isinstance(node, BlockTranslateNode):
            singular, plural = (node.render_token_list(tokens)[0] for tokens in (node.singular, node.plural or []))
            yield Message(singular, plural if node.plural else None)


def _nodes(nodes: NodeList) -> Iterator[Node]:
    for node in nodes:
        yield from node.get_nodes_by_type(Node)


def _of_code(path: Path) -> Iterator[Message]:
    tree = ast.parse(path.read_text())
    names = {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
             for alias in node.names if alias.name in MARKERS}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            texts = [argument.value for argument in node.args[:2] if isinstance(argument, ast.Constant) and isinstance(argument.value, str)]
            if texts:
                yield Message(*texts)


def _of_data() -> Iterator[str]:
    """Words that the evidence and the report have in English and that pages show in their own language."""
    for words in (printing.LABEL_WORDS, printing.WORDING_WORDS, printing.FAIRNESS_WORDS, printing.GOVERNING_WORDS, printing.PROFILE_WORDS, printing.PART_WORDS, printing.CRITERION_WORDS, SECTIONS):
        yield from words.values()
    yield from (name.replace("_", " ") for name in printing.METRIC_WORDS if name not in METRIC_NAMES)
    yield from (one.title for one in JURISDICTIONS.values())
    for field in FIELDS.values():
        yield from (field.label, field.help, field.who, *(field.choices or {}).values())


def up_to_date(catalogue: Catalogue) -> Catalogue:
    """Today's messages with what was said of them; new ones with empty texts."""
    return {message: catalogue.get(message) or ("",) * (1 if message.plural is None else 2) for message in messages()}


def sentences_up_to_date(catalogue: Catalogue) -> Catalogue:
    """The same of today's sentences. What pages say already stands in their catalogue alone."""
    said_by_pages = set(messages())
    return {message: catalogue.get(message, ("",)) for message in patterns({message.text for message in catalogue}) if message not in said_by_pages}


class Command(BaseCommand):
    help = "Bring the German catalogues up to date with the strings of pages and code and with the sentences of the evidence, and compile the former."

    def handle(self, *args: Any, **options: Any) -> None:
        pages = up_to_date(_there(OF_PAGES))
        sentences = sentences_up_to_date(_there(OF_SENTENCES))
        OF_PAGES.parent.mkdir(parents=True, exist_ok=True)
        OF_PAGES.write_text(written(pages))
        OF_PAGES.with_suffix(".mo").write_bytes(compiled(pages))
        OF_SENTENCES.write_text(written(sentences))
        empty = [message.text for message, texts in (pages | sentences).items() if not all(texts)]
        self.stdout.write(f"{len(pages)} messages, {len(sentences)} sentences, {len(empty)} without a translation")
        for text in empty:
            self.stdout.write(f"  {text}")


def _there(path: Path) -> Catalogue:
    return read(path.read_text()) if path.exists() else {}
