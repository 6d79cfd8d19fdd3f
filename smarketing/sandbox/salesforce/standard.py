"""The standard objects, with the fields and lengths of a plain org, as far as people, companies and deals need them.

(Lengths: Salesforce docs, object reference. Objects that only describe others, such as LeadStatus, are read-only.)
"""

from __future__ import annotations

from smarketing.sandbox.salesforce.administration import (
    about_the_org,
    audit,
    history,
    make,
    named,
    people_behind,
    security,
)
from smarketing.sandbox.salesforce.schema import (
    Field,
    SObject,
    area,
    computed,
    day,
    email,
    flag,
    identity,
    moment,
    number,
    phone,
    pick,
    ref,
    text,
    url,
)

LEAD_STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
CONVERTED = "Closed - Converted"
STAGES: dict[str, tuple[int, bool, bool]] = {
    "Prospecting": (10, False, False),
    "Qualification": (10, False, False),
    "Needs Analysis": (20, False, False),
    "Value Proposition": (50, False, False),
    "Id. Decision Makers": (60, False, False),
    "Perception Analysis": (70, False, False),
    "Proposal/Price Quote": (75, False, False),
    "Negotiation/Review": (90, False, False),
    "Closed Won": (100, True, True),
    "Closed Lost": (0, True, False),
}
"""Stage → probability, closed, won."""
LIFECYCLE = ("Subscriber", "Lead", "MQL", "SQL", "Opportunity", "Customer", "Recycled", "Disqualified")

_SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.")
_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
_INDUSTRIES = ("Banking", "Construction", "Consulting", "Education", "Energy", "Engineering", "Finance", "Government")
_MORE_INDUSTRIES = (
    "Healthcare",
    "Manufacturing",
    "Media",
    "Retail",
    "Shipping",
    "Technology",
    "Transportation",
    "Other",
)


def lifecycle_field() -> Field:
    """A stage of our own for people, which a plain org does not have."""
    return pick("Lifecycle_Stage__c", "Lifecycle Stage", *LIFECYCLE, restricted=True, tracked=True)


def _person() -> list[Field]:
    return [
        *named(),
        pick("Salutation", "Salutation", *_SALUTATIONS, length=40),
        text("Title", "Title", 128, tracked=True),
    ]


def _address(prefix: str, *, codes: bool) -> list[Field]:
    label = f"{prefix} " if prefix else ""
    fields = [
        area(f"{prefix}Street", f"{label}Street", 255),
        text(f"{prefix}City", f"{label}City", 40),
        text(f"{prefix}State", f"{label}State/Province", 80),
        text(f"{prefix}PostalCode", f"{label}Zip/Postal Code", 20),
        text(f"{prefix}Country", f"{label}Country", 80),
    ]
    if codes:
        fields.append(pick(f"{prefix}StateCode", f"{label}State/Province Code", length=10))
        fields.append(pick(f"{prefix}CountryCode", f"{label}Country Code", length=10))
    return [*fields, computed(f"{prefix}Address", f"{label}Address", "address")]


def _consent() -> list[Field]:
    return [
        flag("HasOptedOutOfEmail", "Email Opt Out", tracked=True),
        flag("HasOptedOutOfFax", "Fax Opt Out"),
        flag("DoNotCall", "Do Not Call", tracked=True),
        text("EmailBouncedReason", "Email Bounced Reason", 255),
        moment("EmailBouncedDate", "Email Bounced Date"),
    ]


def _start(label: str, *, merges: bool = False) -> list[Field]:
    fields = [identity(label), flag("IsDeleted", "Deleted", read_only=True)]
    if merges:
        fields.append(ref("MasterRecordId", "Master Record ID", label, read_only=True))
    return fields


