"""The walls around a process that reads strangers' bytes. Imports neither Django nor anything heavy: it runs first in every child.

What is always there: limits on CPU time, open files, file size and core dumps, no new privileges, death with the parent, an environment without
credentials, and none of root's powers. What the kernel must allow and is disclosed where it does not: no network (no socket of any kind can be
made, and a network namespace of its own; else a guard in Python) and no way out of the process group, no file but the named ones to write or read
(Landlock).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parent.parent
CODE = ("automl", "auditapp", "workers", "templates")
"""The folders of the project that a child may read; not the home, which may lie beside them and holds the keys."""

_PASSED_ON = ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES")
_PASSED_ON_IN_TESTS = ("PLUMBLINE_TESTING", "PLUMBLINE_TESTING_PIPELINE", "PLUMBLINE_FAILPOINT", "PLUMBLINE_FAILPOINT_ONCE")

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SYS_LANDLOCK_CREATE, _SYS_LANDLOCK_ADD, _SYS_LANDLOCK_RESTRICT = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1 << 0, 1 << 1
_CHANGE_TREE = sum(1 << bit for bit in range(4, 14))  # remove and make entries of every kind; link and rename across folders
_KEPT_CAPABILITIES = 1 << 1 | 1 << 2  # as root, other people's tables stay readable; of what may be read, Landlock has the last word
_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""How seccomp names each machine."""
_FORBIDDEN_CALLS = {
    "x86_64": (41, 425, 112, 109, 90, 268, 452, 92, 94, 260),
    "aarch64": (198, 425, 157, 154, 53, 452, 54),
}
"""Of each machine the numbers of: socket; io_uring_setup, which could make one unseen; setsid and setpgid, since what leaves its process group is not ended
with it; and what changes the rights or the owner of a file by its name, which Landlock lets pass for every file of this user."""
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Walls:
    """Which of the walls stand that not every kernel grants."""

    network: Literal["none", "guarded in Python"]
    writing: Literal["named folders only", "not restricted"]
    reading: Literal["named folders only", "not restricted"]

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def child_environment(home: Path | None = None, threads: int = 1) -> dict[str, str]:
    """The environment of a child: none of ours but the harmless, so no database, broker, storage or signing settings.

    ``home`` becomes HOME and TMPDIR; ``threads`` what OpenMP, OpenBLAS and MKL may use.
    """
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    if os.environ.get("PLUMBLINE_TESTING") == "1":
        passed |= {name: os.environ[name] for name in _PASSED_ON_IN_TESTS if name in os.environ}
    folder = str(home) if home is not None else "/nonexistent"
    counts = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA", "ARROW", "POLARS")}
    return {
        "PATH": os.defpath, "LANG": "C.UTF-8", **passed, **counts, "HOME": folder, **({"TMPDIR": folder} if home is not None else {}),
        "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1",
        # Waiting threads sleep: where they spin, three runs on two cores take three times as long. OpenBLAS: 2 to the power of 4 cycles, the fewest that it takes
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"), "OPENBLAS_THREAD_TIMEOUT": os.environ.get("OPENBLAS_THREAD_TIMEOUT", "4"),
        # joblib would look for semaphores in /dev/shm, which is not ours to write
        "JOBLIB_MULTIPROCESSING": "0", "PLUMBLINE_PARENT": str(os.getpid()),
    }


def confine(
    *, memory: int | None = None, cpu_seconds: float | None = None, file_bytes: int = 8 * 2**30, open_files: int = 512,
    writable: Sequence[Path] = (), readable: Sequence[Path] | None = None,
) -> Walls:
    """Put the walls around the calling process, for good. Call it before any thread is started and before anything heavy is imported.

    ``memory`` (bytes) bounds private writable memory (RLIMIT_DATA): a second wall behind the supervisor's, which watches what is resident; None where
    CUDA or V8 reserve far more than they use. ``writable``: the only folders in which anything may be written. ``readable``: what may be read
    besides Python, the system's libraries and the project's code; None leaves reading alone.
    """
    die_with_parent()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, open_files)
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    if cpu_seconds is not None:
        _limit(resource.RLIMIT_CPU, int(cpu_seconds) + 1, grace=5)
    if memory is not None:
        _limit(resource.RLIMIT_DATA, memory)
    _first_victim()
    network = _cut_network()
    restricted = _landlock(writable, readable)
    _drop_capabilities()
    return Walls(
        network="none" if network else "guarded in Python",
        writing="named folders only" if restricted else "not restricted",
        reading="named folders only" if restricted and readable is not None else "not restricted",
    )


def die_with_parent() -> None:
    """SIGKILL for this process when its parent dies; at once where it died before we asked."""
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    parent = os.environ.get("PLUMBLINE_PARENT")
    if parent and os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGKILL)


def _limit(what: int, soft: int, grace: int = 0) -> None:
    hard_now = resource.getrlimit(what)[1]
    bound = soft if hard_now == resource.RLIM_INFINITY else min(soft, hard_now)
    hard = bound + grace if hard_now == resource.RLIM_INFINITY else min(bound + grace, hard_now)
    resource.setrlimit(what, (bound, hard))


def _first_victim() -> None:
    """Where the machine itself runs out of memory, the kernel should take the child and not its supervisor."""
    try:
        Path("/proc/self/oom_score_adj").write_text("800")
    except OSError:
        return


