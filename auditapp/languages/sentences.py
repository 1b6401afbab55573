"""A sentence of the evidence in German: recognised by the pattern that the code made it from, and written by what the catalogue says for that pattern.

The evidence stays English, digested and signed; this reads it. A sentence is given in German as a whole or not at all: whatever is not recognised, down to the last word, stays as it was written.
In a translation ``{0}`` is the value in German (numbers in German writing, words as the catalogue has them), ``{=0}`` the value as it stands: a name from the data is never translated.
``{?0}`` is a value of several words that may be either, ``{#0}`` a number or a name, ``{~0}`` the conditions of a slice, ``{!0}`` a text that the catalogue has as it is, ``{%0}`` numbers and nothing else, ``{;0}`` one text and not a list. A translation that is ``=`` says that no reader sees the text.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from auditapp.languages.catalogues import OF_PAGES, OF_SENTENCES, read

QUOTE, UNQUOTE, CONDITIONS = "\ue000", "\ue001", "\ue002"
"""Around what a report quotes from the data, while it is put into German; CONDITIONS first, where it is what defines a slice. No text of the data has them: `visible` writes them as code points."""
FIRST_QUOTE = 0xF0000
"""The character that stands for the first quotation while a text is read, and for nothing in texts."""
MOST_TRIES = 20_000
"""Of one text: a name from the data that is made to look like many sentences at once must not keep us."""
MOST_KNOWN = 30_000
LONGEST = 6_000
LONGEST_LEFT_OUT = 5
"""Letters of a value that a translation leaves out: an "is" or "are"."""
FEWEST_LETTERS = 5
_PLACE = re.compile(r"\{([=?~#!%;]?)(\d+)\}")
_IN_QUOTES = re.compile(r"'[^']*'")
"""As refusals write a name."""
NO_TEXT = "="
CUT = "…"
_QUOTED = re.compile(f"{QUOTE}([^{QUOTE}{UNQUOTE}]*){UNQUOTE}")
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?:e[−+-]?\d+)?(?![\w]|[.,]\d)")
_COMMA_FOR_POINT = str.maketrans(",.", ".,")
_FIGURE_WORDS = {"to": "bis", "pp": "%-Punkte", "of": "von", "and": "und", "sd": "SD", "n": "n", "or": "oder", "Fisher": "Fisher", "mid-p": "mid-p", "Holm": "Holm", "chi-squared": "Chi-Quadrat", "ms": "ms"}
_STRONG, _WEAK = (re.compile(r"(?<=[.!?]) |\n"), re.compile(r"; ")), (re.compile(r": |(?<=\)), "), re.compile(r", and |, | \(|(?<=\)) | and | of | = | · | – | / "))
"""Where texts are put together."""
_CONDITIONS = {"missing": "fehlend", "unknown": "unbekannt", "above": "über", "after": "nach dem", "at most": "höchstens", "up to": "bis zum"}
_TIED = {" and ": " und ", ", and ": " und ", " of ": " von "}


@dataclass(frozen=True)
class Pattern:
    """``parts``: literal texts, and the numbers of the places between them."""

    parts: tuple[str | int, ...]
    german: str
    kinds: Mapping[int, str]

    @functools.cached_property
    def literals(self) -> int:
        return sum(letter.isalnum() for part in self.parts if isinstance(part, str) for letter in part)

    def may_have_made(self, text: str) -> bool:
        """Whether its literal texts stand in ``text`` in their order: cheap, and true of few."""
        at = 0
        for place, part in enumerate(self.parts):
            if isinstance(part, str):
                at = text.find(part, at)
                if at < 0 or (place == 0 and at):
                    return False
                at += len(part)
        last = self.parts[-1]
        return isinstance(last, int) or text.endswith(last)

    @functools.cached_property
    def of_quotes(self) -> Pattern:
        """The same where only what is marked as a quotation is a name."""
        return Pattern(self.parts, self.german, {place: "=!" if kind == "=" else kind for place, kind in self.kinds.items()})

    @functools.cached_property
    def alone(self) -> bool:
        """Whether it can be told from a sentence that is not ours: not with a few letters round names, which then stand within another pattern only."""
        return self.literals >= FEWEST_LETTERS or not any(self.kinds.values()) or "!" in self.kinds.values()


@dataclass
class _Reading:
    """How far one text has been tried."""

    begun: set[tuple[str, bool]] = field(default_factory=set)
    tries: int = 0


_known: dict[tuple[str, bool], str | None] = {}
"""What has been read, whole and in parts: reports repeat themselves."""


def numbers(text: str) -> str:
    """Numbers as `automl.printing` writes them ("12,240", "0.927"), in German writing ("12.240", "0,927"). Versions, dates and digests are none."""
    return _NUMBER.sub(lambda number: number[0].translate(_COMMA_FOR_POINT), text)


def in_german(text: str) -> str | None:
    """``text`` in German; None where not all of it is recognised. What stands between QUOTE and UNQUOTE is left as it is, without the marks."""
    quotes: list[str] = []

    def taken_out(quote: re.Match[str]) -> str:
        quotes.append(conditions_in_german(quote[1][1:]) if quote[1].startswith(CONDITIONS) else quote[1])
        return chr(FIRST_QUOTE + len(quotes) - 1)

    plain = _QUOTED.sub(taken_out, text)
    if len(plain) > LONGEST:
        return None
    german = _read(plain)
    if german is None and plain[:1].isupper():  # a refusal, with which a page begins a sentence
        german = _read(plain[0].lower() + plain[1:])
        german = german and german[0].upper() + german[1:]
    if german is None:
        return None
    return "".join(quotes[ord(character) - FIRST_QUOTE] if ord(character) >= FIRST_QUOTE else character for character in german)


def said_in(text: str, lang: str) -> str:
    """``text`` in ``lang`` ("en", "de"), without marks; as it is where it cannot be read."""
    german = in_german(text) if lang == "de" else None
    return unmarked(text) if german is None else german


def conditions_in_german(text: str) -> str:
    """The conditions that define a slice, "sex is Female, and age above 30 and at most 40": the names and values as they are."""
    german = re.sub(r" is (not )?(missing|unknown)(?=$|,? and )", lambda found: f" ist {'nicht ' if found[1] else ''}{_CONDITIONS[found[2]]}", text)
    german = re.sub(r" is (not )?(?=\S)", lambda found: " ist nicht " if found[1] else " ist ", german)
    german = re.sub(r" (above|after|at most|up to) ([\d,.\-−]+)", lambda found: f" {_CONDITIONS[found[1]]} {numbers(found[2])}", german)
    german = re.sub(r",? and (?=höchstens|bis zum|\S[^,]*? (?:ist|über|nach dem|höchstens|bis zum) )", " und ", german)
    return re.sub(r" or (missing|unknown)(?=$|,? and )", lambda found: f" oder {_CONDITIONS[found[1]]}", german)


def unmarked(text: str) -> str:
    """``text`` without the marks around its quotes."""
    return text.replace(QUOTE, "").replace(UNQUOTE, "").replace(CONDITIONS, "")


def _read(text: str) -> str | None:
    return _whole(text, _Reading())


def _whole(text: str, reading: _Reading, *, within: bool = False) -> str | None:
    """``within``: it is a value within a sentence that was recognised."""
    key = (text, within)
    if key in _known:
        return _known[key]
    if key not in reading.begun:
        reading.begun.add(key)  # while it is read, and where it reads itself
        reading.tries += 1
        german = _found(text, reading, within) if reading.tries <= MOST_TRIES else None
        if reading.tries > MOST_TRIES:
            return german
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[key] = german
    return _known.get(key)


def _found(text: str, reading: _Reading, within: bool) -> str | None:
    if not text.strip() or _IN_QUOTES.fullmatch(text):
        return text
    exact = _exactly(text)
    if exact is not None:
        return exact
    figures = _figures(text)
    if figures is not None:
        return figures
    candidates = list(catalogue().candidates(text))
    if text[0] == " " and not any(pattern.alone for pattern in candidates):
        rest = _whole(text[1:], reading, within=within)
        return None if rest is None else f" {rest}"
    surely = (german for pattern in candidates if pattern.alone and (german := _by(pattern, text, reading)) is not None)
    perhaps = (german for pattern in candidates if not pattern.alone and (german := _by(pattern if within else pattern.of_quotes, text, reading)) is not None)
    return next(surely, None) or _cut_in_two(text, reading, _STRONG, within) or next(perhaps, None) or _cut_in_two(text, reading, _WEAK, within) or _ended(text, reading, within)


def _exactly(text: str) -> str | None:
    """A text of the catalogue, also where a caller began it with a capital letter or a small one, or cut it."""
    exact, other = catalogue().exact, text[0].swapcase() + text[1:]
    german = exact.get(text) or exact.get(other)
    if german is None and text.endswith(CUT):
        whole = next((english for english in exact if english.startswith((text[:-1], other[:-1]))), None)
        german = None if whole is None else exact[whole][:len(text) - 1].rstrip() + CUT
    return german if german is None or text in exact or not text[0].isupper() else german[0].upper() + german[1:]


def _figures(text: str) -> str | None:
    """Numbers, signs and abbreviations, without a word of a language."""
    said = []
    for token in re.split(r"(\s+|[()\[\],;:%](?!\d))", text):
        if token in _FIGURE_WORDS:
            said.append(_FIGURE_WORDS[token])
        elif re.search(r"[A-Za-z][a-z]", token):
            return None
        else:
            said.append(token)
    return numbers("".join(said))


def _by(pattern: Pattern, text: str, reading: _Reading) -> str | None:
    values = next(_values(pattern, 0, text, 0, reading), None)
    return None if values is None else _PLACE.sub(lambda place: values.get(int(place[2]), ""), pattern.german)


def _value(text: str, kind: str, reading: _Reading) -> str | None:
    if kind == "=":
        return text if _may_be_name(text) else None
    if kind == "-":
        return text if len(text) <= LONGEST_LEFT_OUT and text.isalpha() else None
    if kind == "~":
        return conditions_in_german(text)
    if kind == "=!":
        return text if text and ord(text[0]) >= FIRST_QUOTE and len(text) == 1 else None
    if kind == "!":
        return _exactly(text) if text else text
    if kind == ";" and ("; " in text or text[-1:] in (";", ".")):
        return None
    if kind == "%":
        return _figures(text)
    if kind == "#":
        return _figures(text) or text
    german = None if kind == "?" and (" " not in text or _figures(text)) else _whole(text, reading, within=True)
    return _name_and_more(text, reading) if german is None and kind == "?" and _may_be_name(text) else german


def _may_be_name(text: str) -> bool:
    """Not two texts, nor the half of one: a name from the data may hold what it likes, but then the sentence stays English."""
    depths = list(itertools.accumulate((character == "(") - (character == ")") for character in text))
    return "; " not in text and ". " not in text and text[-1:] not in (";", ",") and min(depths, default=0) >= 0 and (not depths or depths[-1] == 0)


def _name_and_more(text: str, reading: _Reading) -> str:
    """A name from the data, with or without words of ours behind it."""
    for pattern in catalogue().endings:
        start = text.find(str(pattern.parts[0]), 1)
        if start > 0 and (rest := _by(pattern, text[start:], reading)) is not None:
            return text[:start] + rest
    return text.replace("' and '", "' und '")


def _values(pattern: Pattern, at: int, text: str, start: int, reading: _Reading) -> Iterator[dict[int, str]]:
    """Every way in which ``text`` from ``start`` on can have been made from the pattern's parts from ``at`` on: its values, in German."""
    reading.tries += 1
    if reading.tries > MOST_TRIES:
        return
    if at == len(pattern.parts):
        if start == len(text):
            yield {}
        return
    part = pattern.parts[at]
    if isinstance(part, str):
        if text.startswith(part, start):
            yield from _values(pattern, at + 1, text, start + len(part), reading)
        return
    kind = pattern.kinds[part]
    for end in _ends(pattern.parts, at, text, start, named=kind not in ("", "!")):
        value = _value(text[start:end], kind, reading)
        if value is not None:
            for rest in _values(pattern, at + 1, text, end, reading):
                yield {part: value, **rest}


