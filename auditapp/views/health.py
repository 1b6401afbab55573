"""For those who watch: is the process up, and can it work?"""

from __future__ import annotations

import shutil

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from auditapp import sweeps

LEAST_FREE_BYTES = 500 * 2**20


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked, so that a slow database does not get the web restarted."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Database, disk and queue, each "ok" or what is wrong; 503 where one is not. A silent queue delays runs but loses none."""
    checks = {"database": _database(), "disk": _disk(), "queue": _queue()}
    fine = all(state == "ok" for state in checks.values())
    return JsonResponse({"status": "ok" if fine else "degraded", "checks": checks}, status=200 if fine else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def _disk() -> str:
    free = shutil.disk_usage(settings.HOME).free
    return "ok" if free >= LEAST_FREE_BYTES else f"only {free // 2**20} MiB free"


def _queue() -> str:
    try:
        return "ok" if sweeps.are_going_on() else "nobody sweeps it: what a lost worker held is not taken up again until a worker with -B, or `manage.py reconcile`, does"
    except redis.RedisError:
        return "does not answer; runs wait until it does"
