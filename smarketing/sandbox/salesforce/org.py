"""One org: its options, its people, its records, its clock. Everything else here acts on one of these.

Time comes from the World alone; ids count up, so two orgs that were told the same hold the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connectors.world import MICROSECONDS, World
from smarketing.sandbox.salesforce import clock
from smarketing.sandbox.salesforce.ids import Mint
from smarketing.sandbox.salesforce.records import Store
from smarketing.sandbox.salesforce.schema import Field, Scalar, Schema, Values, key
from smarketing.sandbox.salesforce.standard import CONVERTED, LEAD_STATUSES, standard_objects

DAY = 24 * 3600 * MICROSECONDS
BIN_DAYS = 15
KEY_FIELD = "Smarketing_Id__c"
ORG_PREFIX = "00D"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How this org was set up by its administrator."""

    client_id: str
    client_secret: str
    username: str
    password: str
    certificate: str
    daily_limit: int
    session_seconds: int
    key_field: bool
    state_country_picklists: bool
    duplicate_rule: bool
    assignment_rule: bool
    custom_fields: Mapping[str, Sequence[Field]]


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who writes, and what the request said about rules. `api`: bound by what our user may write through the API."""

    user: str
    api: bool = True
    assign: bool = True
    allow_duplicates: bool = False
    version: str = "62.0"


@dataclass(slots=True)
class Users:
    """The users that an org begins with. `us` is the one whom the API acts as."""

    us: str
    person: str
    workflow: str
    data_import: str
    integration: str

    def named(self, writer: str) -> str:
        """The user behind the backdoor's word for a writer. Raises KeyError."""
        return {
            "person": self.person,
            "workflow": self.workflow,
            "import": self.data_import,
            "integration": self.integration,
        }[writer]


@dataclass(slots=True)
class Binned:
    """When a record was deleted, for the list of deletions and for the day it leaves the recycle bin."""

    object: str
    id: str
    at: int


class Org:
    def __init__(self, world: World, options: Options, lag: Callable[[], float | None]) -> None:
        self._world = world
        self.options = options
        self.mint = Mint()
        self.schema = Schema(standard_objects(state_country_picklists=options.state_country_picklists))
        self.store = Store(self.schema, world.now, lag)
        self.bin: list[Binned] = []
        self.log_from = 0
        """Deletions before this moment are not told any more."""
        self.locked: Counter[str] = Counter()
        self.id = self.mint.next(ORG_PREFIX)
        self._first_user = ""
        self.users = Users(
            us=self._user("Integration", "User", options.username),
            person=self._user("Sales", "Person", "sales.person@example.com"),
            workflow=self._user("Automated", "Process", "autoproc@example.com", "AutomatedProcess"),
            data_import=self._user("Data", "Import", "data.import@example.com"),
            integration=self._user("Other", "Integration", "other.integration@example.com"),
        )
        self._furnish()
        if options.key_field:
            for object in ("Lead", "Contact"):
                self.add_field(object, key(KEY_FIELD, "Smarketing Id"))
        for object, fields in options.custom_fields.items():
            for each in fields:
                self.add_field(object, each)

    def now(self) -> int:
        return self._world.now()

    def stamp(self) -> str:
        return clock.stamp(self._world.now())

    def tick(self) -> None:
        """What has happened by itself since: records leave the recycle bin."""
        limit = self.now() - BIN_DAYS * DAY
        while self.bin and self.bin[0].at <= limit:
            self.empty_bin(self.bin[0].id)

    def empty_bin(self, id: str | None = None) -> None:
        """Erase one deleted record, or all."""
        leaving = [each for each in self.bin if id in (None, each.id)]
        self.bin = [each for each in self.bin if id not in (None, each.id)]
        for each in leaving:
            values = self.store.tables[each.object].get(each.id)
            if values is not None and values.get("IsDeleted"):
                self.store.erase(each.object, each.id)
        if id is None:
            self.log_from = self.now()

    def hide(self, object: str, field: str) -> None:
        """Field-level security: to our user the field is not there any more."""
        self.schema.objects[object].hidden.add(field)
        for row in list(self.store.tables["FieldPermissions"].rows.values()):
            if row.get("Field") == f"{object}.{field}":
                self.store.erase("FieldPermissions", str(row["Id"]))

    def granted(self) -> None:
        """Every field that a permission set of our user lets it see is seen."""
        tables = self.store.tables
        assigned = tables["PermissionSetAssignment"].with_value("AssigneeId", self.users.us) or []
        ours = {row["PermissionSetId"] for row in assigned}
        for row in tables["FieldPermissions"].rows.values():
            object, _, name = str(row.get("Field")).partition(".")
            if row["ParentId"] in ours and row.get("PermissionsRead") and object in self.schema.objects:
                self.schema.objects[object].hidden.discard(name)

    def add_field(self, object: str, added: Field) -> str:
        """A custom field; answers its id."""
        self.schema.objects[object].add(added)
        self.store.tables[object].index(added.name)
        return self.furnish("CustomField", {"DeveloperName": added.name.removesuffix("__c"), "TableEnumOrId": object})

    def furnish(self, object: str, values: Mapping[str, Scalar]) -> str:
        """A record that came with the org, written past every rule."""
        sobject = self.schema.objects[object]
        stamp = self.stamp()
        id = self.mint.next(sobject.prefix)
        full: Values = {f.name: f.default for f in sobject.fields.values() if f.default is not None}
        full["Id"] = id
        for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
            if name in sobject.fields:
                full[name] = stamp
        for name in ("CreatedById", "LastModifiedById"):
            if name in sobject.fields and self._first_user:
                full[name] = self._first_user
        self.store.put(object, full | dict(values))
        return id

    def _user(self, first: str, last: str, username: str, type: str = "Standard") -> str:
        made = self.furnish(
            "User",
            {
                "Username": username,
                "FirstName": first,
                "LastName": last,
                "Name": f"{first} {last}",
                "Email": username.lower() if "@" in username else f"{username}@example.com".lower(),
                "Alias": (first[0] + last)[:8].lower(),
                "UserType": type,
                "TimeZoneSidKey": "GMT",
            },
        )
        self._first_user = self._first_user or made
        return made

    def _furnish(self) -> None:
        self.store.put(
            "Organization",
            {
                "Id": self.id,
                "Name": "Sandbox",
                "IsSandbox": True,
                "InstanceName": "CS1",
                "OrganizationType": "Developer Edition",
                "TimeZoneSidKey": "GMT",
                "LanguageLocaleKey": "en_US",
                "SystemModstamp": self.stamp(),
            },
        )
        self.queue = self.furnish("Group", {"Name": "New Leads", "DeveloperName": "New_Leads", "Type": "Queue"})
        for i, label in enumerate(LEAD_STATUSES, 1):
            self.furnish(
                "LeadStatus",
                {
                    "MasterLabel": label,
                    "ApiName": label,
                    "SortOrder": i,
                    "IsDefault": i == 1,
                    "IsConverted": label == CONVERTED,
                },
            )
        profile = self.furnish("Profile", {"Name": "System Administrator"})
        self.permission_set = self.furnish(
            "PermissionSet",
            {"Name": "Administrator", "Label": "Administrator", "IsOwnedByProfile": True, "ProfileId": profile},
        )
        for user in (self.users.us, self.users.person):
            values = self.store.tables["User"].rows[user]
            self.store.put("User", {**values, "ProfileId": profile})
            self.furnish("PermissionSetAssignment", {"PermissionSetId": self.permission_set, "AssigneeId": user})
