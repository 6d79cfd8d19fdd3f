"""Salesforce's stand-in: the API in front, and the hidden door behind it.

The org's people act through the door: they save under the same rules, as other users than ours. What the vendor's
screens can do and its REST API cannot (merge, convert, undelete, field security) is here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from connectors.backdoor import Fault, Kept, Seen, When
from connectors.base import Fields, Ref, State, Value
from connectors.world import World
from smarketing.sandbox.emulator import Misbehaviour, Reply, Request
from smarketing.sandbox.salesforce import clock, coerce
from smarketing.sandbox.salesforce.deeds import Deeds
from smarketing.sandbox.salesforce.errors import ApiError
from smarketing.sandbox.salesforce.ids import read_id
from smarketing.sandbox.salesforce.oauth import expired
from smarketing.sandbox.salesforce.org import By, Options, Org
from smarketing.sandbox.salesforce.router import Router, is_oauth
from smarketing.sandbox.salesforce.saving import Saving
from smarketing.sandbox.salesforce.schema import Field, Scalar, SObject, Values
from smarketing.sandbox.salesforce.standard import lifecycle_field

KEPT = ("Account", "Lead", "Contact", "Campaign", "CampaignMember", "Opportunity", "OpportunityContactRole", "Task")
CONSENT = {"email": "HasOptedOutOfEmail", "fax": "HasOptedOutOfFax", "phone": "DoNotCall"}
WITH_CONSENT = ("Lead", "Contact")
DEFAULT_CUSTOM_FIELDS: Mapping[str, Sequence[Field]] = {"Lead": [lifecycle_field()], "Contact": [lifecycle_field()]}


class _Words:
    """How Salesforce says no. OAuth has an error shape of its own."""

    def __init__(self) -> None:
        self.oauth = False
        self.counted: Callable[[Reply], Reply] = lambda reply: reply

    def rate(self, seconds: float) -> Reply:
        """Too many at once. The vendor does not say for how long."""
        message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
        return self._say(
            ApiError(403, "REQUEST_LIMIT_EXCEEDED", message), 400, "rate_limit_exceeded", "login rate exceeded"
        )

    def error(self) -> Reply:
        return self._say(
            ApiError(503, "SERVER_UNAVAILABLE", "The REST API is temporarily unavailable"), 503, "server_error"
        )

    def expired(self) -> Reply:
        return self._say(expired(), 400, "invalid_grant", "expired access/refresh token")

    def forbidden(self) -> Reply:
        message = "insufficient access rights on cross-reference id"
        error = ApiError(403, "INSUFFICIENT_ACCESS", message)
        return self._say(error, 400, "invalid_grant", "user hasn't approved this consumer")

    def _say(self, error: ApiError, status: int, code: str, description: str = "") -> Reply:
        if self.oauth:
            return Reply.of(status, {"error": code, "error_description": description or error.message})
        return self.counted(Reply.of(error.status, error.body()))


class SalesforceEmulator:
    """An org with our integration user, a sales person, a few machines that write too, and a queue for leads."""

    name = "salesforce"

    def __init__(
        self,
        world: World,
        *,
        client_id: str,
        client_secret: str,
        username: str,
        password: str,
        certificate: str = "",
        daily_limit: int = 100_000,
        session_seconds: int = 7200,
        key_field: bool = True,
        state_country_picklists: bool = False,
        duplicate_rule: bool = False,
        assignment_rule: bool = False,
        custom_fields: Mapping[str, Sequence[Field]] = DEFAULT_CUSTOM_FIELDS,
    ) -> None:
        """`certificate`: the app's, a public key in PEM form, for assertions; its user has approved it. `key_field`:
        leads and contacts have the unique external id Smarketing_Id__c. `duplicate_rule`: an address that another lead
        or contact has is refused unless the header allows it. `assignment_rule`: leads saved through the API go to the
        queue unless the header forbids it."""
        self._words = _Words()
        self._misbehaviour = Misbehaviour(world, self._words)
        options = Options(
            client_id=client_id,
            client_secret=client_secret,
            username=username,
            password=password,
            certificate=certificate,
            daily_limit=daily_limit,
            session_seconds=session_seconds,
            key_field=key_field,
            state_country_picklists=state_country_picklists,
            duplicate_rule=duplicate_rule,
            assignment_rule=assignment_rule,
            custom_fields=custom_fields,
        )
        self.org = Org(world, options, lambda: self._misbehaviour.lag)
        self._saving = Saving(self.org)
        self._deeds = Deeds(self.org, self._saving)
        self._router = Router(self.org, self._saving, self._misbehaviour)
        self._words.counted = self._router.counted

    def handle(self, request: Request) -> Reply:
        self._words.oauth = is_oauth(request.path)
        return self._misbehaviour.run(request, self._router.answer)

    def credentials(self, base_url: str) -> dict[str, str]:
        options = self.org.options
        return {
            "base_url": base_url,
            "client_id": options.client_id,
            "client_secret": options.client_secret,
            "username": options.username,
            "password": options.password,
        }

    def put(self, object: str, fields: Fields) -> Ref:
        """A person makes a record. Raises ValueError for what the screens would not let through."""
        sobject = self._sobject(object)
        with _Screens():
            id = self._saving.insert(sobject, coerce.understand(sobject, fields), self._by("person"))
        return Ref(sobject.name, id)

    def edit(self, ref: Ref, fields: Fields, as_: str = "person") -> None:
        sobject, id = self._known(ref)
        with _Screens():
            self._saving.update(sobject, id, coerce.understand(sobject, fields), self._by(as_))

    def corrupt(self, ref: Ref, fields: Fields) -> None:
        """Values become others and nobody did it: no stamp and no history tells."""
        sobject, id = self._known(ref)
        table = self.org.store.tables[sobject.name]
        given = coerce.understand(sobject, fields).items()
        values = {**table.rows[id], **{name: each for name, each in given if not isinstance(each, coerce.Lookup)}}
        table.put({name: each for name, each in values.items() if each is not None})

    def remove(self, ref: Ref) -> None:
        sobject, id = self._known(ref)
        with _Screens():
            self._saving.delete(sobject, id, self._by("person"))

    def merge(self, winner: Ref, loser: Ref) -> Ref:
        sobject, kept = self._known(winner)
        _, gone = self._known(loser)
        with _Screens():
            self._deeds.merge(sobject, kept, gone, self._by("person"))
        return Ref(sobject.name, kept)

    def convert(self, lead: Ref, *, opportunity: bool = False) -> Ref:
        """A person turns a lead into a contact at an account, perhaps with a deal; answers the contact."""
        _, id = self._known(lead)
        with _Screens():
            return Ref("Contact", self._deeds.convert(id, self._by("person"), opportunity=opportunity))

    def restore(self, ref: Ref) -> None:
        """A person takes a record out of the recycle bin."""
        sobject, id = self._known(ref)
        with _Screens():
            self._deeds.restore(sobject, id, self._by("person"))

    def erase(self, ref: Ref) -> None:
        """A person deletes it for good."""
        sobject, id = self._known(ref)
        row = self.org.store.tables[sobject.name].rows[id]
        if not row.get("IsDeleted"):
            self.remove(ref)
        self.org.empty_bin(id)

    def empty_bin(self) -> None:
        """An administrator empties the recycle bin: nothing tells of those deletions any more."""
        self.org.empty_bin()

    def lock(self, ref: Ref, times: int = 1) -> None:
        """Somebody else holds the row: so many writes to it, or below it, cannot have it."""
        _, id = self._known(ref)
        self.org.locked[id] += times

    def hide(self, object: str, field: str) -> None:
        """An administrator takes a field out of our user's sight."""
        sobject = self._sobject(object)
        if sobject.fields.get(field) is None:
            raise ValueError(f"{object} has no field {field!r}")
        self.org.hide(object, field)

    def show(self, object: str, field: str) -> None:
        """And gives it back."""
        self._sobject(object).hidden.discard(field)

    def opt_out(self, address: str, channel: str = "email") -> None:
        self._consent(address, channel, out=True)

    def confirm(self, address: str, channel: str = "email") -> None:
        self._consent(address, channel, out=False)

    def fault(self, kind: Fault, when: When) -> None:
        self._misbehaviour.arm(kind, when)

    def requests(self) -> list[Seen]:
        return list(self._misbehaviour.seen)

    def records(self) -> list[Kept]:
        """Requests that were under way have landed by then."""
        self._misbehaviour.land()
        self.org.tick()
        erased = [(each.object, each.values) for each in self.org.store.erased]
        kept: list[Kept] = []
        for object in KEPT:
            there = list(self.org.store.tables[object].rows.values())
            gone = [values for name, values in erased if name == object]
            shown = [(row, False) for row in there] + [(row, True) for row in gone]
            kept += [
                self._kept(object, row, erased=away) for row, away in sorted(shown, key=lambda pair: str(pair[0]["Id"]))
            ]
        return kept

    def _kept(self, object: str, row: Values, *, erased: bool) -> Kept:
        fields: Fields = {
            each.name: _stored(row.get(each.name))
            for each in self.org.schema.objects[object].fields.values()
            if each.type != "address"
        }
        state, into = State.LIVE, None
        if row.get("MasterRecordId") is not None:
            state, into = State.MERGED, Ref(object, str(row["MasterRecordId"]))
        elif row.get("IsDeleted"):
            state = State.DELETED
        elif row.get("ConvertedContactId") is not None:
            state, into = State.MERGED, Ref("Contact", str(row["ConvertedContactId"]))
        if erased and state is not State.MERGED:
            state = State.DELETED
        consent = {}
        if object in WITH_CONSENT:
            consent = {channel: "out" if row.get(name) else "in" for channel, name in CONSENT.items()}
        return Kept(Ref(object, str(row["Id"])), fields, state, into, clock.micros(str(row["SystemModstamp"])), consent)

    def _consent(self, address: str, channel: str, *, out: bool) -> None:
        """Every live record with the address; a machine ticks the box for the one who clicked."""
        if channel not in CONSENT:
            raise ValueError(f"no channel {channel!r}; there are {', '.join(CONSENT)}")
        for object in WITH_CONSENT:
            sobject = self.org.schema.objects[object]
            for row in self._saving.matching(sobject, sobject.fields["Email"], address.strip()):
                if not row.get("IsConverted"):
                    self._saving.update(sobject, str(row["Id"]), {CONSENT[channel]: out}, self._by("workflow"))

    def _by(self, writer: str) -> By:
        return By(user=self.org.users.named(writer), api=False, assign=False, allow_duplicates=True)

    def _sobject(self, name: str) -> SObject:
        found = self.org.schema.find(name)
        if found is None:
            raise ValueError(f"no object {name!r}")
        return found

    def _known(self, ref: Ref) -> tuple[SObject, str]:
        sobject = self._sobject(ref.object)
        id = read_id(ref.id)
        if id is None or self.org.store.tables[sobject.name].get(id) is None:
            raise ValueError(f"no record {ref}")
        return sobject, id


class _Screens:
    """What the vendor refuses a person, as the ValueError that the control address answers."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ApiError):
            raise ValueError(str(error)) from error


def _stored(value: Scalar) -> Value:
    """As the contract has native values: numbers with a fraction as text."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return value
