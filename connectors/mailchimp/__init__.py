"""Mailchimp: the members of one audience, over its Marketing API 3.0.

A member is known by audience and contact id: the id made of the address moves with it. What the vendor cannot do for
us: no conditional writes and no key of ours. Consent is the member's status; archiving hides a member, and a person's
own no is never overruled. Facts of the API stand where they are used: wire.py (requests and errors), native.py
(spellings), reading.py, writing.py, refusals.py, account.py (fields).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, SecretStr, field_validator

from connectors.address import BaseUrl
from connectors.auth import Secrets
from connectors.base import (
    Answer,
    Capabilities,
    Connector,
    ConnectorSettings,
    Feed,
    FeedKind,
    Finding,
    Page,
    Record,
    Ref,
    Schema,
    Write,
    WriteKind,
)
from connectors.errors import Stop
from connectors.mailchimp.account import Account
from connectors.mailchimp.native import EMAIL, MEMBER, Wanted
from connectors.mailchimp.reading import LAG, Reader
from connectors.mailchimp.wire import Wire
from connectors.mailchimp.writing import BATCH, HORIZON, Course
from connectors.world import World

if TYPE_CHECKING:
    import httpx

__all__ = ["Mailchimp", "MailchimpSettings"]

_DATA_CENTRE = re.compile(r".+-([a-z]{2,6}\d{1,4})")


class MailchimpSettings(ConnectorSettings):
    """One audience of a Mailchimp account, and the key by which we act in it."""

    api_key: SecretStr
    """An API key; what stands behind its dash is the data centre."""
    list_id: str = Field(pattern=r"^[0-9a-z]{6,20}$")
    """The audience, by the id that Mailchimp shows in its settings."""
    base_url: BaseUrl = ""
    """Where its API is, if not at the data centre of the key; a stand-in may take its place."""
    parallel: int = Field(6, ge=1, le=10)
    """So many requests under way at once; ten is Mailchimp's limit for all programs together."""
    timeout: float = Field(60.0, gt=0)
    """Seconds after which an answer is no longer waited for."""

    @field_validator("api_key")
    @classmethod
    def _names_its_data_centre(cls, key: SecretStr) -> SecretStr:
        if not _DATA_CENTRE.fullmatch(key.get_secret_value()):
            raise ValueError("a key of Mailchimp's ends in a dash and its data centre, as -us19")
        return key

    def address(self) -> str:
        """Where requests go."""
        if self.base_url:
            return self.base_url
        found = _DATA_CENTRE.fullmatch(self.api_key.get_secret_value())
        assert found is not None
        return f"https://{found[1]}.api.mailchimp.com"

    def place(self) -> tuple[object, ...]:
        return self.address(), self.list_id


CAPABILITIES = Capabilities(
    feeds=((MEMBER, FeedKind.DELTA), (MEMBER, FeedKind.SWEEP), (MEMBER, FeedKind.DELETES)),
    creates=(MEMBER,),
    returns_fields=True,
    unique=frozenset({EMAIL}),
    finds=frozenset({EMAIL}),
    consent_on="record",
    coercions=frozenset({"case", "order"}),
    batch={WriteKind.CREATE: BATCH, WriteKind.UPDATE: BATCH, WriteKind.ARCHIVE: BATCH},
    parallel=1,  # one call of `write` is at work by several requests already
    horizon=HORIZON,
    lag=LAG,
)


class Mailchimp(Connector):
    """`transport` stands in for httpx's, where no socket is wanted."""

    Settings: ClassVar[type[ConnectorSettings]] = MailchimpSettings

    def __init__(
        self,
        name: str,
        settings: MailchimpSettings,
        world: World,
        fields: Mapping[str, Sequence[str]],
        secrets: Secrets,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        del secrets  # the key is static
        self.capabilities = CAPABILITIES
        self._system = name
        self._wanted = Wanted.of(fields.get(MEMBER, ()))
        self._wire = Wire(name, settings, world, transport)
        self._reader = Reader(self._wire, world, self._wanted)
        self._account = Account(self._wire, self._wanted)

    def changes(self, feed: Feed) -> Iterator[Page]:
        self._expect(feed.object)
        return self._reader.changes(feed.cursor, archived=feed.kind is FeedKind.DELETES)

    def ids(self, feed: Feed) -> Iterator[Page]:
        self._expect(feed.object)
        return self._reader.ids(feed.cursor)

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        return self._reader.fetch(refs)

    def find(self, object: str, name: str, values: Sequence[str]) -> Iterator[Record]:
        self._expect(object)
        if name != EMAIL:
            raise Stop(f"{self._system}: members are found by {EMAIL!r} alone, not by {name!r}")
        return self._reader.find(values)

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        if not writes:
            return []
        self._expect(writes[0].object)
        return Course(self._wire, self._reader, self._wanted.names, writes).run()

    def schema(self, object: str) -> Schema:
        self._expect(object)
        return self._account.schema()

    def check(self) -> Iterator[Finding]:
        return self._account.check()

    def requests(self) -> Mapping[str, int]:
        return self._wire.gate.counts()

    def close(self) -> None:
        self._wire.close()

    def _expect(self, object: str) -> None:
        if object != MEMBER:
            raise Stop(f"{self._system}: there is no object {object!r} here, only {MEMBER!r}")