def _ends(parts: tuple[str | int, ...], at: int, text: str, start: int, *, named: bool) -> Iterator[int]:
    """Where the place may end, as soon as may be; only a value of ours may be empty."""
    if at + 1 == len(parts):
        return iter((len(text),))
    after = parts[at + 1]
    if isinstance(after, int):
        ends = [end for end in range(start + 1, len(text) + 1) if end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum())]
        if not named:
            return iter([*ends, start])
        # "race x sex" is one name: what a sentence adds to a name does not begin with a word of its own, but for what follows where it adds nothing
        then = parts[at + 2] if at + 2 < len(parts) else ""
        follows = (" and ", " of ", *([then] if isinstance(then, str) and then else []))
        return iter([end for end in ends if not text[end:].lstrip(" ")[:1].isalnum() or text.startswith(follows, end)])
    return (start + found.start() for found in re.finditer(f"(?={re.escape(after)})", text[start:]))


def _cut_in_two(text: str, reading: _Reading, boundaries: Iterable[re.Pattern[str]], within: bool) -> str | None:
    """Two texts that were put together, the first as short as may be."""
    for boundary in (found for each in boundaries for found in each.finditer(text) if found.start()):
        between = _TIED.get(boundary[0], boundary[0])
        first = _whole(text[:boundary.start()], reading, within=within)
        if first is None:
            first, between = catalogue().exact.get(text[:boundary.end()]), ""
        if first is not None and (rest := _whole(text[boundary.end():], reading, within=within)) is not None:
            return first + between + rest
    return None


