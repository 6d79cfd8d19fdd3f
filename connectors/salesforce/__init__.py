"""Salesforce: leads and contacts over REST, through its SDK `simple-salesforce`.

What the vendor cannot do for us: no conditional writes, no values in the answer to a write, and no key of ours unless
the organisation has our external id field (`own_key`; `add_own_key` makes it). Opt-outs are an ordinary field of the
record. Facts of the API stand where they are used: answers.py (errors), native.py (spellings), wire.py (requests),
reading.py, writing.py, users.py (owners), account.py (rights and fields).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

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
from connectors.salesforce.account import Account
from connectors.salesforce.reading import LAG, OBJECTS, Reader
from connectors.salesforce.users import Users
from connectors.salesforce.writing import BATCH, HORIZON, Writer
from connectors.world import World

if TYPE_CHECKING:
    import httpx
    from requests.adapters import BaseAdapter


class SalesforceSettings(ConnectorSettings):
    """One organisation, and the connected app by which we act in it."""

    auth: Literal["client_credentials", "jwt_bearer", "refresh_token"] = "client_credentials"
    """How we sign in: as the app's run-as user, by a signed assertion, or by a person's consent that was kept."""
    client_id: str = Field(min_length=1)
    """The consumer key of the connected app."""
    client_secret: SecretStr
    """Its consumer secret; with jwt_bearer the private key in PEM form whose certificate the app has: file:PATH."""
    base_url: BaseUrl
    """The My Domain address, https://….my.salesforce.com."""
    username: str = Field(default="", validate_default=True)
    """With jwt_bearer: the user we act as."""
    audience: str = "https://login.salesforce.com"
    """With jwt_bearer: for whom the assertion is; https://test.salesforce.com for a sandbox organisation."""
    refresh_token: SecretStr = Field(default=SecretStr(""), validate_default=True)
    """With refresh_token: what the consent brought."""
    api_version: str = Field(default="v62.0", pattern=r"^v\d{2,3}\.0$")
    """Which version of the API is spoken."""
    key_field: str = Field(default="Smarketing_Id__c", pattern=r"^[A-Za-z][A-Za-z0-9_]*__c$")
    """The field, on leads and on contacts, that holds our key, by which no crash makes a person twice."""
    create_as: Literal["Lead", "Contact"] = "Lead"
    """What a new person becomes."""
    daily_share: float = Field(default=0.8, gt=0, le=1)
    """The part of the organisation's daily requests that may be used, by all programs together, before we stop."""
    parallel: int = Field(default=4, ge=1, le=20)
    """So many requests under way at once."""
    timeout: float = Field(default=60.0, gt=0, le=HORIZON)
    """Seconds after which an answer is no longer waited for."""

    @field_validator("username")
    @classmethod
    def _has_a_user(cls, username: str, told: ValidationInfo) -> str:
        if told.data.get("auth") == "jwt_bearer" and not username:
            raise ValueError("with auth jwt_bearer write username, the user we act as")
        return username

    @field_validator("refresh_token")
    @classmethod
    def _has_a_refresh_token(cls, token: SecretStr, told: ValidationInfo) -> SecretStr:
        if told.data.get("auth") == "refresh_token" and not token.get_secret_value():
            raise ValueError("with auth refresh_token write refresh_token, what the consent brought")
        return token

    def place(self) -> tuple[object, ...]:
        return (self.base_url,)


class Salesforce(Connector):
    Settings = SalesforceSettings

    def __init__(
        self,
        name: str,
        settings: SalesforceSettings,
        world: World,
        fields: Mapping[str, Sequence[str]],
        secrets: Secrets,
        *,
        transport: httpx.BaseTransport | None = None,
        adapter: BaseAdapter | None = None,
    ) -> None:
        """`transport` carries the token requests and `adapter` the SDK's, instead of the network."""
        from connectors.salesforce.wire import Wire  # it loads the SDK

        other = {"Lead": "Contact", "Contact": "Lead"}[settings.create_as]
        self.capabilities = Capabilities(
            feeds=tuple((object, kind) for kind in (FeedKind.DELTA, FeedKind.SWEEP) for object in OBJECTS),
            creates=(settings.create_as, other),
            finds=frozenset({"Email"}),
            consent_on="record",
            coercions=frozenset({"blanks", "case", "order"}),
            batch={WriteKind.CREATE: BATCH, WriteKind.UPDATE: BATCH, WriteKind.ARCHIVE: BATCH},
            parallel=settings.parallel,
            horizon=HORIZON,
            lag=LAG,
        )
        self._daily_share = settings.daily_share
        self._wire = Wire(name, settings, world, secrets, transport, adapter)
        self._account = Account(name, self._wire, fields, settings.key_field)
        users = Users(self._wire, world)
        self._reader = Reader(name, self._wire, self._account, users, world)
        self._writer = Writer(self._wire, self._account, users, self._reader, world)

    def changes(self, feed: Feed) -> Iterator[Page]:
        return self._reader.changes(feed)

    def ids(self, feed: Feed) -> Iterator[Page]:
        return self._reader.ids(feed)

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Record]:
        return self._reader.fetch(refs)

    def find(self, object: str, name: str, values: Sequence[str]) -> Iterator[Record]:
        return self._reader.find(object, name, values)

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        return self._writer.write(writes)

    def schema(self, object: str) -> Schema:
        return self._account.schema(object)

    def check(self) -> Iterator[Finding]:
        return self._account.check(OBJECTS, self._daily_share)

    def own_key(self, object: str) -> str | None:
        return self._account.own_key(object)

    def add_own_key(self, object: str) -> str:
        return self._account.add_own_key(object)

    def requests(self) -> Mapping[str, int]:
        return self._wire.counts()

    def quota(self) -> tuple[int, int] | None:
        return self._wire.day()

    def close(self) -> None:
        self._wire.close()
