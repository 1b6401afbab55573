"""Free text as a few numbers a row: hashed n-grams, weighed by how rare they are (TF-IDF), and their main directions (latent semantic analysis,
Deerwester et al. 1990).

Words (of Chinese, Japanese, Korean and Thai, which write none apart, and of texts of one word or two: characters) and their neighbours are hashed, so
that a model's file holds no word that a person wrote, and no vocabulary can grow beyond its bound. The most frequent hashes of the training rows are
kept with their inverse document frequencies and projected on the directions of a truncated SVD. Everything is learned from training rows only.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

Unit = Literal["word", "character"]
Matrix = NDArray[np.float32]

LONGEST = 5_000
"""Characters of one cell that are read; what a text says is said by then, and a cell of a megabyte costs no more than others."""
TERMS = 4_096
"""At most so many n-grams are kept, the most frequent first; each must stand in two training rows."""
DIRECTIONS, DIRECTIONS_OF_ALL = 32, 256
"""Columns that one text becomes beside its length, and all texts of a table together."""
FIT_ROWS, FIT_CHARACTERS = 20_000, 20_000_000
"""N-grams and directions are learned from a seeded sample of the training rows above this."""
_HASHES = 1 << 20
_PLAIN: dict[str, Any] = {"n_features": _HASHES, "alternate_sign": False, "norm": None, "dtype": np.float32}
_COUNTERS: dict[Unit, HashingVectorizer] = {
    # a word, or a sign that is none: a thumb tells as much as a word does
    "word": HashingVectorizer(ngram_range=(1, 2), token_pattern=r"\w+|[\u2600-\u27bf\U0001f000-\U0001faff]", **_PLAIN),  # noqa: S106 - no password
    "character": HashingVectorizer(analyzer="char", ngram_range=(1, 3), **_PLAIN),
}
_BLOCK, _BLOCK_ROWS = 1_000_000, 20_000
"""Characters and rows at a time: bounds the memory of the n-grams."""
_KEPT_BLOCKS = 12
_NO_SPACES = r"[\x{0E00}-\x{0E7F}\x{3040}-\x{30FF}\x{3400}-\x{9FFF}\x{AC00}-\x{D7AF}\x{F900}-\x{FAFF}]"


@dataclass(frozen=True, eq=False)
class TextEncoder:
    """One column of texts. ``width`` columns come of it: log(1 + characters), then one a direction; NaN throughout where the cell is missing."""

    name: str
    unit: Unit = "word"
    hashes: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32), repr=False)
    """(terms,) the kept n-grams, rising."""
    rarity: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32), repr=False)
    """(terms,) inverse document frequency, ln((1 + rows) / (1 + rows that have it)) + 1 as scikit-learn smooths it."""
    directions: NDArray[np.float16] = field(default_factory=lambda: np.zeros((0, 0), np.float16), repr=False)
    """(terms, directions). Half precision, since each fold model carries its own."""

    @classmethod
    def fit(cls, name: str, column: pd.Series[Any], seed: int, directions: int = DIRECTIONS) -> Self:
        """Learns from the cells that are not missing; where no n-gram stands in two of them, the length is all that is told."""
        known = _known(column)[1]
        most = FIT_ROWS if not len(known) else min(FIT_ROWS, int(FIT_CHARACTERS / max(1.0, pc.mean(pc.utf8_length(known)).as_py())))
        if len(known) > most:
            known = known.take(pa.array(np.sort(np.random.default_rng(seed).choice(len(known), most, replace=False))))
        unit = _unit_of(known)
        blocks = [_counted(block, unit) for block in _blocks(known)]
        frequency = np.zeros(_HASHES, dtype=np.int64)
        for block in blocks:
            frequency += np.bincount(block.indices, minlength=_HASHES)
        often = np.flatnonzero(frequency >= 2)
        hashes = np.sort(often[np.lexsort((often, -frequency[often]))][:TERMS]).astype(np.int32)
        rarity = (np.log((1 + len(known)) / (1 + frequency[hashes])) + 1).astype(np.float32)
        if not len(hashes):
            return cls(name, unit)
        weighed = csr_matrix(vstack([_weighed(block, hashes, rarity) for block in blocks]))
        return cls(name, unit, hashes, rarity, _main_directions(weighed, directions, seed))

    @property
    def width(self) -> int:
        return 1 + int(self.directions.shape[1])

    def transform(self, column: pd.Series[Any]) -> Matrix:
        """(rows, width) float32, since every fold keeps its rows in numbers; NaN in every column where the cell is missing."""
        is_known, known = _known(column)
        told = np.zeros((len(known), self.width), dtype=np.float32)
        told[:, 0] = np.log1p(pc.utf8_length(known).to_numpy().astype(np.float64))
        directions, start = self.directions.astype(np.float64), 0
        for block in _blocks(known) if len(self.hashes) else ():
            told[start:start + len(block), 1:] = _weighed(_counted(block, self.unit), self.hashes, self.rarity) @ directions
            start += len(block)
        found = np.full((len(column), self.width), np.nan, dtype=np.float32)
        found[is_known] = told
        return found

    def as_json(self) -> dict[str, Any]:
        arrays = {"hashes": self.hashes.astype("<i4"), "rarity": self.rarity.astype("<f4"), "directions": self.directions.astype("<f2")}
        return {"name": self.name, "unit": self.unit, "width": self.width, **{key: base64.b64encode(array.tobytes()).decode() for key, array in arrays.items()}}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        hashes, rarity, directions = (np.frombuffer(base64.b64decode(document[key]), kind) for key, kind in (("hashes", "<i4"), ("rarity", "<f4"), ("directions", "<f2")))
        return cls(document["name"], document["unit"], hashes, rarity, directions.reshape(len(hashes), document["width"] - 1))


def fit_texts(frame: pd.DataFrame, names: Collection[str], seed: int) -> tuple[TextEncoder, ...]:
    """An encoder for each of the columns ``names``; the more there are, the fewer directions each has."""
    directions = max(2, min(DIRECTIONS, DIRECTIONS_OF_ALL // max(1, len(names))))
    return tuple(TextEncoder.fit(name, frame[name], seed, directions) for name in names)


def numbers_of(frame: pd.DataFrame, texts: Sequence[TextEncoder]) -> dict[str, Matrix]:
    """What each text of ``frame`` becomes, by its column."""
    return {text.name: text.transform(frame[text.name]) for text in texts}


def in_numbers(frame: pd.DataFrame, told: Mapping[str, Matrix]) -> pd.DataFrame:
    """``frame`` with each text replaced by the columns that it becomes (`numbers_of`), all under the name of the text: what encoders take as well as the
    texts themselves, so that a text is read once and not in every trial."""
    if not told:
        return frame
    parts = [pd.DataFrame(told[name], index=frame.index, columns=[name] * told[name].shape[1]) if name in told else frame[[name]] for name in frame.columns]
    return pd.concat(parts, axis=1)


# --- n-grams ----------------------------------------------------------------------------------------------------------------------


def _known(column: pd.Series[Any]) -> tuple[NDArray[np.bool_], pa.LargeStringArray]:
    """Which cells are not missing, and these, cut."""
    is_known = column.notna().to_numpy(dtype=bool)
    texts = pa.array(column[is_known].astype(object).to_numpy(), pa.large_string())
    return is_known, pc.utf8_slice_codeunits(texts, 0, LONGEST)


def _unit_of(texts: pa.LargeStringArray) -> Unit:
    """Characters where words are not written apart, or where there is hardly more than one: such texts are names and codes."""
    sample = texts[:1_000]
    if not len(sample):
        return "word"
    unwritten = pc.sum(pc.count_substring_regex(sample, _NO_SPACES)).as_py()
    words = pc.mean(pc.list_value_length(pc.utf8_split_whitespace(pc.utf8_trim_whitespace(sample)))).as_py()
    return "character" if words < 2 or unwritten > 0.3 * pc.sum(pc.utf8_length(sample)).as_py() else "word"


def _blocks(texts: pa.LargeStringArray) -> list[tuple[str, ...]]:
    total = np.concatenate([[0], np.cumsum(pc.utf8_length(texts).to_numpy().astype(np.int64))])
    found, start = [], 0
    while start < len(texts):
        by_length = int(np.searchsorted(total, total[start] + _BLOCK, side="right")) - 1
        end = min(start + _BLOCK_ROWS, max(start + 1, by_length))
        found.append(tuple(texts[start:end].to_pylist()))
        start = end
    return found


# the fold models of an ensemble ask for the same rows one after the other
@lru_cache(maxsize=_KEPT_BLOCKS)
def _counted(texts: tuple[str, ...], unit: Unit) -> csr_matrix:
    """(texts, hashes): how often each n-gram stands in each text."""
    counted: csr_matrix = _COUNTERS[unit].transform(texts)
    return counted


# --- weights and directions -------------------------------------------------------------------------------------------------------


def _weighed(counted: csr_matrix, hashes: NDArray[np.int32], rarity: NDArray[np.float32]) -> csr_matrix:
    """(rows, terms): (1 + ln times) * rarity of the kept n-grams, each row of length 1."""
    at = np.minimum(np.searchsorted(hashes, counted.indices), len(hashes) - 1)
    kept = hashes[at] == counted.indices
    rows = np.repeat(np.arange(counted.shape[0]), np.diff(counted.indptr))
    values = (1 + np.log(counted.data[kept].astype(np.float64))) * rarity[at[kept]]
    return csr_matrix(normalize(csr_matrix((values, (rows[kept], at[kept])), shape=(counted.shape[0], len(hashes)))))


def _main_directions(weighed: csr_matrix, most: int, seed: int) -> NDArray[np.float16]:
    """(terms, directions): of a truncated SVD; the terms themselves where they are no more than that."""
    rows, terms = weighed.shape
    if terms <= most:
        return np.eye(terms, dtype=np.float16)
    wanted = min(most, rows)
    found = TruncatedSVD(wanted, random_state=seed).fit(weighed).components_.T
    return np.asarray(found.astype(np.float16))
