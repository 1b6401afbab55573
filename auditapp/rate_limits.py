"""How many calls a token may make in a minute, counted in Redis. Where Redis does not answer, nobody is refused: a limit protects, it must not become the fault.

`BearerToken` takes a call from the token's quota; the middleware says in each answer what is left, and gives a call back that was answered 304.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auditapp.problems import Problem
from auditapp.redis_store import store

WINDOW_SECONDS = 60
PATIENCE_SECONDS = 0.2
PAUSE_SECONDS = 5.0
"""After Redis has not answered, it is not asked again for so long: a call must not wait for it each time."""

logger = logging.getLogger(__name__)
_paused_until = 0.0


@dataclass(frozen=True)
class Quota:
    """What is left to a token in the present window."""

    key: str
    limit: int
    left: int
    seconds: int
    """Until the next window."""


def take(request: HttpRequest, token_id: str) -> None:
    """Count this call of the token. Raises Problem(rate-limited) where the window's calls are used up."""
    quota = _counted(token_id)
    if quota is None:
        return
    request.quota = quota  # type: ignore[attr-defined]
    if quota.left < 0:
        raise Problem(
            "rate-limited", f"This token has made the {quota.limit:,} calls that it may make in a minute; call again in {quota.seconds} s.",
            headers={"Retry-After": str(quota.seconds)})


class RateLimitHeaders:
    """Middleware: `RateLimit-Policy` and `RateLimit` (IETF httpapi-ratelimit-headers, draft 11) in every answer to a call that was counted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        quota: Quota | None = getattr(request, "quota", None)
        if quota is not None:
            left = quota.left
            if response.status_code == 304:
                _give_back(quota)
                left += 1
            response["RateLimit-Policy"] = f'"token";q={quota.limit};w={WINDOW_SECONDS}'
            response["RateLimit"] = f'"token";r={max(left, 0)};t={quota.seconds}'
        return response


def _counted(token_id: str) -> Quota | None:
    limit = settings.CALLS_A_MINUTE
    if not limit:
        return None
    now = time.time()
    key = f"plumbline:calls:{token_id}:{int(now // WINDOW_SECONDS)}"

    def count(store: redis.Redis) -> int:
        asked = store.pipeline(transaction=False)
        asked.incr(key)
        asked.expire(key, 2 * WINDOW_SECONDS)
        return int(asked.execute()[0])

    made = _asked(count)
    return None if made is None else Quota(key, limit, limit - made, math.ceil(WINDOW_SECONDS - now % WINDOW_SECONDS))


def _give_back(quota: Quota) -> None:
    _asked(lambda store: int(store.decr(quota.key)))


def _asked(question: Callable[[redis.Redis], int]) -> int | None:
    global _paused_until
    if time.monotonic() < _paused_until:
        return None
    try:
        return question(store(settings.REDIS_URL, PATIENCE_SECONDS))
    except redis.RedisError as error:
        _paused_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("calls are not counted for the next %g s: %s", PAUSE_SECONDS, error)
        return None

