"""The account as it is set up: its properties, our key among them, the token's rights, and what else would hurt later.

A right to write is tried with an empty batch: the scopes are looked at before the rows, and there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connectors.base import Finding, Option, Schema, SchemaField
from connectors.errors import ConnectorError, Retry, Stop
from connectors.http import Unauthorized
from connectors.hubspot.consent import IN, OUT, Consent
from connectors.hubspot.native import COMPANY, CONSENT, CONTACT, EMAIL, MORE_EMAILS, OWNER, Wanted
from connectors.hubspot.wire import Wire

TEXT_LENGTH = 65_536
EMAIL_LENGTH = 254
GROUP = "contactinformation"

SALESFORCE = ("salesforceleadid", "salesforcecontactid")
"""Properties that HubSpot's own connection to Salesforce makes."""

BUSY_SHARE = 0.8

_TYPES = {
    "string": "text",
    "number": "number",
    "bool": "boolean",
    "date": "date",
    "datetime": "datetime",
    "enumeration": "choice",
    "phone_number": "phone",
}


class Account:
    def __init__(self, wire: Wire, wanted: Wanted, consent: Consent, key_property: str, daily_share: float) -> None:
        self._wire = wire
        self._wanted = wanted
        self._consent = consent
        self._key_property = key_property
        self._share = daily_share
        self._key: str | None = None
        self._asked = False

    # our key

    def own_key(self) -> str | None:
        """The unique property that holds our key; None where the account has none. Asked once."""
        if not self._asked:
            found = self._property(self._key_property)
            self._key = self._key_property if found is not None and found.get("hasUniqueValue") else None
            self._asked = True
        return self._key

    def blamed(self, error: Mapping[str, Any]) -> bool:
        """Whether a create was refused since somebody deleted our key property; it is then looked for anew."""
        gone = self._key is not None and "PROPERTY_DOESNT_EXIST" in str(error) and self._key_property in str(error)
        if gone:
            self._asked, self._key = False, None
        return gone

    def add_own_key(self) -> str:
        """Make the property. Raises Stop where one of that name is there and is not unique."""
        self._asked = False
        if self.own_key() is not None:
            return self._key_property
        body = {
            "name": self._key_property,
            "label": "Smarketing id",
            "type": "string",
            "fieldType": "text",
            "groupName": GROUP,
            "hasUniqueValue": True,
            "formField": False,
            "description": "Set when Smarketing makes a contact, so that no contact is made twice. Do not change.",
        }
        heard = self._wire.ask(
            lambda: self._wire.sdk.properties.create("contacts", body, _preload_content=False),
            purpose="add the key property",
            changes=True,
            rows=None,
            expect={409},
        )
        self._asked = False
        if heard.status == 409 or self.own_key() is None:
            raise Stop(
                f"{self._wire.system}: the contact property {self._key_property!r} is there and is not unique, and "
                f"HubSpot cannot make it so; name another one with key_property",
                code="SM308",
            )
        return self._key_property

    def _property(self, name: str) -> dict[str, Any] | None:
        heard = self._wire.ask(
            lambda: self._wire.sdk.properties.get_by_name("contacts", name, _preload_content=False),
            purpose="read properties",
            rows=None,
            expect={404},
        )
        return None if heard.status == 404 or heard.content.get("archived") else heard.content

    # schema

    def schema(self) -> Schema:
        fields = [_field(each) for each in self._properties("contacts")]
        for extra in (self._consent_fields, self._company_fields):
            try:
                fields += extra()
            except Unauthorized:
                raise
            except Stop:
                continue  # the token has no right to see them, so they are not there for us
        return Schema(CONTACT, tuple(fields))

    def _properties(self, object_type: str) -> list[dict[str, Any]]:
        return self._wire.ask(
            lambda: self._wire.sdk.properties.get_all(object_type, _preload_content=False),
            purpose="read properties",
            rows="name",
        ).results

    def _consent_fields(self) -> list[SchemaField]:
        options = (Option(OUT, "Opted out"), Option(IN, "Opted in"))
        fields = [SchemaField(CONSENT, "Marketing e-mail", "choice", options=options, restricted=False)]
        for each in self._consent.definitions():
            name, label = f"{CONSENT}:{each['id']}", f"E-mail: {each.get('name') or each['id']}"
            fields.append(SchemaField(name, label, "choice", options=options, restricted=False))
        return fields

    def _company_fields(self) -> list[SchemaField]:
        found = [_field(each) for each in self._properties("companies")]
        return [
            SchemaField(
                COMPANY + each.name,
                f"Company: {each.label}",
                "reference" if each.name == OWNER else each.type,  # a company's owner is told as its id
                length=each.length,
                options=each.options,
                read_only=True,
                restricted=each.restricted,
            )
            for each in found
        ]

    # check

    def check(self) -> Iterator[Finding]:
        system = self._wire.system
        try:
            names = {str(each["name"]) for each in self._properties("contacts")}
        except Unauthorized as error:
            yield Finding("error", error.code, str(error), "make a new token in HubSpot's private app settings")
            return
        except (Retry, Stop) as error:
            yield Finding("error", error.code, str(error), "without the properties nothing else can be checked")
            return
        yield Finding("ok", "SM330", f"{system}: signed in")
        for what, probe in self._rights():
            yield self._try(what, probe)
        if missing := sorted(set(self._wanted.properties) - names):
            yield Finding(
                "warning",
                "SM334",
                f"{system}: contacts have no property {', '.join(missing)}",
                "take it out of the mapping, or make it in HubSpot; until then it is never read",
            )
        yield from self._check_key()
        if native := [name for name in SALESFORCE if name in names]:
            yield Finding(
                "advice",
                "SM339",
                f"{system}: HubSpot's own connection to Salesforce has been here ({', '.join(native)})",
                "two ways between the same systems make twins and echoes: treat the two as a bonded pair",
            )
        yield from self._check_day()

    def _rights(self) -> Iterator[tuple[str, Callable[[], object]]]:
        sdk, ask = self._wire.sdk, self._wire.ask
        nothing: dict[str, object] = {"inputs": []}
        empty_read: dict[str, object] = {"properties": [], "propertiesWithHistory": [], "inputs": []}

        def probe(send: Callable[[], Any]) -> Callable[[], object]:
            return lambda: ask(send, purpose="check rights", rows=None, expect={400})

        yield "contacts can be read", probe(lambda: sdk.contacts.get_page(limit=1, _preload_content=False))
        yield "contacts can be written", probe(lambda: sdk.batch.update(nothing, _preload_content=False))
        yield "owners can be read", probe(lambda: sdk.owners.get_page(limit=1, _preload_content=False))
        if self._wanted.company:
            yield "companies can be read", probe(lambda: sdk.companies.read(empty_read, _preload_content=False))
        if self._wanted.consent:
            yield "consent can be read", lambda: self._consent.probe("statuses/batch/read")
            yield "consent can be written", lambda: self._consent.probe("statuses/batch/write")

    def _try(self, what: str, probe: Callable[[], object]) -> Finding:
        try:
            probe()
        except ConnectorError as error:
            return Finding("error", error.code, str(error), "until then what needs it stops")
        return Finding("ok", "SM332", f"{self._wire.system}: {what}")

    def _check_key(self) -> Iterator[Finding]:
        system, name = self._wire.system, self._key_property
        self._asked = False
        if self.own_key():
            yield Finding("ok", "SM335", f"{system}: the property {name} holds our key")
        elif self._property(name) is not None:
            yield Finding(
                "warning",
                "SM335",
                f"{system}: the property {name} is not unique, so it cannot hold our key",
                "HubSpot cannot make it so afterwards: name another one with key_property, and let us add it",
            )
        else:
            yield Finding(
                "advice",
                "SM335",
                f"{system}: there is no property {name} for our key",
                "without it a contact without an address, whose create got no answer, can end in a review entry; let "
                "us add it (a text property with unique values)",
            )

    def _check_day(self) -> Iterator[Finding]:
        if day := self._wire.budget.day:
            used, allowed = day
            busy = used >= allowed * min(BUSY_SHARE, self._share)
            yield Finding(
                "warning" if busy else "ok",
                "SM337",
                f"{self._wire.system}: {used:,} of {allowed:,} requests of the day are used, by all apps together",
                f"we stop at our share of {self._share:.0%} (daily_share); find out what uses the rest" if busy else "",
            )