def _ended(text: str, reading: _Reading, within: bool) -> str | None:
    """A text with a stop put behind it, or one of our endings."""
    if text[-1] in ".,;:)" and len(text) > 1 and (first := _whole(text[:-1], reading, within=within)) is not None:
        return first + text[-1]
    for pattern in catalogue().endings:
        for found in re.finditer(re.escape(str(pattern.parts[0])), text):
            start = found.start()
            if start and (first := _whole(text[:start], reading, within=within)) is not None and (rest := _by(pattern, text[start:], reading)) is not None:
                return first + rest
    return None


class Sentences:
    """The catalogues as they are read: texts by what they are in German, and patterns by what they begin with."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.exact: dict[str, str] = {}
        self.endings: list[Pattern] = []
        self._patterns: dict[str, list[tuple[str, Pattern]]] = {}
        for english, german in texts.items():
            if german == NO_TEXT:
                continue
            pattern = _pattern(english, german)
            if all(isinstance(part, str) for part in pattern.parts):
                self.exact[english] = german
            else:
                self._patterns.setdefault(pattern.parts[0][:1] if isinstance(pattern.parts[0], str) else "", []).append((max((part for part in pattern.parts if isinstance(part, str)), key=len), pattern))
            if isinstance(pattern.parts[0], str) and pattern.parts[0][:1] in " ,;:" and pattern.alone:
                self.endings.append(pattern)
        for patterns in self._patterns.values():
            patterns.sort(key=lambda pair: -pair[1].literals)

    def candidates(self, text: str) -> Iterator[Pattern]:
        """Patterns that ``text`` may have been made from, those with most words of their own first."""
        return heapq.merge(*([one for longest, one in self._patterns.get(beginning, ()) if longest in text and one.may_have_made(text)] for beginning in (text[:1], "")), key=lambda one: -one.literals)


def _pattern(english: str, german: str) -> Pattern:
    parts = tuple(int(part) if at % 2 else part for at, part in enumerate(re.split(r"\{(\d+)\}", english)))
    kinds = {int(place): "-" for place in re.findall(r"\{(\d+)\}", english)} | {int(place): kind for kind, place in _PLACE.findall(german)}
    return Pattern(tuple(part for part in parts if part != ""), german, kinds)


@functools.cache
def catalogue() -> Sentences:
    """Our sentences, and the words that pages have already; of the latter those without values."""
    pages = {message.text: texts[0] for message, texts in read(OF_PAGES.read_text()).items() if message.plural is None and "%" not in message.text}
    sentences = {message.text: texts[0] for message, texts in read(OF_SENTENCES.read_text()).items()} if OF_SENTENCES.exists() else {}
    return Sentences({english: german for english, german in (pages | sentences).items() if german})
