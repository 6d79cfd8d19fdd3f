"""What may be written to a record, and what follows from it: the account's records with their rules.

A write is checked whole before anything of it happens; `check` raises Refusal and changes nothing, `create` and
`update` take what was checked. Refuses unknown, read-only and unfit values, and unique values that another one has.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from smarketing.sandbox.hubspot import standard
from smarketing.sandbox.hubspot.associations import PRIMARY, UNLABELLED, Links
from smarketing.sandbox.hubspot.consent import Consent
from smarketing.sandbox.hubspot.owners import Owner, Owners
from smarketing.sandbox.hubspot.properties import Catalogue, Property
from smarketing.sandbox.hubspot.records import COMPANIES, CONTACTS, Edit, Record, Shot, Table, addresses
from smarketing.sandbox.hubspot.refusals import Problem, bad_request, exists, invalid, taken
from smarketing.sandbox.hubspot.sources import Source
from smarketing.sandbox.hubspot.times import Clock, stamp
from smarketing.sandbox.hubspot.values import Unfit, coerce

OWN_KEY = "smarketing_id"
_NAMING = ("email", "firstname", "lastname")


class Crm:
    """The state of the account. `new_id_on_merge`: a survivor gets a new id, unless the account is in the vendor's
    "primary ID preservation" beta. `default_stage`: the lifecycle stage the account gives to new contacts."""

    def __init__(
        self, clock: Clock, owners: Sequence[Owner], *, key_property: bool, default_stage: str, new_id_on_merge: bool
    ) -> None:
        self.now = clock.now
        self._default_stage = default_stage
        self.new_id_on_merge = new_id_on_merge
        self.blocked: set[str] = set()
        opened = clock.now()
        self.consent = Consent(opened)
        self.consent.changed = self._mirror
        self.owners = Owners(owners, opened)
        self.links = Links()
        contacts = Catalogue(standard.groups(standard.CONTACT_GROUPS))
        names = {number: each.name for number, each in self.consent.subscriptions.items()}
        contacts.put(standard.contact_properties(names, opened))
        if key_property:
            contacts.put([Property(OWN_KEY, "Smarketing ID", unique=True, own=True, created=opened, updated=opened)])
        companies = Catalogue(standard.groups(standard.COMPANY_GROUPS))
        companies.put(standard.company_properties(opened))
        # Ids begin where the number of digits soon changes: whoever sorts them as text is found out.
        self.contacts = Table(CONTACTS, contacts, 951)
        self.companies = Table(COMPANIES, companies, 88_951)
        self.tables = {table.kind.name: table for table in (self.contacts, self.companies)}

    # --- checking ----------------------------------------------------------------------------------------------------

    def check(
        self,
        table: Table,
        record: Record | None,
        raw: Mapping[str, object],
        source: Source,
        claimed: set[tuple[str, str]] | None = None,
    ) -> dict[str, str]:
        """The changes that these values mean. `record` None: a new one. `claimed`: the unique values that rows of the
        same batch have laid claim to, to which this row's are added."""
        held = record.values if record else {}
        changes: dict[str, str] = {}
        problems: list[Problem] = []
        for name, value in raw.items():
            prop = table.catalogue.get(name)
            if prop is None:
                problems.append(Problem(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
            elif prop.read_only and not (prop.on_create and record is None):
                message = f'"{name}" is a read only property; its value cannot be set.'
                problems.append(Problem(name, "READ_ONLY_VALUE", message))
            else:
                try:
                    changes[name] = coerce(prop, value, held.get(name, ""), self._allowed(prop))
                except Unfit as unfit:
                    problems.append(unfit.problem)
        if problems:
            raise invalid(problems)
        if table is self.contacts:
            self._check_contact(record, changes, source)
        self._check_unique(table, record, changes, set() if claimed is None else claimed)
        return changes

    def _allowed(self, prop: Property) -> Collection[str]:
        if prop.owners:
            return self.owners.active()
        return prop.values() if prop.options else ()

    def _check_contact(self, record: Record | None, changes: dict[str, str], source: Source) -> None:
        if record is None and not any(changes.get(name) for name in _NAMING):
            raise bad_request("A contact needs at least one of email, firstname and lastname.")
        for address in addresses(changes):
            if address in self.blocked:
                problem = Problem("email", "BLOCKLISTED_EMAIL", "This email address was permanently deleted.")
                raise invalid([problem])
        company = changes.get("associatedcompanyid")
        if company and self.companies.live(company) is None:
            raise invalid([Problem("associatedcompanyid", "INVALID_COMPANY", "There is no such company.")])
        if record is not None and "lifecyclestage" in changes and not self._may_move(record, changes, source):
            # A stage that would go back is left as it is, without an error (docs: contacts guide).
            del changes["lifecyclestage"]

    def _may_move(self, record: Record, changes: Mapping[str, str], source: Source) -> bool:
        prop = self.contacts.catalogue.one("lifecyclestage")
        before, after = record.values.get("lifecyclestage", ""), changes["lifecyclestage"]
        if not before or not after or before not in prop.values() or source.type == "CRM_UI":
            return True
        return prop.rank(after) >= prop.rank(before)

    def _check_unique(
        self, table: Table, record: Record | None, changes: Mapping[str, str], claimed: set[tuple[str, str]]
    ) -> None:
        claims = set(table.claims(changes))
        for name, value in sorted(claims):
            holder = table.holder(name, value)
            if holder is not None and (record is None or holder != record.id):
                if name == "email":
                    raise exists(table.kind.label, holder)
                writer = table.next_id if record is None else record.id
                raise taken(table.kind.singular.upper(), name, value, writer, holder)
            if (name, value) in claimed:
                raise bad_request(f'Two inputs of the batch have the same value of the unique property "{name}".')
        claimed |= claims

    # --- writing -----------------------------------------------------------------------------------------------------

    def create(self, table: Table, changes: Mapping[str, str], source: Source) -> Record:
        at = self.now()
        number = table.new_id()
        if table is self.contacts and self._default_stage:
            changes = {"lifecyclestage": self._default_stage, **changes}
        values = self._consequences(table, {}, changes, at)
        values |= {
            "createdate": values.get("createdate") or stamp(at),
            "hs_object_id": str(number),
            table.kind.modified: stamp(at),
            "hs_object_source": source.type,
            "hs_object_source_id": source.id,
            "hs_object_source_label": source.label,
        }
        if source.user is not None:
            values |= {"hs_created_by_user_id": str(source.user), "hs_updated_by_user_id": str(source.user)}
        values = {name: value for name, value in values.items() if value}
        record = Record(Shot(number, values, at), [Edit(at, source, values)])
        table.add(record)
        self._follow_company(table, record)
        return record

    def update(self, table: Table, record: Record, changes: Mapping[str, str], source: Source) -> None:
        """Values that are there already change nothing, not even the time of the last change."""
        at = self.now()
        changes = self._consequences(table, record.values, changes, at)
        changes = {name: value for name, value in changes.items() if record.values.get(name, "") != value}
        if changes:
            self._put(table, record, changes, source, at)
            if "associatedcompanyid" in changes:
                self._follow_company(table, record)

    def archive(self, table: Table, record: Record) -> None:
        if record.live:
            table.archive(record, self.now())

    def _put(self, table: Table, record: Record, changes: dict[str, str], source: Source, at: int) -> None:
        user = "" if source.user is None else str(source.user)
        if record.values.get("hs_updated_by_user_id", "") != user:
            changes["hs_updated_by_user_id"] = user
        changes[table.kind.modified] = stamp(at)
        values = {name: value for name, value in {**record.values, **changes}.items() if value}
        table.change(record, Shot(record.id, values, at, record.shot.archived), Edit(at, source, changes))

    def _consequences(
        self, table: Table, held: Mapping[str, str], changes: Mapping[str, str], at: int
    ) -> dict[str, str]:
        """The changes and what they bring along in other properties."""
        all_ = dict(changes)
        if table is not self.contacts:
            return all_
        if "hubspot_owner_id" in changes and changes["hubspot_owner_id"] != held.get("hubspot_owner_id", ""):
            all_["hubspot_owner_assigneddate"] = stamp(at) if changes["hubspot_owner_id"] else ""
        stage = changes.get("lifecyclestage", "")
        entered = f"hs_lifecyclestage_{stage}_date"
        if stage and stage != held.get("lifecyclestage") and entered in table.catalogue:
            all_[entered] = stamp(at)
        if "email" in changes and changes["email"] != held.get("email", ""):
            # The opt-out hangs on the address: a contact with a new one is mailable again (HubSpot KB).
            address = changes["email"]
            all_["hs_email_domain"] = address.partition("@")[2]
            all_ |= self.consent.mirrored(address, held)
            others = all_.get("hs_additional_emails", held.get("hs_additional_emails", "")).split(";")
            all_["hs_additional_emails"] = ";".join(each for each in others if each != address)
        return all_

    def _mirror(self, address: str, source: Source) -> None:
        """The consent of an address has changed: the contact whose primary address it is shows it."""
        holder = self.contacts.holder("email", address)
        record = None if holder is None else self.contacts.records[holder]
        if record is not None and record.values.get("email") == address:
            self.update(self.contacts, record, self.consent.mirrored(address, record.values), source)

    # --- companies of contacts ---------------------------------------------------------------------------------------

    def associate(self, contact: Record, company: Record, types: Sequence[int], source: Source) -> None:
        self.links.join(contact.id, company.id, types)
        self._show_company(contact, source)

    def associate_default(self, contact: Record, company: Record, source: Source) -> list[int]:
        """Without a label; a contact's first company becomes its primary one. Answers the types."""
        first = self.links.primary(contact.id) is None
        types = [PRIMARY, UNLABELLED] if first else [UNLABELLED]
        self.associate(contact, company, types, source)
        return types

    def dissociate(self, contact: Record, company: Record, source: Source) -> None:
        self.links.part(contact.id, company.id)
        self._show_company(contact, source)

    def _show_company(self, contact: Record, source: Source) -> None:
        primary = self.links.primary(contact.id)
        self.update(self.contacts, contact, {"associatedcompanyid": "" if primary is None else str(primary)}, source)

    def _follow_company(self, table: Table, record: Record) -> None:
        """The property names another primary company than before."""
        if table is not self.contacts:
            return
        named = record.values.get("associatedcompanyid", "")
        primary = self.links.primary(record.id)
        if named and named != str(primary):
            self.links.join(record.id, int(named), [PRIMARY])
        elif not named and primary is not None:
            self.links.part(record.id, primary)
