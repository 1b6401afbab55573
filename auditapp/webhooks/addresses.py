"""Where a webhook may be sent: to the outside over TLS, never to this machine or the networks inside, unless `PLUMBLINE_WEBHOOK_NETWORKS` names them.

Asked when an address is saved and again before each sending, since a name may point elsewhere by then; who sends connects to an address that was checked
here and resolves nothing again.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

from automl.errors import BadInput

MOST_CHARACTERS = 1_000
_POINTER = "/url"
_VISIBLE = re.compile(r"https?://[!-~]+")
_HOST = re.compile(r"[A-Za-z0-9._:-]+")

_Address = IPv4Address | IPv6Address

_WRAPS_ANOTHER = tuple(map(IPv6Network, ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")))
"""IPv6 addresses that lead to an IPv4 one, which could be inside: translation and tunnels of old."""


@dataclass(frozen=True)
class Target:
    """A checked place to send to. ``addresses`` are all that its name stands for, each of them allowed."""

    is_tls: bool
    host: str
    port: int
    path: str
    host_header: str
    addresses: tuple[str, ...]


def checked_target(url: str) -> Target:
    """Where ``url`` leads. Raises BadInput with one sentence where it may not be sent to."""
    target = _read(url)
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BadInput(f"url: the name {target.host[:100]!r} cannot be resolved", pointer=_POINTER) from error
    addresses = [_plain(ip_address(str(entry[4][0]).partition("%")[0])) for entry in found]
    for address in addresses:
        if _is_ours(address):
            continue
        if _is_inside(address):
            raise BadInput(f"url: {target.host[:100]!r} is an address inside a network or reserved, and webhooks are sent to the outside only", pointer=_POINTER)
        if not target.is_tls:
            raise BadInput("url: an address outside must begin with https://", pointer=_POINTER)
    return Target(target.is_tls, target.host, target.port, target.path, target.host_header, tuple(dict.fromkeys(map(str, addresses))))


def _read(url: str) -> Target:
    if len(url) > MOST_CHARACTERS or _VISIBLE.fullmatch(url) is None or "\\" in url:
        raise BadInput(f"url: an address of at most {MOST_CHARACTERS:,} visible ASCII characters is needed that begins with https://", pointer=_POINTER)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadInput("url: host and port cannot be read", pointer=_POINTER) from error
    if "@" in parts.netloc or "#" in url:
        raise BadInput("url: it must hold neither a user's name nor a fragment", pointer=_POINTER)
    if _HOST.fullmatch(host) is None or port == 0:
        raise BadInput("url: host and port cannot be read", pointer=_POINTER)
    is_tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(is_tls, host, port or (443 if is_tls else 80), path, parts.netloc, ())


def _plain(address: _Address) -> _Address:
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _is_ours(address: _Address) -> bool:
    networks = [ip_network(text.strip()) for text in settings.WEBHOOK_NETWORKS.split(",") if text.strip()]
    return any(address in network for network in networks)


def _is_inside(address: _Address) -> bool:
    # "Global" is what IANA's registries call reachable from everywhere; some multicast counts as that
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return True
    return isinstance(address, IPv6Address) and (address.is_site_local or any(address in network for network in _WRAPS_ANOTHER))
