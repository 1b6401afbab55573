"""Every address there is. A test walks this list against the permission matrix."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from auditapp.api import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
]
