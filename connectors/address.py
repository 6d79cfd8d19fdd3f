"""The address of a vendor's API, as a setting: credentials are sent to it, so nobody on the way may read along.

https, or http to this machine alone, where an emulator may stand in. Refused: a user or password inside the address,
which messages and logs would tell, and anything behind the path.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator


def _kept_private(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port == 0 or parts.scheme not in ("https", "http") or value != "".join(value.split()):
        raise ValueError("write an address that begins with https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address holds no user and no password; credentials have keys of their own")
    if parts.query or parts.fragment:
        raise ValueError("an address ends before ? and #; leave out what stands behind them")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise ValueError("write https://, since credentials are sent to it; http:// is for this machine alone")
    return value.rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


BaseUrl: TypeAlias = Annotated[str, AfterValidator(_kept_private)]
"""Where an API is, without a slash at the end."""
