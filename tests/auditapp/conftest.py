"""The cast of the access and REST tests: Ada's workspace with one person of each role, a stranger with a workspace of her own, and their tokens."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.web import running_web

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # evidence_example.py

TABLE = b"age,sex,income\n" + b"".join(b"%d,%s,%s\n" % (20 + i % 40, b"FM"[i % 2: i % 2 + 1], b">50K" if i % 3 else b"<=50K") for i in range(200))


@pytest.fixture(autouse=True)
def _static_root(settings: Any, tmp_path: Path) -> None:
    """whitenoise warns where the folder of collected files is not there yet."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()


@dataclass
class Rest:
    """Speaks to the REST interface with one token; ``last`` is the raw answer."""

    token: str | None
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def headers(self, **more: str) -> dict[str, str]:
        return {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **more}

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers=self.headers(**headers))

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/api/v1{path}", headers=self.headers())

    def change(self, method: str, path: str, document: Any, **headers: str) -> Any:
        return self.client.generic(method, f"/api/v1{path}", data=json.dumps(document), content_type="application/json", headers=self.headers(**headers))

    def post(self, path: str, document: Any = None, *, raw: bytes | None = None, content_type: str = "application/json", **headers: str) -> Any:
        data = raw if raw is not None else json.dumps(document) if document is not None else ""
        return self.client.post(f"/api/v1{path}", data=data, content_type=content_type, headers=self.headers(**headers))

    def send(self, path: str, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        return self.client.post(f"/api/v1{path}", data=fields, headers=self.headers(**(headers or {})))

    def upload(self, content: bytes = TABLE, name: str = "people.csv", **headers: str) -> Any:
        file = io.BytesIO(content)
        file.name = name
        return self.send("/datasets", headers, file=file, name="People")


@dataclass
class Cast:
    workspace: Any
    elsewhere: Any
    users: dict[str, Any]
    tokens: Tokens

    def rest(self, who: str) -> Rest:
        """A client with the token of ``who``: a role of Ada's workspace, "stranger", "nobody", or "owner/read" for a token with that scope only."""
        return Rest(None if who == "nobody" else self.tokens[who])


class Tokens(dict[str, str]):
    """The token of a person with all scopes, or of "owner/read" with one, issued when it is first asked for: most tests use one or two of a dozen."""

    def __init__(self, users: dict[str, Any], home: Callable[[str], Any]) -> None:
        self.users, self.home = users, home

    def __missing__(self, key: str) -> str:
        from auditapp import access

        who, _, scope = key.partition("/")
        self[key] = access.issue_token(user=self.users[who], workspace=self.home(who), name=scope or who, scopes=(scope,) if scope else access.SCOPES, actor="test")[1]
        return self[key]


@pytest.fixture
def people(db: None) -> Cast:
    from django.contrib.auth.models import User

    from auditapp.models import Membership, Workspace

    workspace, elsewhere = Workspace.objects.create(name="Ada's"), Workspace.objects.create(name="Elsewhere")

    def home(who: str) -> Workspace:
        return elsewhere if who == "stranger" else workspace

    users = {}
    for who in ("owner", "analyst", "reviewer", "viewer", "stranger"):
        users[who] = User.objects.create_user(who)
        Membership.objects.create(workspace=home(who), user=users[who], role="owner" if who == "stranger" else who)
    return Cast(workspace, elsewhere, users, Tokens(users, home))


def make_ready(dataset_id: str, columns: list[str]) -> None:
    """What a worker would have written of a table with these columns."""
    from auditapp.models import Profile
    from automl.evidence import ColumnProfile, DatasetProfile, ProposedRole, TableReading

    document = DatasetProfile(sha256="0" * 64, bytes=1, rows=200, reading=TableReading(format="csv"), columns=tuple(
        ColumnProfile(name=name, position=position, type="category", missing=0, distinct=2, proposal=ProposedRole(role="feature", reason=""))
        for position, name in enumerate(columns)))
    Profile.objects.filter(dataset_id=dataset_id).update(state="ready", document=document.model_dump(mode="json"))


@dataclass(frozen=True)
class _Signed:
    bytes: bytes = b"%PDF-1.7 signed"
    signer: str = "A test"
    signed_at: datetime = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def succeeded_run(people: Cast, tmp_path: Path) -> Any:
    """Makes a run of Ada's workspace that has come all the way, by the verbs that workers use; only the training is replaced by the example evidence."""

    def make(*, signed: bool = True, owner: str = "owner") -> Any:
        from evidence_example import make_charts, make_evidence

        from auditapp import datasets, runs
        from automl.bundle import write_bundle
        from automl.evidence import digest_of
        from automl.spec import TaskSpec

        user = people.users[owner]
        workspace = people.elsewhere if owner == "stranger" else people.workspace
        dataset = datasets.store_upload(io.BytesIO(TABLE), name="People", filename="people.csv", workspace=workspace, user=user)
        run = runs.submit(workspace=workspace, dataset=dataset, kind="training", spec=TaskSpec(target="income", sensitive=("sex",)), user=user)
        lease = runs.claim(run.pk, "test")
        assert lease is not None
        evidence = make_evidence()
        evidence = evidence.model_copy(update={"run": evidence.run.model_copy(update={"id": run.pk, "kind": "training"})})
        evidence = evidence.model_copy(update={"digest": digest_of(evidence.model_dump(mode="json"))})
        bundle = tmp_path / run.pk

        def save_model(folder: Path) -> None:
            (folder / "model.json").write_text("{}")
            (folder / "model.onnx").write_bytes(b"ONNX")

        write_bundle(
            bundle, evidence=evidence, charts=make_charts(evidence), card="# Card\n", predictions=lambda path: path.write_text("row,label,prediction\n"),
            save_model=save_model, files={"reasons.csv": b"row,score\n"})
        (bundle / "charts").mkdir()
        for chart in ("roc.svg", "roc.dark.svg"):
            (bundle / "charts" / chart).write_text(f"<svg xmlns='http://www.w3.org/2000/svg'><title>{chart}</title></svg>")
        (bundle / "audit.unsigned.pdf").write_bytes(b"%PDF-1.7 unsigned")
        runs.succeed(lease, bundle, _Signed() if signed else None)
        run.refresh_from_db()
        return run

    return make


# --- a web service of its own: real processes, real database file, real sockets


@dataclass
class WebServer:
    home: Path
    port: int
    pid: int
    token: str
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    def resident_bytes(self) -> int:
        """Of master and workers together."""
        import psutil

        master = psutil.Process(self.pid)
        return sum(process.memory_info().rss for process in (master, *master.children(recursive=True)))

    def script(self, code: str) -> str:
        """What ``code`` prints, run in an interpreter of its own against the same database."""
        setup = "import django; django.setup()\n"
        done = subprocess.run([sys.executable, "-c", setup + code], env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def web_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """gunicorn as the Procfile starts it, on a home of its own with a small upload limit; one for all tests that need real sockets."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
    environment = {**kept, "PLUMBLINE_HOME": str(home), "PLUMBLINE_UPLOAD_BYTES": str(100 * 2**20), "DJANGO_SETTINGS_MODULE": "auditapp.settings"}
    made = subprocess.run([sys.executable, "manage.py", "token", "demo"], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    with running_web(environment, home / "web.log") as web:
        yield WebServer(home, web.port, web.pid, made.stdout.split()[-1], environment)


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a signing key and its certificate, as the embedded profile makes them."""
    from auditapp.signing_identity import ensure_signing_identity

    folder = tmp_path_factory.mktemp("home") / "signing"
    ensure_signing_identity(folder)
    return folder
