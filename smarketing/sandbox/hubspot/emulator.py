"""HubSpot as a state machine: its API through `handle`, and the hidden door for whoever plays the people behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connectors.backdoor import Fault, Kept, Seen, When
from connectors.base import Fields, Ref, State, Value
from connectors.world import World
from smarketing.sandbox.emulator import Misbehaviour, Reply, Request
from smarketing.sandbox.hubspot.access import SCOPES, Access, App
from smarketing.sandbox.hubspot.associations_api import AssociationsApi
from smarketing.sandbox.hubspot.batch import BatchApi
from smarketing.sandbox.hubspot.calls import Pager
from smarketing.sandbox.hubspot.consent import SUBSCRIBED, UNSUBSCRIBED, Status, told
from smarketing.sandbox.hubspot.crm import Crm
from smarketing.sandbox.hubspot.limits import Limits
from smarketing.sandbox.hubspot.merging import merge
from smarketing.sandbox.hubspot.objects import ObjectsApi
from smarketing.sandbox.hubspot.owners import Owner, OwnersApi
from smarketing.sandbox.hubspot.preferences import PreferencesApi
from smarketing.sandbox.hubspot.properties_api import PropertiesApi
from smarketing.sandbox.hubspot.records import CONTACTS, Record, Table
from smarketing.sandbox.hubspot.refusals import Refusal, Voice
from smarketing.sandbox.hubspot.router import Router
from smarketing.sandbox.hubspot.search import SearchApi
from smarketing.sandbox.hubspot.sources import PERSON, Source, actor
from smarketing.sandbox.hubspot.standard import mirror
from smarketing.sandbox.hubspot.times import Clock

OWNERS = (
    Owner(80_001, 7_080_001, "owner.one@example.com", "Owner", "One"),
    Owner(80_002, 7_080_002, "owner.two@example.com", "Owner", "Two"),
)
OWNER = "owner"
BY_ITSELF = ("hs_email_bounce", "hs_email_quarantined", "hs_marketable_status")
"""What HubSpot finds out for itself; the API cannot write it, the backdoor can."""


class HubSpotEmulator:
    """One account.

    `search_lag`: seconds by which the search is late. `key_property`: the account has a property "smarketing_id"
    with unique values. `app`: an OAuth app that is installed. `new_id_on_merge` and `default_stage`: see `Crm`.
    """

    name = "hubspot"

    def __init__(
        self,
        world: World,
        *,
        token: str,
        app: App | None = None,
        scopes: Iterable[str] = SCOPES,
        owners: Sequence[Owner] = OWNERS,
        search_lag: float = 5.0,
        ten_second_limit: int = 190,
        search_per_second: int = 5,
        daily_limit: int = 625_000,
        key_property: bool = True,
        new_id_on_merge: bool = True,
        default_stage: str = "",
    ) -> None:
        self._token = token
        self._voice = Voice()
        self._mischief = Misbehaviour(world, self._voice)
        clock = Clock(world)
        self._crm = Crm(
            clock, owners, key_property=key_property, default_stage=default_stage, new_id_on_merge=new_id_on_merge
        )
        self._limits = Limits(
            clock, self._voice, ten_second=ten_second_limit, search=search_per_second, daily=daily_limit
        )
        crm, pager = self._crm, Pager(self._mischief)

        def lag() -> float:
            return search_lag if self._mischief.lag is None else self._mischief.lag

        self._router = Router(
            crm,
            Access(clock, token, app, scopes),
            self._limits,
            objects=ObjectsApi(crm, pager),
            batch=BatchApi(crm),
            search=SearchApi(crm.tables.values(), pager, crm.now, lag),
            associations=AssociationsApi(crm, pager),
            properties=PropertiesApi(crm.now),
            owners=OwnersApi(crm.owners, pager),
            preferences=PreferencesApi(crm.consent, crm.now, crm.now()),
        )

    def handle(self, request: Request) -> Reply:
        return self._mischief.run(request, self._answer)

    def credentials(self, base_url: str) -> dict[str, str]:
        return {"base_url": base_url, "token": self._token}

    def lock(self, seconds: float) -> None:
        """For so long, writes are answered with 423."""
        self._limits.lock(seconds)

    def _answer(self, request: Request) -> Reply:
        try:
            return self._router.answer(request)
        except Refusal as refusal:
            return self._voice.say(refusal)

    # --- the backdoor ------------------------------------------------------------------------------------------------

    def put(self, object: str, fields: Fields) -> Ref:
        """Also an "owner" (email, firstName, lastName): somebody joins the company. Raises ValueError."""
        self._mischief.land()
        raw = {name: _raw(value) for name, value in fields.items() if value is not None}
        if object == OWNER:
            names = str(raw.get("firstName", "")), str(raw.get("lastName", ""))
            owner = self._crm.owners.add(str(raw.get("email", "")), *names, now=self._crm.now())
            return Ref(OWNER, str(owner.id))
        table = self._table(object)
        consent, found_out, written = self._sorted(table, raw)
        _need_address(consent, written.get("email"))
        try:
            record = self._crm.create(table, self._crm.check(table, None, written, PERSON), PERSON)
        except Refusal as refusal:
            raise ValueError(refusal.message) from None
        self._go_on(table, record, consent, found_out, PERSON)
        return Ref(object, str(record.id))

    def edit(self, ref: Ref, fields: Fields, as_: str = "person") -> None:
        """The mirror properties of consent are edited as well: as the subscriptions on a contact's page. Raises
        ValueError."""
        self._mischief.land()
        table, source = self._table(ref.object), actor(as_)
        record = self._live(table, ref)
        raw = {name: "" if value is None else _raw(value) for name, value in fields.items()}
        consent, found_out, written = self._sorted(table, raw)
        _need_address(consent, written.get("email", record.values.get("email")))
        try:
            self._crm.update(table, record, self._crm.check(table, record, written, source), source)
        except Refusal as refusal:
            raise ValueError(refusal.message) from None
        self._go_on(table, record, consent, found_out, source)

    def corrupt(self, ref: Ref, fields: Fields) -> None:
        """Values become others and nobody did it: no time, no history and no search index tells."""
        self._mischief.land()
        table = self._table(ref.object)
        record = self._live(table, ref)
        raw = {name: "" if value is None else str(_raw(value)) for name, value in fields.items()}
        table.corrupt(record, {name: value for name, value in {**record.values, **raw}.items() if value})

    def remove(self, ref: Ref) -> None:
        self._mischief.land()
        if ref.object == OWNER:
            self._crm.owners.archive(int(ref.id), self._crm.now())
            return
        table = self._table(ref.object)
        self._crm.archive(table, self._live(table, ref))

    def merge(self, winner: Ref, loser: Ref) -> Ref:
        self._mischief.land()
        table = self._crm.contacts
        try:
            survivor = merge(self._crm, self._live(table, winner), self._live(table, loser))
        except Refusal as refusal:
            raise ValueError(refusal.message) from None
        return Ref(CONTACTS.singular, str(survivor.id))

    def opt_out(self, address: str, channel: str = "email") -> None:
        self._mischief.land()
        self._crm.consent.opt_out(_mailed(address, channel), self._crm.now())

    def confirm(self, address: str, channel: str = "email") -> None:
        self._mischief.land()
        self._crm.consent.confirm(_mailed(address, channel), self._crm.now())

    def fault(self, kind: Fault, when: When) -> None:
        self._mischief.arm(kind, when)

    def requests(self) -> list[Seen]:
        return list(self._mischief.seen)

    def records(self) -> list[Kept]:
        self._mischief.land()
        return [
            self._kept(table, table.records[number])
            for table in self._crm.tables.values()
            for number in sorted(table.records)
        ]

    # --- its parts ---------------------------------------------------------------------------------------------------

    def _kept(self, table: Table, record: Record) -> Kept:
        into, consent = None, {}
        if record.erased:
            state = State.DELETED
        elif record.merged_into is not None:
            survivor = table.find(record.id)
            state, into = State.MERGED, Ref(table.kind.singular, str(survivor.id if survivor else record.merged_into))
        else:
            state = State.LIVE if record.shot.archived is None else State.ARCHIVED
        mailable = self._crm.consent.mailable(record.values.get("email", ""))
        if mailable is not None:
            consent["email"] = mailable
        ref = Ref(table.kind.singular, str(record.id))
        return Kept(ref, dict(record.values), state, into, record.shot.modified * 1000, consent)

    def _table(self, object: str) -> Table:
        tables = {table.kind.singular: table for table in self._crm.tables.values()}
        if object not in tables:
            raise ValueError(f"no object {object!r}; known are {', '.join([*tables, OWNER])}")
        return tables[object]

    def _live(self, table: Table, ref: Ref) -> Record:
        record = table.live(ref.id)
        if record is None:
            raise ValueError(f"there is no {ref} that a person could still see")
        return record

    def _sorted(
        self, table: Table, raw: Mapping[str, object]
    ) -> tuple[dict[str, bool], dict[str, str], dict[str, object]]:
        """What is consent, what HubSpot finds out for itself, and what is written."""
        if table.kind is not CONTACTS:
            return {}, {}, dict(raw)
        mirrors = {"hs_email_optout", *map(mirror, self._crm.consent.subscriptions)}
        consent = {name: value in (True, "true") for name, value in raw.items() if name in mirrors}
        found_out = {name: str(value) for name, value in raw.items() if name in BY_ITSELF}
        return consent, found_out, {k: v for k, v in raw.items() if k not in consent and k not in found_out}

    def _go_on(
        self, table: Table, record: Record, consent: Mapping[str, bool], found_out: Mapping[str, str], source: Source
    ) -> None:
        if found_out:
            self._crm.update(table, record, found_out, source)
        address = record.values.get("email", "")
        for name, out in consent.items():
            status = Status(UNSUBSCRIBED if out else SUBSCRIBED, told(source), self._crm.now())
            number = name.removeprefix("hs_email_optout").lstrip("_")
            if number:
                self._crm.consent.set(address, int(number), status, source)
            elif out:
                self._crm.consent.unsubscribe_all(address, status, source)
            elif self._crm.consent.out_of_everything(address):
                for each in self._crm.consent.subscriptions:
                    self._crm.consent.set(address, each, status, source)


def _raw(value: Value) -> object:
    """A field as a request would carry it."""
    if isinstance(value, list):
        return ";".join(value)
    if isinstance(value, dict):
        raise ValueError("a value that is known in part cannot be written")
    return value


def _need_address(consent: Mapping[str, bool], address: object) -> None:
    if consent and not address:
        raise ValueError("consent hangs on an address, and this contact has none")


def _mailed(address: str, channel: str) -> str:
    if channel != "email":
        raise ValueError(f"no channel {channel!r}; there is email")
    return address.strip().lower()
