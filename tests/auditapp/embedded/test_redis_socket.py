from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditapp.embedded.redis_socket import LONGEST_SOCKET_PATH, redis_socket


def test_the_socket_lies_in_the_home() -> None:
    assert redis_socket(Path("/srv/plumbline")) == Path("/srv/plumbline/redis/redis.sock")


@pytest.mark.parametrize("home", ["/srv/" + "deep/" * 30, "/srv/" + "ü" * 60, "/srv/my data", "/srv/50%"])
def test_a_home_that_no_socket_or_url_can_name_gets_a_short_one_of_its_own(home: str) -> None:
    path = redis_socket(Path(home))
    assert len(os.fsencode(path)) <= LONGEST_SOCKET_PATH
    assert str(os.getuid()) in path.parent.name
    assert path == redis_socket(Path(home))
    assert path != redis_socket(Path(home + "x"))


def test_the_longest_path_that_fits_is_used() -> None:
    home = Path("/" + "a" * (LONGEST_SOCKET_PATH - len("/redis/redis.sock") - 1))
    assert redis_socket(home) == home / "redis" / "redis.sock"
    assert redis_socket(Path(f"{home}a")) != home.with_name(home.name + "a") / "redis" / "redis.sock"
