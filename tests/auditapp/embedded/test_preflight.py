from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from auditapp.embedded import preflight
from auditapp.embedded.preflight import CannotStart, check_disk, check_port, only_one, port_of


def test_port_is_8000_unless_named() -> None:
    assert port_of({}) == 8000
    assert port_of({"PORT": ""}) == 8000
    assert port_of({"PORT": "9001"}) == 9001


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "80.5", "8000 8001"])
def test_a_port_that_is_none_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(CannotStart, match=f"PORT is {text!r}"):
        port_of({"PORT": text})


def test_a_port_in_use_is_one_sentence_that_names_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} of 127.0.0.1 is in use; choose another one"):
            check_port(port)
    check_port(port)


def test_a_full_disk_is_refused_with_what_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_disk(tmp_path)
    monkeypatch.setattr(preflight, "LEAST_FREE_BYTES", 2**70)
    with pytest.raises(CannotStart, match=r"Only [\d,]+ MB are free for PLUMBLINE_HOME"):
        check_disk(tmp_path)


def test_one_home_is_served_once(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from auditapp.embedded.preflight import only_one\nwith only_one(Path(sys.argv[1])): print('holds', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "holds\n"
        with pytest.raises(CannotStart, match=rf"already runs on .* \(process {holder.pid}\)"), only_one(tmp_path):
            pass
        holder.kill()
    with only_one(tmp_path):  # a killed holder leaves nothing that must be cleaned up
        pass
