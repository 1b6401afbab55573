"""Redis for what is no message: counts and signs of life that may be lost at any time. Messages go by `auditapp.dispatch`."""

from __future__ import annotations

from functools import cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def store(url: str, patience: float) -> redis.Redis:
    """Kept connections to the Redis of `settings.REDIS_URL`, asked once and no longer than ``patience`` seconds. Whatever it does, it raises no more than redis.RedisError."""
    return redis.Redis.from_url(url.replace("redis+socket://", "unix://"), socket_timeout=patience, socket_connect_timeout=patience, retry=Retry(NoBackoff(), 0))
