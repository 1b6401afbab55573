"""What stands before and around every page: login, membership, the content security policy, escaping."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from auditapp.models import Run
from auditapp.views.guard import page as guarded_page

pytestmark = pytest.mark.django_db
TEMPLATES = sorted(path for path in Path(django_settings.BASE_DIR / "templates").rglob("*.html"))


def test_every_page_carries_the_strict_policy_and_obeys_it(page: Client, finished_run: Run) -> None:
    for path in ("/", "/new", "/login", "/verify", "/settings/members", f"/runs/{finished_run.pk}", f"/runs/{finished_run.pk}/results/fairness"):
        response = page.get(path, follow=True)
        assert "unsafe" not in response["Content-Security-Policy"]
        body = response.content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", body), path


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_switches_escaping_off(path: Path) -> None:
    text = path.read_text()
    assert "|safe" not in text
    assert "autoescape off" not in text


def test_somebody_without_a_workspace_is_told_so(client: Client, django_user_model: Any) -> None:
    client.force_login(django_user_model.objects.create_user("nobody"), backend="django.contrib.auth.backends.ModelBackend")
    response = client.get("/")
    assert response.status_code == 403
    assert "not a member of any workspace" in response.content.decode()


def test_every_page_but_the_public_ones_is_guarded() -> None:
    from auditapp.urls import urlpatterns  # after Django is set up

    public = {"language", "login", "login-link", "login-second", "logout", "password-forgotten", "password-sent", "password-new", "verify", "healthz", "readyz"}
    for pattern in urlpatterns:
        name = getattr(pattern, "name", None)
        if name and name not in public:
            view = pattern.callback
            assert guarded_page.__module__ in _modules_of(view), name


def _modules_of(view: Any) -> set[str]:
    """Modules of the functions wrapped around a view, outermost first."""
    modules = set()
    while view is not None:
        modules.add(getattr(getattr(view, "__code__", None), "co_filename", "").replace("/", ".").removesuffix(".py").split("main.")[-1])
        view = getattr(view, "__wrapped__", None)
    return {"auditapp.views.guard"} if any(module.endswith("auditapp.views.guard") for module in modules) else modules
