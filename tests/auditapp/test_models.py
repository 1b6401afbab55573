"""Ids: what waits in their order keeps its order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from auditapp.models import new_id


def test_ids_of_one_process_rise_within_a_millisecond_too() -> None:
    ids = [new_id("run") for _ in range(20_000)]
    assert ids == sorted(set(ids))


def test_threads_never_share_an_id() -> None:
    with ThreadPoolExecutor(8) as pool:
        many = list(pool.map(lambda _: [new_id("run") for _ in range(500)], range(16)))
    assert len({one for some in many for one in some}) == 8_000
    assert all(some == sorted(some) for some in many)