def _lead(codes: bool) -> SObject:
    fields = [
        *_start("Lead", merges=True),
        *_person(),
        text("Company", "Company", 255, required=True, tracked=True),
        *_address("", codes=codes),
        phone("Phone", "Phone"),
        phone("MobilePhone", "Mobile Phone"),
        phone("Fax", "Fax"),
        email("Email", "Email"),
        url("Website", "Website"),
        area("Description", "Description", 32_000),
        pick("LeadSource", "Lead Source", *_SOURCES),
        pick("Status", "Status", *LEAD_STATUSES, default=LEAD_STATUSES[0], tracked=True),
        pick("Industry", "Industry", *_INDUSTRIES, *_MORE_INDUSTRIES),
        pick("Rating", "Rating", "Hot", "Warm", "Cold", tracked=True),
        number("AnnualRevenue", "Annual Revenue", "currency", length=18, scale=0),
        number("NumberOfEmployees", "Employees"),
        ref("OwnerId", "Owner ID", "Group", "User", tracked=True),
        *_consent(),
        flag("IsConverted", "Converted", read_only=True),
        day("ConvertedDate", "Converted Date", read_only=True),
        ref("ConvertedAccountId", "Converted Account ID", "Account", read_only=True),
        ref("ConvertedContactId", "Converted Contact ID", "Contact", read_only=True),
        ref("ConvertedOpportunityId", "Converted Opportunity ID", "Opportunity", read_only=True),
        *audit(),
        day("LastActivityDate", "Last Activity", read_only=True),
    ]
    return make("Lead", "Leads", "00Q", fields)


def _contact(codes: bool) -> SObject:
    fields = [
        *_start("Contact", merges=True),
        ref("AccountId", "Account ID", "Account", children="Contacts", cascade=True, tracked=True),
        *_person(),
        *_address("Mailing", codes=codes),
        *_address("Other", codes=codes),
        phone("Phone", "Business Phone"),
        phone("MobilePhone", "Mobile Phone"),
        phone("HomePhone", "Home Phone"),
        phone("OtherPhone", "Other Phone"),
        phone("Fax", "Business Fax"),
        ref("ReportsToId", "Reports To ID", "Contact"),
        email("Email", "Email"),
        text("Department", "Department", 80),
        pick("LeadSource", "Lead Source", *_SOURCES),
        day("Birthdate", "Birthdate"),
        area("Description", "Contact Description", 32_000),
        ref("OwnerId", "Owner ID", "User", tracked=True),
        *_consent(),
        computed("IsEmailBounced", "Is Email Bounced", "boolean"),
        *audit(),
        day("LastActivityDate", "Last Activity", read_only=True),
    ]
    return make("Contact", "Contacts", "003", fields)


def _account(codes: bool) -> SObject:
    fields = [
        *_start("Account", merges=True),
        text("Name", "Account Name", 255, required=True),
        pick(
            "Type", "Account Type", "Prospect", "Customer - Direct", "Customer - Channel", "Technology Partner", "Other"
        ),
        ref("ParentId", "Parent Account ID", "Account", children="ChildAccounts"),
        *_address("Billing", codes=codes),
        phone("Phone", "Account Phone"),
        phone("Fax", "Account Fax"),
        text("AccountNumber", "Account Number", 40),
        url("Website", "Website"),
        pick("Industry", "Industry", *_INDUSTRIES, *_MORE_INDUSTRIES),
        number("AnnualRevenue", "Annual Revenue", "currency", length=18),
        number("NumberOfEmployees", "Employees"),
        area("Description", "Account Description", 32_000),
        ref("OwnerId", "Owner ID", "User"),
        *audit(),
    ]
    return make("Account", "Accounts", "001", fields)


