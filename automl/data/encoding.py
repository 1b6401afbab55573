"""From a frame of features to the numbers that models learn from. Every encoder is fitted on training rows only.

An encoder takes the frame of `automl.data.features.FeatureSchema` (float64 columns for numbers and dates, text or NaN for categories and free texts)
and gives a float64 matrix; ``sources`` says for each column of the matrix which column of the frame it was made from, so that
attributions can be given back to the columns a person knows. Encoders are stored as JSON; the names in it are data and are never executed
or used as paths.

- `CodeEncoder`   one column per column: numbers as they are (NaN kept), categories as codes 0..m-1, m for a level never seen, NaN for missing; free texts
                  as the several numbers of their `automl.data.texts.TextEncoder`, which the other two take for numbers
- `TreeEncoder`   for boosted trees: numbers as they are, dates with the parts of the calendar, categories in one of three ways (`CategoryEncoding`), and target means of two columns
                  taken together where that is asked for (`automl.data.pairs`). No categorical splits: exact interventional SHAP is defined over plain thresholds.
- `LinearEncoder` for linear models: numbers robustly scaled and softly clipped with a missing indicator, on request in bins, dates with the parts of
                  the calendar, categories as indicator columns
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.bins import quantile_edges
from automl.data.dates import calendar_part, on_a_circle, parts_that_vary
from automl.data.pairs import Pair
from automl.data.target_means import Kind, Matrix, Vector, frequency_ranks, look_up, target_means
from automl.data.texts import TextEncoder

INDICATOR_LEVELS = 30
"""At most so many levels of a category get an indicator column of their own, the most frequent first."""
CategoryEncoding = Literal["target", "one_hot", "ordinal"]
"""Of a category with more than two levels: indicator columns of its frequent levels and target means (`automl.data.target_means`); those indicator columns, and beside them its frequency rank where
it has more levels; its frequency rank alone. No way is the best of every table, and trees that read different ways err differently."""
RARE = 10
"""A level with fewer training rows gets no indicator column for linear models: its weight would be noise."""


def _digest(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class CodeEncoder:
    """Codes of the levels that training rows have, in order of falling frequency (ties by text)."""

    names: tuple[str, ...]
    """Per column of the matrix: the column of the frame that it is made from, which of a text is the same for several in a row."""
    levels: tuple[tuple[str, ...] | None, ...]
    """Per column of the matrix: its levels, or None for a number."""
    texts: tuple[TextEncoder, ...] = ()

    @classmethod
    def fit(cls, frame: pd.DataFrame, texts: Sequence[TextEncoder] = ()) -> Self:
        """``texts``: what was fitted to the free texts of the frame, which may stand in it as the numbers that they become (`texts.in_numbers`)."""
        width = {text.name: text.width for text in texts}
        names: list[str] = []
        levels: list[tuple[str, ...] | None] = []
        for name in dict.fromkeys(map(str, frame.columns)):
            numeric = name in width or is_number(frame[name])
            names += [name] * width.get(name, 1)
            levels += [None if numeric else _levels(frame[name])] * width.get(name, 1)
        return cls(tuple(names), tuple(levels), tuple(texts))

    @property
    def sources(self) -> NDArray[np.int64]:
        return np.arange(len(self.names))

    def transform(self, frame: pd.DataFrame) -> Matrix:
        """(rows, columns) float64; a column that ``frame`` lacks is missing in every row."""
        codes = np.full((len(frame), len(self.names)), np.nan, order="F")
        of_texts = {text.name for text in self.texts}
        for position, (name, lookup) in enumerate(zip(self.names, self._lookups, strict=True)):
            if name in frame.columns and name not in of_texts:
                codes[:, position] = _numbers(frame[name]) if lookup is None else _codes(frame[name], lookup)
        for text in self.texts:
            if text.name in frame.columns:
                first = self.names.index(text.name)
                codes[:, first:first + text.width] = _told(frame[text.name], text)
        return codes

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the frame, each once."""
        return tuple(dict.fromkeys(self.names))

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Per column of the matrix: which of ``columns`` it is made from."""
        place = {name: at for at, name in enumerate(self.columns)}
        return tuple(place[name] for name in self.names)

    @cached_property
    def repeats(self) -> tuple[bool, ...]:
        """Per column of the matrix: whether it is a further one of a text. That the cell is missing is said by the first."""
        return tuple(at > 0 and name == self.names[at - 1] for at, name in enumerate(self.names))

    @cached_property
    def key(self) -> str:
        """A digest: two encoders of one key do the same."""
        return _digest(self.as_json())

    @cached_property
    def _lookups(self) -> tuple[dict[str, int] | None, ...]:
        return tuple(None if levels is None else {level: code for code, level in enumerate(levels)} for levels in self.levels)

    def unseen(self, frame: pd.DataFrame) -> dict[str, int]:
        """Column to the number of its rows whose level no training row had; only columns where there are any."""
        matrix = self.transform(frame)
        counts = {
            name: int((matrix[:, position] == len(levels)).sum())
            for position, (name, levels) in enumerate(zip(self.names, self.levels, strict=True)) if levels is not None
        }
        return {name: n for name, n in counts.items() if n}

    def as_json(self) -> dict[str, Any]:
        return {"names": list(self.names), "levels": [None if levels is None else list(levels) for levels in self.levels], "texts": [text.as_json() for text in self.texts]}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        levels = tuple(None if levels is None else tuple(levels) for levels in document["levels"])
        return cls(tuple(document["names"]), levels, tuple(TextEncoder.from_json(text) for text in document.get("texts", [])))


def as_categories(frame: pd.DataFrame, texts: Collection[str] = ()) -> pd.DataFrame:
    """The same frame with its categories as pandas categories: each level is then looked up once per encoder instead of once per row. Not the columns
    ``texts``, of which nearly every row holds another."""
    return pd.DataFrame(
        {name: frame[name] if name in texts or is_number(frame[name]) else frame[name].astype("category") for name in frame.columns}, index=frame.index)


def is_number(column: pd.Series[Any]) -> bool:
    """Whether a feature column holds numbers; the others hold categories."""
    return bool(pd.api.types.is_numeric_dtype(column.dtype))


def _told(column: Any, text: TextEncoder) -> Matrix:
    """What ``text`` makes of its column, which may hold it already; a column of nothing but NaN is no text and missing in every row."""
    if isinstance(column, pd.DataFrame):
        return np.asarray(column.to_numpy(dtype=np.float64))
    if is_number(column):
        return np.where(text.width == 1, column.to_numpy(dtype=np.float64), np.nan)[:, None]
    return text.transform(column).astype(np.float64)


def _levels(column: pd.Series[Any]) -> tuple[str, ...]:
    counts = {str(level): int(n) for level, n in column.value_counts().items() if n}
    return tuple(sorted(counts, key=lambda level: (-counts[level], level)))


def _numbers(column: pd.Series[Any]) -> Matrix:
    numbers: Matrix = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _codes(column: pd.Series[Any], lookup: dict[str, int]) -> Matrix:
    known = column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")
    never_seen = len(lookup)
    # the last entry is where pandas' code -1, a missing cell, lands; an index of pandas would take ten times as long for the few levels that are usual
    codes = np.array([*(lookup.get(level, never_seen) for level in known.cat.categories), np.nan], dtype=np.float64)
    return np.asarray(codes[known.cat.codes.to_numpy()])


@dataclass(frozen=True)
class OfCodes(ABC):
    """An encoder that begins with the codes of another, stored and known by those and what it does with them."""

    codes: CodeEncoder

    @abstractmethod
    def beyond_codes(self) -> dict[str, Any]:
        """All of it as JSON but ``codes``."""

    def as_json(self) -> dict[str, Any]:
        return {"codes": self.codes.as_json(), **self.beyond_codes()}

    @cached_property
    def key(self) -> str:
        """A digest: two encoders of one kind and key do the same."""
        return _digest([self.codes.key, self.beyond_codes()])


@dataclass(frozen=True)
class TreeEncoder(OfCodes):
    indicators: tuple[int, ...]
    """Per column: how many of its levels, the most frequent ones, have an indicator column (0 for numbers)."""
    means: tuple[Matrix | None, ...]
    """Per column (levels + 1, outputs): the smoothed target means of each level, or its frequency rank; the last row for levels never seen."""
    missing_means: tuple[Matrix | None, ...]
    """Per column (outputs,): the same for missing cells."""
    parts: tuple[tuple[str, ...], ...]
    """Per column: the parts of the calendar that a date has a column for, beside its count of days."""
    pairs: tuple[Pair, ...] = ()
    """Columns taken together, each with one column of the matrix, behind all others."""

    @classmethod
    def fit_transform(
        cls, frame: pd.DataFrame, y: Vector, kind: Kind, seed: int, dates: Collection[str] = (), texts: Sequence[TextEncoder] = (), pairs: Sequence[tuple[int, int]] = (),
        categories: CategoryEncoding = "target",
    ) -> tuple[Self, Matrix]:
        """The encoder, and the training rows' own matrix with cross-fitted target means (no row is encoded by its own target). ``pairs``: columns, by their place, to take together."""
        codes = CodeEncoder.fit(frame, texts)
        plain = codes.transform(frame)
        indicators = tuple(_shown(levels, categories) for levels in codes.levels)
        means: list[Matrix | None] = [None] * len(codes.names)
        missing: list[Matrix | None] = [None] * len(codes.names)
        fitted: list[Matrix | None] = [None] * len(codes.names)
        for position, levels in enumerate(codes.levels):
            if levels is None or len(levels) <= 2 or (categories == "one_hot" and len(levels) <= INDICATOR_LEVELS):
                continue
            means[position], missing[position], fitted[position] = (
                target_means(plain[:, position], len(levels), y, kind, seed) if categories == "target" else frequency_ranks(plain[:, position], len(levels)))
        together = [Pair.fit(first, second, plain, codes.levels, y, kind, seed) for first, second in pairs]
        encoder = cls(codes, indicators, tuple(means), tuple(missing), _parts(codes, plain, dates), tuple(pair for pair, _ in together))
        return encoder, encoder._matrix(plain, fitted, [column for _, column in together])

    @property
    def sources(self) -> NDArray[np.int64]:
        widths = [1 + len(parts) if levels is None else shown + (0 if means is None else means.shape[1])
                  for levels, shown, means, parts in zip(self.codes.levels, self.indicators, self.means, self.parts, strict=True)]
        return np.repeat(np.arange(len(widths)), widths)

    @property
    def width(self) -> int:
        """Columns of the matrix: those with one of ``sources``, then the pairs."""
        return len(self.sources) + len(self.pairs)

    def transform(self, frame: pd.DataFrame) -> Matrix:
        return self.of_codes(self.codes.transform(frame))

    def of_codes(self, plain: Matrix) -> Matrix:
        """The matrix of rows that ``codes`` has encoded."""
        looked_up = [None if means is None else look_up(plain[:, position], means, missing)
                     for position, (means, missing) in enumerate(zip(self.means, self.missing_means, strict=True))]
        return self._matrix(plain, looked_up, [pair.transform(plain) for pair in self.pairs])

    def _matrix(self, plain: Matrix, means: list[Matrix | None], together: list[Matrix]) -> Matrix:
        columns: list[Matrix] = [np.zeros((0, len(plain)))]
        for position, levels in enumerate(self.codes.levels):
            column = plain[:, position]
            if levels is None:
                columns += [column, *(calendar_part(column, part) for part in self.parts[position])]
                continue
            columns.append(_indicators(column, self.indicators[position]))
            mean = means[position]
            if mean is not None:
                columns.append(mean.T)
        # column after column, as trees read them
        return np.vstack([*columns, *together]).T

    def beyond_codes(self) -> dict[str, Any]:
        def lists(arrays: tuple[Matrix | None, ...]) -> list[Any]:
            return [None if array is None else array.tolist() for array in arrays]

        return {
            "indicators": list(self.indicators), "means": lists(self.means), "missing_means": lists(self.missing_means),
            "parts": [list(parts) for parts in self.parts], "pairs": [pair.as_json() for pair in self.pairs],
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        def arrays(lists: list[Any]) -> tuple[Matrix | None, ...]:
            return tuple(None if values is None else np.array(values, dtype=np.float64) for values in lists)

        return cls(
            CodeEncoder.from_json(document["codes"]), tuple(document["indicators"]), arrays(document["means"]), arrays(document["missing_means"]),
            tuple(tuple(parts) for parts in document["parts"]), tuple(Pair.from_json(pair) for pair in document.get("pairs", [])))


def _shown(levels: tuple[str, ...] | None, categories: CategoryEncoding) -> int:
    if levels is None or (categories == "ordinal" and len(levels) > 2):
        return 0
    return 1 if len(levels) == 2 else min(len(levels), INDICATOR_LEVELS)


def _parts(codes: CodeEncoder, plain: Matrix, dates: Collection[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(parts_that_vary(plain[:, position]) if name in dates else () for position, name in enumerate(codes.names))


def _indicators(codes: Matrix, shown: int) -> Matrix:
    """(shown, rows): 1 where the row has the level; NaN throughout a row whose cell is missing, so that trees can send it either way."""
    matrix: Matrix = (codes == np.arange(shown)[:, None]).astype(np.float64)
    matrix[:, np.isnan(codes)] = np.nan
    return matrix


@dataclass(frozen=True)
class LinearEncoder(OfCodes):
    shown: tuple[tuple[int, ...], ...]
    """Per column: codes of the levels with an indicator column; -1 stands for missing. For a number (-1,) where it may be missing."""
    centre: Vector
    scale: Vector
    """Per column; numbers become soft((x - centre) / scale) with soft(z) = z / sqrt(1 + (z/3)^2), bounded by 3 (Holzmueller et al. 2024, RealMLP)."""
    edges: tuple[Vector, ...]
    """Per column the rising edges of a number's bins, of which each then has a column that says how far into it the number reaches, 0 to 1 (piecewise-linear
    encoding, Gorishniy et al. 2022); empty for none."""
    parts: tuple[tuple[str, ...], ...]
    """Per column: the parts of the calendar that a date has two columns for, as a point on a circle."""

    @classmethod
    def fit(cls, frame: pd.DataFrame, bins: int = 0, dates: Collection[str] = (), texts: Sequence[TextEncoder] = ()) -> Self:
        """``bins``: how many for each number, by quantiles; with them a linear model is an additive one of piecewise-linear functions. None for the
        directions of texts, which are many."""
        codes = CodeEncoder.fit(frame, texts)
        of_texts = {text.name for text in texts}
        plain = codes.transform(frame)
        shown: list[tuple[int, ...]] = []
        centre, scale = np.zeros(len(codes.names)), np.ones(len(codes.names))
        for position, levels in enumerate(codes.levels):
            column = plain[:, position]
            if levels is None:
                centre[position], scale[position] = _centre_and_scale(column)
                shown.append((-1,) if np.isnan(column).any() and not codes.repeats[position] else ())
            else:
                shown.append(_frequent(column, len(levels)))
        edges = tuple(_edges(plain[:, position], bins if levels is None and name not in of_texts else 0)
                      for position, (name, levels) in enumerate(zip(codes.names, codes.levels, strict=True)))
        return cls(codes, tuple(shown), centre, scale, edges, _parts(codes, plain, dates))

    @property
    def sources(self) -> NDArray[np.int64]:
        widths = [len(shown) + (levels is None) + max(0, len(edges) - 1) + 2 * len(parts)
                  for shown, levels, edges, parts in zip(self.shown, self.codes.levels, self.edges, self.parts, strict=True)]
        return np.repeat(np.arange(len(widths)), widths)

    def transform(self, frame: pd.DataFrame) -> Matrix:
        """(rows, encoded columns) float64 without NaN: a missing number stands at the training median."""
        return self.of_codes(self.codes.transform(frame))

    def of_codes(self, plain: Matrix) -> Matrix:
        """The matrix of rows that ``codes`` has encoded."""
        columns: list[Matrix] = [np.zeros((len(plain), 0))]
        for position, levels in enumerate(self.codes.levels):
            column = plain[:, position]
            if levels is None:
                columns.append(soft_clip((column - self.centre[position]) / self.scale[position])[:, None])
                if len(edges := self.edges[position]):
                    known = np.where(np.isnan(column), self.centre[position], column)
                    columns.append(np.clip((known[:, None] - edges[:-1]) / np.diff(edges), 0, 1))
                columns += [on_a_circle(column, part) for part in self.parts[position]]
            cells = np.where(np.isnan(column), -1, column if levels is not None else 0)
            columns.append((cells[:, None] == np.array(self.shown[position])[None, :]).astype(np.float64).reshape(len(plain), -1))
        return np.hstack(columns)

    def beyond_codes(self) -> dict[str, Any]:
        return {
            "shown": [list(shown) for shown in self.shown], "centre": self.centre.tolist(), "scale": self.scale.tolist(),
            "edges": [edges.tolist() for edges in self.edges], "parts": [list(parts) for parts in self.parts],
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        shown = tuple(tuple(codes) for codes in document["shown"])
        edges = tuple(np.array(each, dtype=float) for each in document["edges"])
        return cls(CodeEncoder.from_json(document["codes"]), shown, np.array(document["centre"], dtype=float), np.array(document["scale"], dtype=float), edges,
                   tuple(tuple(parts) for parts in document["parts"]))


def soft_clip(z: Matrix) -> Matrix:
    """z / sqrt(1 + (z/3)^2) with NaN as 0: near the identity around 0 and never beyond 3."""
    known = np.where(np.isnan(z), 0.0, z)
    return np.asarray(known / np.sqrt(1 + np.square(known / 3)))


def _centre_and_scale(column: Matrix) -> tuple[float, float]:
    """Median and interquartile range; where that is 0 half the range, where that is 0 too 1."""
    known = column[~np.isnan(column)]
    if not len(known):
        return 0.0, 1.0
    low, middle, high = np.quantile(known, (0.25, 0.5, 0.75))
    spread = high - low if high > low else (known.max() - known.min()) / 2
    return float(middle), float(spread) if spread > 0 else 1.0


def _edges(column: Matrix, bins: int) -> Vector:
    """Empty where no bins are wanted or two values are all there is, of which a scaled number says everything."""
    edges = quantile_edges(column, bins) if bins else np.zeros(0)
    return edges if len(edges) > 2 else np.zeros(0)


def _frequent(codes: Matrix, levels: int) -> tuple[int, ...]:
    cells = np.where(np.isnan(codes), -1, codes).astype(np.int64)
    counts = np.bincount(cells + 1, minlength=levels + 1)
    return tuple(code for code in (-1, *range(min(levels, INDICATOR_LEVELS))) if counts[code + 1] >= min(RARE, max(1, len(codes) // 20)))
