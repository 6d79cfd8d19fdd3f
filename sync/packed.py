"""Values as bytes: what is stored, and what tells whether two values are the same.

The same value always gives the same bytes, whatever order its keys were put in. Pure.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder().decode


def pack(value: object) -> bytes:
    """JSON bytes; the same value always gives the same bytes."""
    return _encode(value)


def pack_or_none(value: object) -> bytes | None:
    """None for what is empty."""
    return _encode(value) if value else None


def unpack(stored: bytes | None) -> Any:
    return None if stored is None else _decode(stored)


def digest(value: object) -> str:
    """A short hash of a JSON-native value, for telling whether two are the same."""
    return hashlib.blake2b(_encode(value), digest_size=8).hexdigest()
