from __future__ import annotations

from tests.benchmarks.tamper_study import container_of, flips, study


def test_places_are_different_and_the_same_for_a_seed() -> None:
    once = list(flips(range(1_000), 200, 1))
    assert once == list(flips(range(1_000), 200, 1)) != list(flips(range(1_000), 200, 2))
    assert len({place for place, _ in once}) == 200
    assert {bit for _, bit in once} == set(range(8))


def test_a_judge_is_counted_by_what_it_notices_and_one_bit_differs() -> None:
    signed = bytes(range(256))
    seen: list[int] = []

    def even(data: bytes) -> bool:
        seen.append(sum((a ^ b).bit_count() for a, b in zip(data, signed, strict=True)))
        return next(at for at in range(256) if data[at] != signed[at]) % 2 == 0

    assert study(signed, [(0, 0), (1, 7), (4, 3)], {"even": even, "never": lambda data: False}) == {"even": 2, "never": 0}
    assert seen == [1, 1, 1]


def test_the_container_is_found_with_its_brackets() -> None:
    begin, end = container_of(b"x /Contents <00> y /Contents <ABCD0000> z")
    assert b"x /Contents <00> y /Contents <ABCD0000> z"[begin:end] == b"<ABCD0000>"
