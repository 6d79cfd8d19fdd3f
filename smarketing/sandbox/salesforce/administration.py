"""The objects behind the people's: users and queues, the org itself, field history, rights to see a field.

To our user they are read-only, but for the rights to see a field, which it may give.
"""

from __future__ import annotations

from smarketing.sandbox.salesforce.schema import (
    Field,
    SObject,
    computed,
    email,
    flag,
    identity,
    moment,
    number,
    pick,
    ref,
    text,
)


def audit() -> list[Field]:
    return [
        moment("CreatedDate", "Created Date", read_only=True),
        ref("CreatedById", "Created By ID", "User", read_only=True),
        moment("LastModifiedDate", "Last Modified Date", read_only=True),
        ref("LastModifiedById", "Last Modified By ID", "User", read_only=True),
        moment("SystemModstamp", "System Modstamp", read_only=True),
    ]


def named() -> list[Field]:
    return [
        text("LastName", "Last Name", 80, required=True, tracked=True),
        text("FirstName", "First Name", 40, tracked=True),
        computed("Name", "Full Name", "string", 121),
    ]


def make(name: str, plural: str, prefix: str, fields: list[Field], label: str = "", *, locked: bool = False) -> SObject:
    return SObject(
        name,
        label or name,
        plural,
        prefix,
        {each.name: each for each in fields},
        createable=not locked,
        updateable=not locked,
        deletable=not locked,
    )


def people_behind() -> list[SObject]:
    user = [
        identity("User"),
        text("Username", "Username", 80, required=True),
        *named(),
        text("Title", "Title", 80),
        email("Email", "Email", 128),
        flag("IsActive", "Active", default=True),
        text("Alias", "Alias", 8),
        pick("UserType", "User Type", "Standard", "AutomatedProcess", "Guest", default="Standard"),
        ref("ProfileId", "Profile ID", "Profile"),
        text("CompanyName", "Company Name", 80),
        text("TimeZoneSidKey", "Time Zone", 40),
        *audit(),
    ]
    group = [
        identity("Group"),
        text("Name", "Name", 40, required=True),
        text("DeveloperName", "Developer Name", 80),
        pick("Type", "Type", "Regular", "Queue", default="Regular", length=40),
        email("Email", "Email", 255),
        *audit(),
    ]
    return [
        make("User", "Users", "005", user, locked=True),
        make("Group", "Groups", "00G", group, locked=True),
        make("Profile", "Profiles", "00e", [identity("Profile"), text("Name", "Name", 255), *audit()], locked=True),
    ]


def about_the_org() -> list[SObject]:
    organization = [
        identity("Organization"),
        text("Name", "Name", 80),
        flag("IsSandbox", "Is Sandbox"),
        text("InstanceName", "Instance Name", 5),
        text("OrganizationType", "Edition", 40),
        text("TimeZoneSidKey", "Time Zone", 40),
        text("LanguageLocaleKey", "Language", 40),
        *audit(),
    ]
    status = [
        identity("Lead Status Value"),
        text("MasterLabel", "Master Label", 255),
        text("ApiName", "API Name", 255),
        number("SortOrder", "Sort Order"),
        flag("IsDefault", "Is Default"),
        flag("IsConverted", "Is Converted"),
        *audit(),
    ]
    return [
        make("Organization", "Organizations", "00D", organization, locked=True),
        make("LeadStatus", "Lead Status Values", "01J", status, "Lead Status Value", locked=True),
    ]


def history(of: str) -> SObject:
    fields = [
        identity(f"{of} History"),
        flag("IsDeleted", "Deleted", read_only=True),
        ref(f"{of}Id", f"{of} ID", of, children="Histories", read_only=True),
        ref("CreatedById", "Created By ID", "User", read_only=True),
        moment("CreatedDate", "Created Date", read_only=True),
        pick("Field", "Changed Field"),
        text("DataType", "Datatype", 40),
        Field(name="OldValue", type="anyType", label="Old Value", createable=False, filterable=False),
        Field(name="NewValue", type="anyType", label="New Value", createable=False, filterable=False),
    ]
    return make(f"{of}History", f"{of} History", "017" if of == "Lead" else "03j", fields, f"{of} History", locked=True)


def security() -> list[SObject]:
    """What an administrator uses to make a field and to let somebody see it."""
    permission_set = [
        identity("Permission Set"),
        text("Name", "Permission Set Name", 80, required=True),
        text("Label", "Permission Set Label", 80, required=True),
        flag("IsOwnedByProfile", "Is Owned By Profile"),
        ref("ProfileId", "Profile ID", "Profile"),
        *audit(),
    ]
    assignment = [
        identity("Permission Set Assignment"),
        ref("PermissionSetId", "Permission Set ID", "PermissionSet", children="Assignments", required=True),
        ref("AssigneeId", "Assignee ID", "User", required=True),
        moment("SystemModstamp", "System Modstamp", read_only=True),
    ]
    grant = [
        identity("Field Permissions"),
        ref("ParentId", "Parent ID", "PermissionSet", children="FieldPerms", required=True),
        pick("SobjectType", "Object Name", length=40),
        pick("Field", "Field Name"),
        flag("PermissionsRead", "Read"),
        flag("PermissionsEdit", "Edit"),
        moment("SystemModstamp", "System Modstamp", read_only=True),
    ]
    custom_field = [
        identity("Custom Field"),
        text("DeveloperName", "Developer Name", 80),
        text("TableEnumOrId", "Table", 40),
        *audit(),
    ]
    field = make("CustomField", "Custom Fields", "00N", custom_field, "Custom Field", locked=True)
    field.tooling = True
    rights = [
        make("PermissionSet", "Permission Sets", "0PS", permission_set, "Permission Set", locked=True),
        make("PermissionSetAssignment", "Permission Set Assignments", "0Pa", assignment, locked=True),
        make("FieldPermissions", "Field Permissions", "01k", grant, "Field Permissions", locked=True),
    ]
    for each in rights:
        each.createable = True
    return [*rights, field]