def _cut_network() -> bool:
    """No network: a namespace with nothing in it, as root or through a user namespace, and no sockets; else Python refuses to connect, and False.

    The namespace alone leaves the sockets that have a path, such as the embedded Redis's.
    """
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_CLONE_NEWNET) != 0 and _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path(f"/proc/self/{name}").write_text(text)
    if _forbid_calls():
        return True
    sys.addaudithook(_refuse_sockets)
    return False


def _forbid_calls() -> bool:
    """The kernel answers `_FORBIDDEN_CALLS` with EPERM; pairs of sockets and pipes go on working. False without seccomp."""
    if platform.machine() not in _MACHINES:
        return False
    calls = _FORBIDDEN_CALLS[platform.machine()]
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    refused, allowed = 0x00050000 | errno.EPERM, 0x7FFF0000
    # Each jump leads to the last instruction, which refuses; it is counted from the next one
    program = [
        (load, 0, 0, 4), (equal, 0, len(calls) + 3, _MACHINES[platform.machine()]),  # another machine's numbers mean other calls
        (load, 0, 0, 0), (at_least, len(calls) + 1, 0, 0x40000000), *((equal, len(calls) - place, 0, call) for place, call in enumerate(calls)),
        (answer, 0, 0, allowed), (answer, 0, 0, refused),
    ]
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    instructions = ctypes.create_string_buffer(code, len(code))
    whole = struct.pack("HxxxxxxP", len(program), ctypes.addressof(instructions))
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return bool(_libc.prctl(_PR_SET_SECCOMP, 2, ctypes.c_char_p(whole), 0, 0) == 0)


def _drop_capabilities() -> None:
    """Root's powers, also those over a user namespace of our own: with them the environment of every other process could be read."""
    number = _SYS_CAPSET.get(platform.machine())
    if number is not None:
        kept = _KEPT_CAPABILITIES if os.geteuid() == 0 else 0
        header, sets = struct.pack("Ii", 0x20080522, 0), struct.pack("6I", kept, kept, 0, 0, 0, 0)
        _libc.syscall(number, ctypes.c_char_p(header), ctypes.c_char_p(sets))


def _refuse_sockets(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        raise PermissionError(errno.EPERM, "this process has no network")


def _landlock(writable: Sequence[Path], readable: Sequence[Path] | None) -> bool:
    """Restrict files with Landlock; False where the kernel (before 5.13, or configured without it) has none."""
    version = _libc.syscall(_SYS_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    change = _WRITE_FILE | _CHANGE_TREE | _TRUNCATE
    if version < 2:
        change &= ~(1 << 13)
    if version < 3:
        change &= ~_TRUNCATE
    read = _READ_FILE | _READ_DIR
    files = change | (read if readable is not None else 0)
    # From its sixth version on, Landlock also keeps signals from processes outside, such as the supervisor
    handled = struct.pack("Q", files) if version < 6 else struct.pack("QQQ", files, 0, _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS)
    ruleset = _libc.syscall(_SYS_LANDLOCK_CREATE, ctypes.c_char_p(handled), ctypes.c_size_t(len(handled)), 0)
    if ruleset < 0:
        return False
    try:
        for folder in (*writable, *_failpoint_folder()):
            _allow(ruleset, folder, change | (read if readable is not None else 0))
        for device in ("/dev/null", "/dev/zero", *_accelerators()):
            _allow(ruleset, Path(device), _WRITE_FILE | (_READ_FILE if readable is not None else 0))
        if readable is not None:
            for path in (*_system_paths(), *readable):
                _allow(ruleset, path, read)
            # Python lists the folder to find our packages in it; it need not read the other files there
            _allow(ruleset, ROOT, _READ_DIR)
        _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(_libc.syscall(_SYS_LANDLOCK_RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, access: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not path.is_dir():
            access &= _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
        # struct landlock_path_beneath_attr is packed: u64 access, s32 descriptor
        rule = struct.pack("=Qi", access, descriptor)
        _libc.syscall(_SYS_LANDLOCK_ADD, ruleset, 1, ctypes.c_char_p(rule), 0)
    finally:
        os.close(descriptor)


def _accelerators() -> Iterable[str]:
    return [str(device) for device in Path("/dev").glob("nvidia*")]


def _failpoint_folder() -> list[Path]:
    once = os.environ.get("PLUMBLINE_FAILPOINT_ONCE")
    return [Path(once)] if once and os.environ.get("PLUMBLINE_TESTING") == "1" else []


def _system_paths() -> list[Path]:
    """Python, its packages, the system's libraries and the project's code."""
    code = [ROOT / name for name in CODE]
    if os.environ.get("PLUMBLINE_TESTING") == "1":
        code.append(ROOT / "tests")
    python = [Path(sys.prefix), Path(sys.base_prefix), Path(sys.base_exec_prefix), *(Path(entry) for entry in sys.path if entry and Path(entry).resolve() != ROOT)]
    # A home inside the environment's folders would be opened with them; nobody puts one there
    # Of devices only what gives chance: as root, a disk would be every file on it
    return [*code, *python, *map(Path, ("/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev/random", "/dev/urandom", "/opt"))]
