"""Text of strangers, for labels and terminals. Apart from the printing of numbers, which knows the evidence's types."""

from __future__ import annotations


def visible(text: str, limit: int | None = None) -> str:
    """``text`` for a label: characters that control layout are written as their code points, and more than ``limit`` characters are cut with an ellipsis."""
    shown = "".join(character if character.isprintable() else f"[U+{ord(character):04X}]" for character in text)
    return shown if limit is None or len(shown) <= limit else shown[:limit - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
