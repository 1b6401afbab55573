"""T-41: no webhook leads to this machine or a network inside, whatever its address is written like and whatever its name turns into."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from auditapp.webhooks.addresses import checked_target
from automl.errors import BadInput

OUTSIDE = "93.184.215.14"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names stand for; numbers are read as everywhere."""
    known: dict[str, list[str]] = {"hooks.example.org": [OUTSIDE]}
    real = socket.getaddrinfo

    def resolve(host: str, port: int, **options: Any) -> list[Any]:
        if host not in known:
            return real(host, port, flags=socket.AI_NUMERICHOST, **options)
        return [entry for address in known[host] for entry in real(address, port, flags=socket.AI_NUMERICHOST, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


def test_an_address_outside_is_taken_apart(names: Any) -> None:
    target = checked_target("https://hooks.example.org:8443/in?x=1")
    assert (target.is_tls, target.host, target.port, target.path, target.host_header) == (True, "hooks.example.org", 8443, "/in?x=1", "hooks.example.org:8443")
    assert target.addresses == (OUTSIDE,)
    assert checked_target(f"https://{OUTSIDE}").path == "/"


@pytest.mark.parametrize("host", [
    "127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "224.0.0.1", "255.255.255.255",
    "198.18.0.1", "192.0.2.1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::127.0.0.1]", "[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[64:ff9b::7f00:1]",
    "[64:ff9b::a00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[2001:db8::1]",
])
def test_t41_an_address_inside_is_refused_however_it_is_written(host: str, names: Any) -> None:
    with pytest.raises(BadInput, match="outside only"):
        checked_target(f"https://{host}/")


def test_t41_a_name_is_refused_where_one_of_its_addresses_is_inside(names: dict[str, list[str]]) -> None:
    for addresses in (["127.0.0.1"], [OUTSIDE, "10.0.0.1"], ["::1", OUTSIDE]):
        names["hooks.example.org"] = addresses
        with pytest.raises(BadInput, match="outside only"):
            checked_target("https://hooks.example.org/")


@pytest.mark.parametrize("url", [
    "", "hooks.example.org", "ftp://hooks.example.org/", "file:///etc/passwd", "https://", "https:///x", "https://user@hooks.example.org/", "https://hooks.example.org@127.0.0.1/",
    "https://hooks.example.org/#x", "https://hooks.example.org\\@127.0.0.1/", "https://hooks.example.org/ x", "https://hooks.example.org/\r\nX: y", "https://hooks.example.org:0/",
    "https://hooks.example.org:99999/", "https://hooks.example.org:x/", "https://[::1", "https://h\u00e9.example/", "https://no-such-name.invalid/", "https://" + "a" * 1_000, "https://[fe80::1%25lo]/",
])
def test_what_is_no_plain_address_is_refused_in_words(url: str, names: Any) -> None:
    with pytest.raises(BadInput, match=r"^url: ") as refused:
        checked_target(url)
    assert refused.value.pointer == "/url"


def test_without_tls_nothing_is_sent_outside(names: Any) -> None:
    with pytest.raises(BadInput, match="https://"):
        checked_target("http://hooks.example.org/")


def test_networks_that_the_installation_names_are_allowed_and_no_others(names: Any, settings: Any) -> None:
    settings.WEBHOOK_NETWORKS = "10.20.0.0/16, 127.0.0.0/8"
    assert checked_target("http://10.20.3.4:8080/hook").addresses == ("10.20.3.4",)
    assert checked_target("http://[::ffff:127.0.0.1]/").addresses == ("127.0.0.1",)
    with pytest.raises(BadInput, match="outside only"):
        checked_target("https://10.21.0.1/")


def test_a_network_that_is_none_is_refused_at_the_start() -> None:
    from auditapp.settings import Environment

    assert Environment(webhook_networks=" 10.0.0.0/8,::1/128, ").webhook_networks
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        Environment(webhook_networks="10.0.0.1/8")