def _deals() -> list[SObject]:
    opportunity = [
        *_start("Opportunity"),
        ref("AccountId", "Account ID", "Account", children="Opportunities", cascade=True),
        text("Name", "Name", 120, required=True),
        area("Description", "Description", 32_000),
        Field(
            name="StageName",
            type="picklist",
            label="Stage",
            length=255,
            options=tuple(STAGES),
            required=True,
            tracked=True,
        ),
        number("Amount", "Amount", "currency", length=18, scale=2),
        number("Probability", "Probability (%)", "percent", length=3),
        day("CloseDate", "Close Date", required=True),
        pick("Type", "Opportunity Type", "Existing Business", "New Business"),
        pick("LeadSource", "Lead Source", *_SOURCES),
        computed("IsClosed", "Closed", "boolean"),
        computed("IsWon", "Won", "boolean"),
        ref("CampaignId", "Campaign ID", "Campaign", children="Opportunities"),
        ref("OwnerId", "Owner ID", "User"),
        *audit(),
    ]
    role = [
        *_start("Contact Role"),
        ref(
            "OpportunityId",
            "Opportunity ID",
            "Opportunity",
            children="OpportunityContactRoles",
            cascade=True,
            required=True,
            fixed=True,
        ),
        ref("ContactId", "Contact ID", "Contact", children="OpportunityContactRoles", cascade=True, required=True),
        pick("Role", "Role", "Business User", "Decision Maker", "Economic Buyer", "Evaluator", "Influencer", "Other"),
        flag("IsPrimary", "Primary"),
        *audit(),
    ]
    return [
        make("Opportunity", "Opportunities", "006", opportunity),
        make("OpportunityContactRole", "Opportunity Contact Roles", "00K", role, "Opportunity Contact Role"),
    ]


def _campaigns() -> list[SObject]:
    campaign = [
        *_start("Campaign"),
        text("Name", "Name", 80, required=True),
        pick("Type", "Type", "Conference", "Webinar", "Trade Show", "Email", "Advertisement", "Other"),
        pick("Status", "Status", "Planned", "In Progress", "Completed", "Aborted", default="Planned"),
        day("StartDate", "Start Date"),
        day("EndDate", "End Date"),
        flag("IsActive", "Active"),
        area("Description", "Description", 32_000),
        ref("OwnerId", "Owner ID", "User"),
        *audit(),
    ]
    member = [
        *_start("Campaign Member"),
        ref(
            "CampaignId", "Campaign ID", "Campaign", children="CampaignMembers", cascade=True, required=True, fixed=True
        ),
        ref("LeadId", "Lead ID", "Lead", children="CampaignMembers", cascade=True, fixed=True),
        ref("ContactId", "Contact ID", "Contact", children="CampaignMembers", cascade=True, fixed=True),
        pick("Status", "Status", "Sent", "Responded", default="Sent", length=40),
        computed("HasResponded", "Responded", "boolean"),
        *audit(),
    ]
    return [
        make("Campaign", "Campaigns", "701", campaign),
        make("CampaignMember", "Campaign Members", "00v", member, "Campaign Member"),
    ]


def _task() -> SObject:
    fields = [
        *_start("Activity"),
        ref("WhoId", "Name ID", "Contact", "Lead", children="Tasks"),
        ref("WhatId", "Related To ID", "Account", "Campaign", "Opportunity", children="Tasks"),
        text("Subject", "Subject", 255),
        day("ActivityDate", "Due Date Only"),
        pick(
            "Status",
            "Status",
            "Not Started",
            "In Progress",
            "Completed",
            "Waiting on someone else",
            "Deferred",
            default="Not Started",
        ),
        pick("Priority", "Priority", "High", "Normal", "Low", default="Normal"),
        ref("OwnerId", "Assigned To ID", "User"),
        area("Description", "Description", 32_000),
        pick("Type", "Type", "Call", "Meeting", "Email", "Other", length=40),
        computed("IsClosed", "Closed", "boolean"),
        *audit(),
    ]
    return make("Task", "Tasks", "00T", fields)


def standard_objects(*, state_country_picklists: bool) -> list[SObject]:
    """Fresh metadata of a plain org; with state and country picklists, addresses have codes as well."""
    codes = state_country_picklists
    return [
        _lead(codes),
        _contact(codes),
        _account(codes),
        *_deals(),
        *_campaigns(),
        _task(),
        *people_behind(),
        *about_the_org(),
        history("Lead"),
        history("Contact"),
        *security(),
    ]
