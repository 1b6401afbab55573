"""Who may do what, and what opens a door."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.http import Http404
from django.test import RequestFactory
from django.utils import timezone

from auditapp import access, ledger
from auditapp.access import Caller, NotAllowed, caller_of, caller_of_token, find, may, redeem_login_link
from auditapp.models import ApiToken, Dataset, LedgerEntry, LoginLink, Membership

MATRIX = {
    "viewer": {"read", "verify"},
    "analyst": {"read", "verify", "upload", "run", "cancel", "predict"},
    "reviewer": {"read", "verify", "statements", "sign_off", "share"},
    "owner": {"read", "verify", "upload", "run", "cancel", "predict", "statements", "sign_off", "share", "delete", "tokens", "members", "member_list", "webhooks"},
}


@pytest.mark.parametrize("role", MATRIX)
def test_each_role_may_do_what_the_design_says(role: str, people: Any) -> None:
    caller = Caller(people.users[role], people.workspace, role)
    assert {action for action in access.ROLES_OF_ACTION if may(caller, action)} == MATRIX[role]


def test_every_action_has_roles_and_a_scope_rule() -> None:
    assert set(access.ROLES_OF_ACTION) == set(access.SCOPE_OF_ACTION)


@pytest.mark.parametrize(("scope", "actions"), [
    ("read", {"read", "verify"}), ("run", {"upload", "run", "cancel", "delete"}), ("predict", {"predict"}), ("admin", {"member_list", "webhooks"}),
])
def test_a_token_does_what_its_scope_covers_and_never_signs(scope: str, actions: set[str], people: Any) -> None:
    caller = caller_of_token(f"Bearer {people.tokens[f'owner/{scope}']}")
    assert caller is not None
    assert {action for action in access.ROLES_OF_ACTION if may(caller, action)} == actions


def test_a_scope_does_not_lift_the_role(people: Any) -> None:
    caller = caller_of_token(f"Bearer {people.tokens['viewer']}")
    assert caller is not None
    assert access.refusal(caller, "run") == "This needs the role analyst or owner; yours in this workspace is viewer."
    with pytest.raises(NotAllowed):
        access.require(caller, "delete")


def test_a_token_names_its_user_workspace_and_role(people: Any) -> None:
    caller = caller_of_token(f"Bearer {people.tokens['analyst']}")
    assert caller is not None
    assert (caller.user, caller.workspace, caller.role) == (people.users["analyst"], people.workspace, "analyst")
    assert caller.actor.startswith("user:analyst token:tok_")


def test_every_change_of_one_character_closes_the_door(people: Any) -> None:
    token = people.tokens["owner"]
    for position in range(len(token)):
        changed = token[:position] + ("0" if token[position] != "0" else "1") + token[position + 1:]
        assert caller_of_token(f"Bearer {changed}") is None, position


@pytest.mark.parametrize("header", [
    None, "", "Bearer", "Bearer ", "Basic abc", "Bearer plb_", "Bearer plb_tok_x_y", "Bearer \x00", "Bearer " + "a" * 100_000, "plb", "Bearer é",
])
def test_what_is_no_token_is_nobody(header: str | None, db: None) -> None:
    assert caller_of_token(header) is None


def test_other_spellings_of_the_scheme_are_read_and_other_places_are_not(people: Any, client: Any) -> None:
    token = people.tokens["owner"]
    assert caller_of_token(f"bearer {token}") is not None
    assert caller_of_token(token) is None
    assert client.get(f"/api/v1/me?token={token}&access_token={token}").status_code == 401
    client.cookies["Authorization"] = f"Bearer {token}"
    assert client.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("change", [
    {"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(seconds=1)},
])
def test_t31_revoked_and_expired_tokens_are_nobody(change: dict[str, Any], people: Any) -> None:
    token = people.tokens["owner"]
    assert caller_of_token(f"Bearer {token}") is not None
    assert ApiToken.objects.filter(name="owner").update(**change) == 1
    assert caller_of_token(f"Bearer {token}") is None


def test_a_token_dies_with_its_user_and_with_the_membership(people: Any) -> None:
    header = f"Bearer {people.tokens['owner']}"
    people.users["owner"].is_active = False
    people.users["owner"].save()
    assert caller_of_token(header) is None
    people.users["owner"].is_active = True
    people.users["owner"].save()
    assert caller_of_token(header) is not None
    Membership.objects.filter(user=people.users["owner"]).delete()
    assert caller_of_token(header) is None


def test_a_token_follows_its_users_role(people: Any) -> None:
    Membership.objects.filter(user=people.users["owner"]).update(role="viewer")
    caller = caller_of_token(f"Bearer {people.tokens['owner']}")
    assert caller is not None
    assert not may(caller, "run")


def test_t31_the_secret_is_stored_nowhere(people: Any) -> None:
    secret = people.tokens["owner"].rsplit("_", 1)[1]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {table}")
            assert secret not in str(cursor.fetchall()), table
    row = ApiToken.objects.get(name="owner")
    assert len(row.secret_sha256) == 64
    assert timedelta(days=89) < row.expires_at - timezone.now() <= timedelta(days=90)


def test_last_use_is_written_at_most_once_a_minute(people: Any, django_assert_num_queries: Any) -> None:
    header = f"Bearer {people.tokens['owner']}"
    caller_of_token(header)
    first = ApiToken.objects.get(name="owner").last_used_at
    assert first is not None
    with django_assert_num_queries(1):  # token and membership: no write
        caller_of_token(header)
    ApiToken.objects.filter(name="owner").update(last_used_at=first - timedelta(seconds=61))
    caller_of_token(header)
    assert ApiToken.objects.get(name="owner").last_used_at > first - timedelta(seconds=61)


def test_issuing_and_revoking_stand_in_the_ledger(people: Any) -> None:
    token, text = access.issue_token(user=people.users["analyst"], workspace=people.workspace, name="CI", scopes=("run", "read"), actor="user:owner")
    assert token.scopes == ["read", "run"]
    assert access.revoke_token(token, actor="user:owner")
    assert not access.revoke_token(token, actor="user:owner")
    assert caller_of_token(f"Bearer {text}") is None
    entries = LedgerEntry.objects.filter(subject=token.pk).order_by("number")
    assert [(entry.action, entry.actor) for entry in entries] == [("token.issued", "user:owner"), ("token.revoked", "user:owner")]
    assert ledger.verify(people.workspace) == []
    assert text.rsplit("_", 1)[1] not in str([entry.data for entry in entries])


@pytest.mark.parametrize(("change", "sentence"), [
    ({"scopes": ("read", "root")}, "'root' is not a scope; choose from read, run, predict"),
    ({"scopes": ()}, "choose at least one scope from read, run, predict"),
    ({"days": 0}, "a token lives 1 to 3650 days, not 0"),
])
def test_bad_tokens_are_not_issued(change: dict[str, Any], sentence: str, people: Any) -> None:
    before = ApiToken.objects.count()
    with pytest.raises(ValueError, match=sentence.split(";")[0]):
        access.issue_token(**{"user": people.users["owner"], "workspace": people.workspace, "name": "x", "actor": "test", **change})
    assert ApiToken.objects.count() == before


def test_the_command_prints_the_token_as_its_last_word(people: Any, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("token", "analyst", "--scopes", "read")
    token = capsys.readouterr().out.split()[-1]
    caller = caller_of_token(f"Bearer {token}")
    assert caller is not None
    assert (caller.user, caller.scopes) == (people.users["analyst"], {"read"})


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["nobody"], "there is no user 'nobody'"), (["owner", "--scopes", "root"], "'root' is not a scope; choose from read, run, predict, statements, admin"),
    (["owner", "--workspace", "ws_x"], "'owner' is a member of no workspace ws_x"),
])
def test_the_command_refuses_with_one_sentence(arguments: list[str], sentence: str, people: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("token", *arguments)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert (said.out, said.err.strip()) == ("", sentence)


# --- sessions


def _request(user: Any, session: dict[str, str]) -> Any:
    request = RequestFactory().get("/")
    request.user, request.session = user, session
    return request


def test_a_session_acts_in_the_workspace_it_names_if_the_person_is_a_member(people: Any) -> None:
    owner = people.users["owner"]
    assert caller_of(_request(owner, {})).workspace == people.workspace
    assert caller_of(_request(owner, {"workspace": people.elsewhere.pk})).workspace == people.workspace
    Membership.objects.create(user=owner, workspace=people.elsewhere, role="viewer")
    caller = caller_of(_request(owner, {"workspace": people.elsewhere.pk}))
    assert (caller.workspace, caller.role, caller.token) == (people.elsewhere, "viewer", None)


def test_choosing_a_workspace_of_others_is_a_404(people: Any) -> None:
    request = _request(people.users["owner"], {})
    with pytest.raises(Http404):
        access.choose_workspace(request, people.elsewhere.pk)
    assert request.session == {}


def test_nobody_and_members_of_nothing_are_refused(people: Any, django_user_model: Any) -> None:
    from django.contrib.auth.models import AnonymousUser

    with pytest.raises(NotAllowed, match="Log in first"):
        caller_of(_request(AnonymousUser(), {}))
    with pytest.raises(NotAllowed, match="not a member"):
        caller_of(_request(django_user_model.objects.create_user("lonely"), {}))


# --- rows


def _dataset(workspace: Any, **more: Any) -> Dataset:
    return Dataset.objects.create(workspace=workspace, name="x", filename="x.csv", sha256="0" * 64, bytes=1, **more)


def test_a_stranger_finds_nothing(people: Any) -> None:
    row = _dataset(people.workspace)
    mine = Caller(people.users["viewer"], people.workspace, "viewer")
    theirs = Caller(people.users["stranger"], people.elsewhere, "owner")
    assert find(Dataset, mine, row.pk) == row
    assert find(Dataset.objects.filter(bytes=1), mine, row.pk) == row
    with pytest.raises(Http404):
        find(Dataset, theirs, row.pk)


def test_deleted_is_not_there(people: Any) -> None:
    row = _dataset(people.workspace, deleted_at=timezone.now())
    with pytest.raises(Http404):
        find(Dataset, Caller(people.users["owner"], people.workspace, "owner"), row.pk)


@pytest.mark.parametrize("bad", ["", "ds_", "\x00", "ds_" + "0" * 25 + "\n", "../etc/passwd", "ds_" + "u" * 26, "DS_" + "0" * 26, "1 OR 1=1"])
def test_what_is_no_id_never_reaches_the_database(bad: str, people: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0), pytest.raises(Http404):
        find(Dataset, Caller(people.users["owner"], people.workspace, "owner"), bad)


# --- login links


def test_a_login_link_works_once(people: Any) -> None:
    secret = access.make_login_link(people.users["owner"])
    assert secret not in str(list(LoginLink.objects.values()))
    assert redeem_login_link(secret) == people.users["owner"]
    assert redeem_login_link(secret) is None
    assert LedgerEntry.objects.filter(action="login.by_link", actor="user:owner").count() == 1


def test_a_login_link_dies_after_its_minutes_and_with_its_user(people: Any) -> None:
    assert redeem_login_link(access.make_login_link(people.users["owner"], minutes=-0.01)) is None
    people.users["viewer"].is_active = False
    people.users["viewer"].save()
    assert redeem_login_link(access.make_login_link(people.users["viewer"])) is None
    secret = access.make_login_link(people.users["owner"])
    expires = LoginLink.objects.order_by("-expires_at").first().expires_at  # type: ignore[union-attr]
    assert timedelta(minutes=14) < expires - timezone.now() <= timedelta(minutes=15)
    assert redeem_login_link(secret[:-1] + ("0" if secret[-1] != "0" else "1")) is None
    for bad in ("", "\x00", "../x", "é" * 64, secret.upper() + " "):
        assert redeem_login_link(bad) is None


@pytest.mark.slow
def test_of_many_clicks_at_once_one_gets_in(web_server: Any) -> None:
    """Threads on a real database file: the tests' own database is one connection in memory, on which nothing is at once."""
    found = web_server.script("""
import threading
from django.contrib.auth.models import User
from django.db import connections
from auditapp import access
secret = access.make_login_link(User.objects.get(username="demo"))
gate, found = threading.Barrier(8), []
def click():
    gate.wait()
    found.append(str(access.redeem_login_link(secret)))
    connections.close_all()
threads = [threading.Thread(target=click) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sorted(found))
""")
    assert found.strip() == str(["None"] * 7 + ["demo"])