def _field(property: Mapping[str, Any]) -> SchemaField:
    name = str(property["name"])
    type_, shown = property.get("type"), property.get("fieldType")
    kind = _TYPES.get(str(type_), "other")
    if name in (EMAIL, OWNER):  # an owner is told and taken as an e-mail address
        kind = "email"
    elif name == MORE_EMAILS or shown == "checkbox":
        kind = "choices"
    elif shown == "phonenumber":
        kind = "phone"
    elif property.get("referencedObjectType"):
        kind = "reference"
    options = None
    fixed = type_ == "enumeration" and name != MORE_EMAILS and not property.get("externalOptions")
    if kind in ("choice", "choices") and fixed:
        told = property.get("options") or ()
        options = tuple(Option(str(each["value"]), str(each.get("label") or each["value"])) for each in told)
    limits = property.get("modificationMetadata") or {}
    return SchemaField(
        name=name,
        label=str(property.get("label") or name),
        type=kind,
        length=EMAIL_LENGTH if name == EMAIL else TEXT_LENGTH if type_ == "string" else None,
        options=options,
        read_only=bool(property.get("calculated") or limits.get("readOnlyValue")),
        unique=name == EMAIL or bool(property.get("hasUniqueValue")),
        restricted=options is not None or kind not in ("choice", "choices"),
    )
