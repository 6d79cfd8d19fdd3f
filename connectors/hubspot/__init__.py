"""HubSpot contacts.

Read through the list and search endpoints, written in batches with our key and a trace id in every create, consent
through communication preferences. HubSpot has no conditional writes, ignores some values without a word and shows
changes late in its search: what came back is told, never what was sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, SecretStr

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
    Version,
    Write,
    WriteKind,
)
from connectors.errors import Stop
from connectors.hubspot.account import Account
from connectors.hubspot.consent import Consent
from connectors.hubspot.feeds import LAG, Feeds
from connectors.hubspot.lookups import Companies, Owners, Stages
from connectors.hubspot.native import CONTACT, EMAIL, Wanted
from connectors.hubspot.reading import Reader
from connectors.hubspot.sending import HORIZON
from connectors.hubspot.wire import Pool, Wire, rates
from connectors.hubspot.writing import BATCH, Course
from connectors.world import World

if TYPE_CHECKING:
    import httpx

__all__ = ["HubSpot", "HubSpotSettings"]


class HubSpotSettings(ConnectorSettings):
    """One HubSpot account, and the private app by which we act in it."""

    token: SecretStr
    """The access token of a private app."""
    base_url: BaseUrl = "https://api.hubapi.com"
    """Where its API is; a stand-in may take its place."""
    key_property: str = Field("smarketing_id", pattern=r"^[a-z][a-z0-9_]*$", max_length=100)
    """The contact property that holds our key, by which no crash makes a person twice; `check` offers to add it."""
    requests_per_10s: int = Field(190, ge=1)
    """At most so many requests in ten seconds: 190 for Professional and Enterprise, 100 for Free and Starter."""
    daily_share: float = Field(0.8, gt=0, le=1)
    """The part of the account's daily requests that may be used, by all programs together, before we stop."""
    parallel: int = Field(4, ge=1, le=20)
    """So many requests under way at once."""
    timeout: float = Field(30.0, gt=0)
    """Seconds after which an answer is no longer waited for."""

    def place(self) -> tuple[object, ...]:
        return self.base_url, self.token


class HubSpot(Connector):
    """`transport` and `pool` stand in for httpx's and urllib3's, where no socket is wanted."""

    Settings: ClassVar[type[ConnectorSettings]] = HubSpotSettings

    def __init__(
        self,
        name: str,
        settings: HubSpotSettings,
        world: World,
        fields: Mapping[str, Sequence[str]],
        secrets: Secrets,
        *,
        transport: httpx.BaseTransport | None = None,
        pool: Pool | None = None,
    ) -> None:
        del secrets  # the token is static
        self.capabilities = _capabilities(settings)
        self._system = name
        wanted = Wanted.of(fields.get(CONTACT, ()))
        self._wire = Wire(name, settings, world, transport, pool)
        self._consent = Consent(self._wire, world, wanted)
        self._owners = Owners(self._wire, world)
        self._stages = Stages(self._wire, world)
        self._account = Account(self._wire, wanted, self._consent, settings.key_property, settings.daily_share)
        self._reader = Reader(
            self._wire,
            wanted,
            self._owners,
            Companies(self._wire, wanted.company),
            self._consent,
            settings.key_property,
            settings.parallel,
        )
        self._feeds = Feeds(name, self._wire, world, self._reader)

    def changes(self, feed: Feed) -> Iterator[Page]:
        self._expect(feed.object)
        return self._feeds.archived(feed.cursor) if feed.kind is FeedKind.DELETES else self._feeds.changes(feed.cursor)

    def ids(self, feed: Feed) -> Iterator[Page]:
        self._expect(feed.object)
        return self._feeds.ids(feed.cursor)

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        return self._reader.fetch(refs)

    def find(self, object: str, name: str, values: Sequence[str]) -> Iterator[Record]:
        self._expect(object)
        return self._reader.find(name, values)

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        if not writes:
            return []
        self._expect(writes[0].object)
        return Course(self._wire, self._account, self._reader, self._consent, self._owners, self._stages, writes).run()

    def schema(self, object: str) -> Schema:
        self._expect(object)
        return self._account.schema()

    def check(self) -> Iterator[Finding]:
        return self._account.check()

    def own_key(self, object: str) -> str | None:
        self._expect(object)
        return self._account.own_key()

    def add_own_key(self, object: str) -> str:
        self._expect(object)
        return self._account.add_own_key()

    def history(self, refs: Sequence[Ref], fields: Sequence[str]) -> Iterator[tuple[Ref, dict[str, list[Version]]]]:
        return self._reader.history(refs, fields)

    def requests(self) -> Mapping[str, int]:
        return self._wire.gate.counts()

    def quota(self) -> tuple[int, int] | None:
        return self._wire.budget.day

    def close(self) -> None:
        self._wire.close()

    def _expect(self, object: str) -> None:
        if object != CONTACT:
            raise Stop(f"{self._system}: there is no object {object!r} here, only {CONTACT!r}")


def _capabilities(settings: HubSpotSettings) -> Capabilities:
    return Capabilities(
        feeds=((CONTACT, FeedKind.DELTA), (CONTACT, FeedKind.SWEEP), (CONTACT, FeedKind.DELETES)),
        creates=(CONTACT,),
        deletes_swept=True,
        returns_fields=True,
        unique=frozenset({EMAIL, settings.key_property}),
        finds=frozenset({EMAIL}),
        consent_on="address",
        field_times=True,
        coercions=frozenset({"case", "blanks"}),
        batch=dict.fromkeys(WriteKind, BATCH),
        parallel=settings.parallel,
        horizon=HORIZON,
        lag=LAG,
        rates=rates(settings.requests_per_10s),
    )
