"""A house of real processes, once on SQLite and once on PostgreSQL, kept for all stories of a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import running_chromium
from tests.conftest import RedisServer, new_database, running_redis
from tests.flow.house import REST, RUNS, House
from tests.flow.site import Site, running_site


@pytest.fixture(scope="module")
def module_redis() -> Iterator[RedisServer]:
    yield from running_redis()


@pytest.fixture(scope="module")
def site(module_redis: RedisServer) -> Iterator[Site]:
    with running_site(module_redis) as site:
        yield site


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """None is the home's own SQLite."""
    if request.param == "sqlite":
        yield None
        return
    yield from new_database(request.getfixturevalue("postgres_server"))


@pytest.fixture(scope="module")
def house(module_redis: RedisServer, database_url: str | None) -> Iterator[House]:
    """Both workers run; a story that kills one starts another."""
    house = House(module_redis, database_url, settings={"RUN_MEMORY": str(400 * 2**20), "RUN_SECONDS": "60"})
    house.start_worker(REST)
    house.start_worker(RUNS)
    yield house
    house.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_database_url(request: pytest.FixtureRequest) -> str | None:
    """As `database_url`, for one test only."""
    return None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
