"""The walls, from inside: a fresh interpreter tries what it must not be able to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from auditapp.confinement import ROOT, child_environment


def inside(code: str, tmp_path: Path, **arguments: Any) -> Any:
    """What ``code`` leaves in ``said``, run after confine(**arguments, writable=[tmp_path], readable=[])."""
    script = textwrap.dedent("""
        import json, sys
        from pathlib import Path
        from auditapp.confinement import confine
        walls = confine(writable=[Path(sys.argv[1])], **{"readable": [], **json.loads(sys.argv[2])})
        said = None
    """) + textwrap.dedent(code) + "\nprint(json.dumps(said))"
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path), json.dumps(arguments)], env=child_environment(tmp_path), cwd=tmp_path,
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def tried(expression: str) -> str:
    return f"""
        try:
            {expression}
            said = "did it"
        except OSError as error:
            said = type(error).__name__
    """


def walls(tmp_path: Path) -> dict[str, str]:
    return inside("said = walls.as_json()", tmp_path)


def needs(tmp_path: Path, wall: str, value: str) -> None:
    if walls(tmp_path)[wall] != value:
        pytest.skip(f"this kernel does not grant the wall {wall!r}")


def test_environment_carries_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PLUMBLINE_DATABASE_URL", "PLUMBLINE_REDIS_URL", "PLUMBLINE_SECRET_KEY", "PLUMBLINE_SIGNING_KEY", "PLUMBLINE_SIGNING_PASSPHRASE", "PLUMBLINE_STORAGE_URL", "AWS_SECRET_ACCESS_KEY",
                 "DATABASE_URL", "PGPASSWORD", "DJANGO_SETTINGS_MODULE", "LD_PRELOAD", "PYTHONSTARTUP"):
        monkeypatch.setenv(name, "hunter2")
    environment = child_environment(tmp_path, threads=3)
    assert "hunter2" not in environment.values()
    assert {environment[f"{library}_NUM_THREADS"] for library in ("OMP", "OPENBLAS", "MKL")} == {"3"}
    assert environment["HOME"] == environment["TMPDIR"] == str(tmp_path)


def test_waiting_threads_sleep_unless_the_operator_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, ours, theirs in (("OMP_WAIT_POLICY", "PASSIVE", "ACTIVE"), ("OPENBLAS_THREAD_TIMEOUT", "4", "26")):
        monkeypatch.delenv(name, raising=False)
        assert child_environment()[name] == ours
        monkeypatch.setenv(name, theirs)
        assert child_environment()[name] == theirs


def test_failpoints_reach_the_child_in_tests_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_FAILPOINT", "read:kill")
    monkeypatch.delenv("PLUMBLINE_TESTING", raising=False)
    assert "PLUMBLINE_FAILPOINT" not in child_environment()
    monkeypatch.setenv("PLUMBLINE_TESTING", "1")
    assert child_environment()["PLUMBLINE_FAILPOINT"] == "read:kill"


def test_writes_go_to_the_named_folder_only(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    needs(tmp_path, "writing", "named folders only")
    other = tmp_path_factory.mktemp("other")
    (other / "there").write_text("x")
    assert inside(tried("open(Path(sys.argv[1]) / 'mine', 'w').close()"), tmp_path) == "did it"
    for attempt in (f"open('{other}/new', 'w')", f"open('{other}/there', 'a')", f"Path('{other}/there').unlink()", f"Path('{other}/d').mkdir()",
                    f"Path('{other}/there').rename(sys.argv[1] + '/x')", "open('/dev/shm/plumbline-x', 'w')"):
        assert inside(tried(attempt), tmp_path) in ("PermissionError", "OSError"), attempt
    assert (other / "there").read_text() == "x"


def test_reads_are_the_named_files_and_the_code(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    needs(tmp_path, "reading", "named folders only")
    secret = tmp_path_factory.mktemp("keys") / "key.pem"
    secret.write_text("secret")
    assert inside(tried(f"open('{secret}').read()"), tmp_path) == "PermissionError"
    assert inside(tried(f"open('{ROOT}/manage.py').read()"), tmp_path) == "PermissionError", "beside the code there may be the home"
    assert inside(tried("import automl.evidence, json.tool"), tmp_path) == "did it"
    assert inside(tried(f"__import__('os').symlink('{secret}', sys.argv[1] + '/link'); open(sys.argv[1] + '/link').read()"), tmp_path) == "PermissionError"


def test_no_device_but_those_that_hold_nothing(tmp_path: Path) -> None:
    """As root a child could otherwise read the disk itself, and with it every file."""
    needs(tmp_path, "reading", "named folders only")
    for device in ("null", "zero", "urandom"):
        assert inside(tried(f"open('/dev/{device}', 'rb').read(1)"), tmp_path) == "did it", device
    others = [name for name in ("full", "tty", "kmsg", "mem", "vda", "sda", "shm", "ptmx") if Path("/dev", name).exists()]
    assert others
    for device in others:
        assert inside(tried(f"__import__('os').open('/dev/{device}', 0)"), tmp_path) == "PermissionError", device


def test_no_network(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert inside(tried(f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"), tmp_path) != "did it"


def test_no_socket_that_has_a_path(tmp_path: Path) -> None:
    """The embedded Redis listens on one, and whoever speaks to it can make it write files."""
    import socket

    needs(tmp_path, "network", "none")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        assert inside(tried("import socket; socket.socket(socket.AF_UNIX).connect(sys.argv[1] + '/s')"), tmp_path) == "PermissionError"
    assert inside(tried("import socket; a, b = socket.socketpair(); a.send(b'x'); b.recv(1)"), tmp_path) == "did it", "what libraries use inside a process"


def test_the_parent_is_out_of_reach(tmp_path: Path) -> None:
    needs(tmp_path, "reading", "named folders only")
    for of_parent in ("environ", "mem", "root/etc/hostname", "fd/0"):
        assert inside(tried(f"open(f'/proc/{{__import__(\"os\").getppid()}}/{of_parent}', 'rb').read(1)"), tmp_path) == "PermissionError", of_parent


def test_no_signals_to_processes_outside(tmp_path: Path) -> None:
    import ctypes

    from auditapp import confinement

    if ctypes.CDLL(None).syscall(confinement._SYS_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1) < 6:
        pytest.skip("this kernel's Landlock has no scopes")
    assert inside(tried("import os; os.kill(os.getppid(), 0)"), tmp_path) == "PermissionError"
    assert inside(tried("import os; os.kill(os.getpid(), 0)"), tmp_path) == "did it"


def test_no_way_out_of_the_process_group(tmp_path: Path) -> None:
    """The group is what the supervisor kills; whoever left it would live on and change a bundle after it was looked at."""
    needs(tmp_path, "network", "none")
    for attempt in ("os.setsid()", "os.setpgid(0, 0)", "os.setpgrp()"):
        assert inside(tried(f"import os; {attempt}"), tmp_path) == "PermissionError", attempt


def test_rights_of_files_are_not_the_childs_to_change(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Landlock lets chmod pass for every file of the same user, the database among them."""
    needs(tmp_path, "network", "none")
    mine = tmp_path_factory.mktemp("home") / "db.sqlite3"
    mine.touch(mode=0o600)
    for attempt in (f"os.chmod('{mine}', 0)", f"os.chmod('{mine.name}', 0, dir_fd=os.open('{mine.parent}', os.O_PATH))", f"os.chown('{mine}', os.getuid(), os.getgid())", f"os.lchown('{mine}', 0, 0)"):
        assert inside(tried(f"import os; {attempt}"), tmp_path) == "PermissionError", attempt
    assert mine.stat().st_mode & 0o777 == 0o600


