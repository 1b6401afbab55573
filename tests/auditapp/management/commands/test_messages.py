"""The German catalogue: nothing is missing, nothing lost its placeholders, what is compiled is what is written, and no template says anything beside it."""

from __future__ import annotations

import gettext
import html
import re
from collections import Counter
from io import BytesIO

import pytest

from auditapp.languages.catalogues import OF_PAGES as CATALOGUE, OF_SENTENCES, Catalogue, Message, compiled, read, written
from auditapp.management.commands.messages import sentences_up_to_date, up_to_date
from auditapp.settings import BASE_DIR

PLACES = re.compile(r"%\(\w+\)[a-z]|%%|</?\w+[^>]*>")
NEVER = re.compile(r"konform|bestanden|zertifiziert|unvoreingenommen", re.IGNORECASE)
"""Words that this product says of nobody's model, in the German of `test_house`."""
NAMED_BY_LAWS = ("Konformitätserklärung",)
"""What a law calls a document that it asks for."""

ENGLISH_FILES = {"exports/law_summary.html": "a document of its own, in the language of the evidence"}
NAMES = {"Plumbline", "UTC", "SHA-256", "AUC", "SHAP", "n", "p", "PDF", "HTML", "Markdown", "Python", "evidence.json", "openapi.json"}
"""The same in every language: names, signs, formats, files."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read(CATALOGUE.read_text())


def test_every_message_of_pages_and_code_has_a_translation(catalogue: Catalogue) -> None:
    assert list(up_to_date(catalogue)) == list(catalogue), "run python manage.py messages and translate what it names"
    assert [message.text for message, texts in catalogue.items() if not all(texts)] == []
    assert len(catalogue) > 1_000


def test_every_sentence_of_evidence_charts_and_reports_has_a_translation() -> None:
    sentences = read(OF_SENTENCES.read_text())
    assert list(sentences_up_to_date(sentences)) == list(sentences), "run python manage.py messages and translate what it names"
    assert [message.text for message, texts in sentences.items() if not all(texts)] == []
    assert written(sentences) == OF_SENTENCES.read_text()
    assert [text for texts in sentences.values() for text in texts if NEVER.search(_without_names(text))] == []


def test_a_translation_keeps_placeholders_markup_and_the_space_at_its_ends(catalogue: Catalogue) -> None:
    def skeleton(text: str) -> tuple[object, ...]:
        return Counter(PLACES.findall(text)), text[:1].isspace(), text[-1:].isspace()

    wrong = [text for message, texts in catalogue.items() for original, text in zip((message.text, message.plural), texts, strict=False) if skeleton(str(original)) != skeleton(text)]
    assert wrong == []
    assert [text for texts in catalogue.values() for text in texts if NEVER.search(_without_names(text))] == []


def test_the_compiled_catalogue_is_that_of_the_written_one(catalogue: Catalogue) -> None:
    assert written(catalogue) == CATALOGUE.read_text()
    data = CATALOGUE.with_suffix(".mo").read_bytes()
    assert data == compiled(catalogue), "run python manage.py messages"
    german = gettext.GNUTranslations(BytesIO(data))
    assert german.gettext("Help") == "Hilfe"
    assert [german.ngettext("%(n)s note", "%(n)s notes", n) for n in (1, 2)] == ["%(n)s Hinweis", "%(n)s Hinweise"]


def test_what_is_not_translated_is_not_compiled() -> None:
    data = compiled({Message("Help"): ("",), Message("Runs"): ("Läufe",)})
    german = gettext.GNUTranslations(BytesIO(data))
    assert (german.gettext("Help"), german.gettext("Runs")) == ("Help", "Läufe")


def said_outside(source: str) -> list[str]:
    """Words of a template that stand in no tag for translation: text, and attributes that are read out."""
    source = re.sub(r"\{#.*?#\}|\{%\s*(comment|blocktranslate)\b.*?%\}.*?\{%\s*end\1\s*%\}", " ", source, flags=re.DOTALL)
    source = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", source, flags=re.DOTALL)
    source = re.sub(r"<(script|style|code|pre)\b.*?</\1>", " ", source, flags=re.DOTALL)
    attributes = re.findall(r'\b(?:aria-label|alt|title|placeholder|data-copied|data-busy|data-too-large)="([^"]*)"', source)
    texts = re.split(r"<[^>]*>", source)
    return [words for text in texts + attributes for words in re.findall(r"[^\W\d_][\w.+/-]*(?: [\w.+/-]+)*", html.unescape(text)) if words not in NAMES]


def test_no_template_says_anything_outside_the_catalogue() -> None:
    assert said_outside('<p title="Hello">{% translate "a" %} Good day</p>') == ["Good day", "Hello"]
    folder = BASE_DIR / "templates"
    found = {str(path.relative_to(folder)): said_outside(path.read_text()) for path in sorted(folder.rglob("*.html"))}
    assert {name: words for name, words in found.items() if words and name not in ENGLISH_FILES} == {}


def _without_names(text: str) -> str:
    for name in NAMED_BY_LAWS:
        text = text.replace(name, "")
    return text
