"""docker-compose.yml and Dockerfile, read as Compose reads them, and held to what a production has to keep."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

ROOT = Path(__file__).resolve().parent.parent
OURS = ("migrate", "web", "runs", "profiles", "outside", "beat")


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_the_file_is_a_compose_file(compose: Any) -> None:
    assert set(PyCompose.from_json(json.dumps(compose)).service_names()) == {*OURS, "postgres", "redis", "proxy"}


def test_the_reader_refuses_what_compose_would(compose: Any) -> None:
    wrong = json.loads(json.dumps(compose))
    wrong["services"]["web"]["healthcheck"]["retires"] = 3
    with pytest.raises(ValueError, match="retires"):
        PyCompose.from_json(json.dumps(wrong))


def test_only_the_proxy_is_reachable_from_outside(compose: Any) -> None:
    assert [name for name, service in compose["services"].items() if service.get("ports")] == ["proxy"]
    assert compose["networks"]["inside"]["internal"] is True
    for name, service in compose["services"].items():
        assert ("front" in service["networks"]) == (name in ("proxy", "web", "outside")), name


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_write_next_to_nothing(compose: Any, name: str) -> None:
    service = compose["services"][name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["data:/srv/plumbline"]


def test_everything_that_stays_up_is_watched(compose: Any) -> None:
    assert [name for name, service in compose["services"].items() if "healthcheck" not in service] == ["migrate"]
    assert all(service["restart"] == ("no" if name == "migrate" else "unless-stopped") for name, service in compose["services"].items())


def test_the_signing_key_is_in_one_process_only(compose: Any) -> None:
    assert [name for name, service in compose["services"].items() if "signing_key" in service.get("secrets", [])] == ["runs"]
    assert [name for name, service in compose["services"].items() if "PLUMBLINE_SIGNING_KEY" in (service.get("environment") or {})] == ["runs"]


def test_no_secret_has_a_default(compose: Any) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for name in ("PLUMBLINE_SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "PLUMBLINE_SIGNING_KEY_FILE"):
        uses = re.findall(r"\$\{" + name + r"([^}]*)\}", text)
        assert uses, name
        assert all(use.startswith(":?") for use in uses), f"{name} must stop the start when it is not set"


def test_every_queue_has_a_worker(compose: Any) -> None:
    from auditapp.dispatch import MAIL, PROFILES, RUNS, WEBHOOKS
    from workers.app import app

    served = {queue for service in compose["services"].values() for command in [service.get("command") or []] if "-Q" in command for queue in command[command.index("-Q") + 1].split(",")}
    assert served == {RUNS, PROFILES, WEBHOOKS, MAIL, app.conf.task_default_queue}
    procfile = {line.split(":")[0]: shlex.split(line.split(":", 1)[1]) for line in (ROOT / "Procfile").read_text().splitlines() if line and line[0] != "#"}
    embedded = {queue for command in procfile.values() if "-Q" in command for queue in command[command.index("-Q") + 1].split(",")}
    assert embedded == served


def test_the_proxys_body_cap_lies_above_the_upload_limit(compose: Any) -> None:
    from auditapp.settings import Environment

    cap = re.search(r"max_size (\d+)MiB", compose["configs"]["caddyfile"]["content"])
    assert cap is not None
    default = Environment.model_fields["upload_bytes"].default
    assert default < int(cap[1]) * 2**20 <= default * 1.1


def test_every_setting_that_is_named_exists(compose: Any) -> None:
    from auditapp.settings import Environment

    known = {f"PLUMBLINE_{name.upper()}" for name in Environment.model_fields}
    given = {name for service in OURS for name in compose["services"][service]["environment"]}
    assert given <= known
    # What docker-compose.yml makes settings of
    composed = {"PLUMBLINE_HOST", "PLUMBLINE_SIGNING_KEY_FILE", "PLUMBLINE_SIGNING_CERTIFICATE_FILE"}
    example = set(re.findall(r"^#?(PLUMBLINE_[A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert example <= known | composed
    asked = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))
    assert asked <= set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)), "what must be set stands in .env.example"


def test_the_image_copies_all_that_runs_and_nothing_else() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\w+)(?:\.py)? /app", dockerfile, re.MULTILINE))
    assert copied == {"manage", "automl", "auditapp", "workers", "templates"}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*", "a list of what may enter, so that no secret or dataset does by accident"
    assert re.search(r"^USER 10001", dockerfile, re.MULTILINE)


def test_no_web_process_writes_login_secrets_into_its_log() -> None:
    command = json.loads(next(line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("CMD "))[4:])
    procfile = next(shlex.split(line) for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("web:"))
    for words in (command, procfile):
        assert "--access-logfile" in words
        assert words[words.index("--logger-class") + 1] == "auditapp.access_log.MaskingLogger"