def test_network_guard_where_the_kernel_grants_no_namespace(tmp_path: Path) -> None:
    script = "import sys, socket; from auditapp import confinement; sys.addaudithook(confinement._refuse_sockets); socket.create_connection(('127.0.0.1', 1), 1)"
    done = subprocess.run([sys.executable, "-c", script], env=child_environment(tmp_path), capture_output=True, text=True, check=False)
    assert "this process has no network" in done.stderr


def test_memory(tmp_path: Path) -> None:
    code = """
        try:
            bytearray(800 * 2**20)
            said = "did it"
        except MemoryError:
            said = "refused"
    """
    assert inside(code, tmp_path, memory=512 * 2**20) == "refused"
    assert inside(code, tmp_path) == "did it"


def test_files_open_and_large(tmp_path: Path) -> None:
    assert inside(tried("kept = [open('/dev/null') for _ in range(100)]"), tmp_path, open_files=50) == "OSError"
    assert inside(tried("import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); open(sys.argv[1] + '/big', 'wb', 0).write(bytes(3000)) == 3000 or open(sys.argv[1] + '/big', 'ab', 0).write(bytes(3000))"),
                  tmp_path, file_bytes=1000) == "OSError"


def test_processor_time(tmp_path: Path) -> None:
    script = "from auditapp.confinement import confine; confine(cpu_seconds=0.1)\nwhile True: pass"
    done = subprocess.run([sys.executable, "-c", script], env=child_environment(tmp_path), capture_output=True, timeout=60, check=False)
    assert done.returncode == -24, "SIGXCPU"


def test_limits_can_only_be_lowered(tmp_path: Path) -> None:
    code = """
        import resource
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            said = "did it"
        except (ValueError, OSError):
            said = "refused"
    """
    if os.geteuid() == 0:
        pytest.skip("root may raise its limits again; the service does not run as root")
    assert inside(code, tmp_path) == "refused"


def test_child_dies_with_its_parent(tmp_path: Path) -> None:
    child = "import time; from auditapp.confinement import confine; confine(); print('up', flush=True); time.sleep(60)"
    parent = f"""
import subprocess, sys, os
from auditapp.confinement import child_environment
child = subprocess.Popen([sys.executable, "-c", {child!r}], env=child_environment(), stdout=subprocess.PIPE, start_new_session=True)
child.stdout.readline()
print(child.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", parent], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    pid = int(done.stdout)
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            break
        if state == "Z":
            break
        __import__("time").sleep(0.05)
    else:
        os.kill(pid, 9)
        raise AssertionError("the child outlived its parent")


def test_orphan_of_a_parent_that_died_before(tmp_path: Path) -> None:
    environment = child_environment(tmp_path) | {"PLUMBLINE_PARENT": "1"}
    done = subprocess.run([sys.executable, "-c", "from auditapp.confinement import confine; confine()"], env=environment, check=False)
    assert done.returncode == -9


def test_import_is_light() -> None:
    code = "import sys, auditapp.confinement; print(sorted({'django', 'pydantic', 'numpy', 'celery'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip() == "[]"
