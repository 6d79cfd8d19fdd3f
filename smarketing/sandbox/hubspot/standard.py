"""The properties that HubSpot itself gives to contacts and companies, as far as this account shows them.

Names, types and options: HubSpot docs, contacts guide and the default property lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from smarketing.sandbox.hubspot.properties import Group, Option, Property

STAGES = {
    "subscriber": "Subscriber",
    "lead": "Lead",
    "marketingqualifiedlead": "Marketing Qualified Lead",
    "salesqualifiedlead": "Sales Qualified Lead",
    "opportunity": "Opportunity",
    "customer": "Customer",
    "evangelist": "Evangelist",
    "other": "Other",
}
LEAD_STATUSES = {
    "NEW": "New",
    "OPEN": "Open",
    "IN_PROGRESS": "In Progress",
    "OPEN_DEAL": "Open Deal",
    "UNQUALIFIED": "Unqualified",
    "ATTEMPTED_TO_CONTACT": "Attempted to Contact",
    "CONNECTED": "Connected",
    "BAD_TIMING": "Bad Timing",
}
COUNTRIES = {
    "DE": "Germany",
    "DK": "Denmark",
    "FI": "Finland",
    "FR": "France",
    "GB": "United Kingdom",
    "IS": "Iceland",
    "NL": "Netherlands",
    "NO": "Norway",
    "PL": "Poland",
    "SE": "Sweden",
    "US": "United States",
}
STATES = {"CA": "California", "MA": "Massachusetts", "NY": "New York", "TX": "Texas", "WA": "Washington"}
LANGUAGES = {
    "da": "Danish",
    "de": "German",
    "en": "English",
    "fi": "Finnish",
    "nb": "Norwegian Bokmål",
    "sv": "Swedish",
}
ROLES = {
    "BLOCKER": "Blocker",
    "BUDGET_HOLDER": "Budget Holder",
    "CHAMPION": "Champion",
    "DECISION_MAKER": "Decision Maker",
    "END_USER": "End User",
    "INFLUENCER": "Influencer",
}
MARKETABLE = {"true": "Marketing contact", "false": "Non-marketing contact"}
INDUSTRIES = {"CONSTRUCTION": "Construction", "COMPUTER_SOFTWARE": "Computer Software", "FISHERY": "Fishery"}

CONTACT_GROUPS = {
    "contactinformation": "Contact information",
    "emailinformation": "Email information",
    "analyticsinformation": "Web analytics history",
}
COMPANY_GROUPS = {"companyinformation": "Company information"}

_TEXTS = {
    "firstname": "First Name",
    "lastname": "Last Name",
    "salutation": "Salutation",
    "jobtitle": "Job Title",
    "company": "Company Name",
    "website": "Website URL",
    "address": "Street Address",
    "city": "City",
    "state": "State/Region",
    "zip": "Postal Code",
    "country": "Country/Region",
    "date_of_birth": "Date of birth",
    "industry": "Industry",
    "hs_linkedin_url": "LinkedIn URL",
    "twitterhandle": "Twitter Username",
}
_COMPANY_TEXTS = {
    "name": "Company name",
    "domain": "Company Domain Name",
    "website": "Website URL",
    "address": "Street Address",
    "city": "City",
    "state": "State/Region",
    "zip": "Postal Code",
    "country": "Country/Region",
}


def groups(of: Mapping[str, str]) -> dict[str, Group]:
    return {name: Group(name, label, order) for order, (name, label) in enumerate(of.items())}


def options(of: Mapping[str, str]) -> tuple[Option, ...]:
    return tuple(Option(value, label, order) for order, (value, label) in enumerate(of.items()))


def contact_properties(subscriptions: Mapping[int, str], now: int) -> list[Property]:
    """`subscriptions`: the account's e-mail subscriptions; each has its mirror among the properties."""
    return _dated(
        now,
        [
            Property("email", "Email", form_field=True, unique=True),
            Property("hs_additional_emails", "Additional email addresses", "enumeration", "checkbox", external=True),
            *(Property(name, label, form_field=True) for name, label in _TEXTS.items()),
            Property("phone", "Phone Number", field_type="phonenumber", form_field=True),
            Property("mobilephone", "Mobile Phone Number", field_type="phonenumber", form_field=True),
            Property("message", "Message", field_type="textarea", form_field=True),
            Property("annualrevenue", "Annual Revenue", "number", "number"),
            _choice("hs_country_region_code", "Country/Region Code", COUNTRIES, fixed=True),
            _choice("hs_state_code", "State/Region Code", STATES, fixed=True),
            _choice("hs_language", "Preferred language", LANGUAGES),
            _choice("hs_buying_role", "Buying Role", ROLES, field_type="checkbox"),
            _choice("lifecyclestage", "Lifecycle Stage", STAGES, field_type="radio"),
            _choice("hs_lead_status", "Lead Status", LEAD_STATUSES, field_type="radio"),
            *(
                _told(f"hs_lifecyclestage_{stage}_date", f"Became a {label} Date", "datetime")
                for stage, label in STAGES.items()
            ),
            Property("hubspot_owner_id", "Contact owner", "enumeration", "select", owners=True),
            _told("hubspot_owner_assigneddate", "Owner Assigned Date", "datetime"),
            Property("associatedcompanyid", "Primary Associated Company ID", "number", "number"),
            *_consent(subscriptions),
            Property(
                "hs_email_bounce", "Marketing emails bounced", "number", "number", "emailinformation", read_only=True
            ),
            Property(
                "hs_email_quarantined",
                "Email Address Quarantined",
                "bool",
                "booleancheckbox",
                "emailinformation",
                _yes_no(),
                read_only=True,
                fixed_options=True,
            ),
            _choice("hs_marketable_status", "Marketing contact status", MARKETABLE, read_only=True, fixed=True),
            _told("hs_email_domain", "Email Domain", calculated=True),
            _told("num_notes", "Number of Sales Activities", "number", calculated=True),
            _told("hs_analytics_num_page_views", "Number of Pageviews", "number", calculated=True),
            _told("hs_merged_object_ids", "Merged record IDs"),
            *_housekeeping("lastmodifieddate", "Last Modified Date"),
            # Asked for by many, and never filled for contacts (amp-labs/connectors issue 45).
            _told("hs_lastmodifieddate", "Object last modified date/time", "datetime"),
        ],
    )


def company_properties(now: int) -> list[Property]:
    texts = [Property(name, label, group="companyinformation") for name, label in _COMPANY_TEXTS.items()]
    return _dated(
        now,
        [
            *texts,
            Property("phone", "Phone Number", field_type="phonenumber", group="companyinformation"),
            Property("numberofemployees", "Number of Employees", "number", "number", "companyinformation"),
            _choice("industry", "Industry", INDUSTRIES),
            _choice("lifecyclestage", "Lifecycle Stage", STAGES, field_type="radio"),
            Property("hubspot_owner_id", "Company owner", "enumeration", "select", owners=True),
            _told("hs_merged_object_ids", "Merged record IDs"),
            *_housekeeping("hs_lastmodifieddate", "Last Modified Date"),
        ],
    )


def mirror(subscription: int) -> str:
    """The property that shows a subscription's opt-out."""
    return f"hs_email_optout_{subscription}"


def _housekeeping(modified: str, label: str) -> list[Property]:
    return [
        _told("hs_object_id", "Record ID", "number"),
        Property("createdate", "Create Date", "datetime", "date", read_only=True, on_create=True),
        _told(modified, label, "datetime"),
        _told("hs_object_source", "Record creation source"),
        _told("hs_object_source_id", "Record creation source ID"),
        _told("hs_object_source_label", "Record source"),
        _told("hs_created_by_user_id", "Created by user ID", "number"),
        _told("hs_updated_by_user_id", "Updated by user ID", "number"),
    ]


def _consent(subscriptions: Mapping[int, str]) -> list[Property]:
    mirrors = {"hs_email_optout": "Unsubscribed from all email"}
    mirrors |= {mirror(number): f"Opted out of email: {name}" for number, name in subscriptions.items()}
    return [
        Property(
            name, label, "bool", "booleancheckbox", "emailinformation", _yes_no(), read_only=True, fixed_options=True
        )
        for name, label in mirrors.items()
    ]


def _yes_no() -> tuple[Option, ...]:
    return options({"true": "Yes", "false": "No"})


def _choice(
    name: str,
    label: str,
    of: Mapping[str, str],
    *,
    field_type: str = "select",
    read_only: bool = False,
    fixed: bool = False,
) -> Property:
    return Property(
        name, label, "enumeration", field_type, options=options(of), read_only=read_only, fixed_options=fixed
    )


def _told(name: str, label: str, type_: str = "string", *, calculated: bool = False) -> Property:
    field_type = {"datetime": "date", "number": "number"}.get(type_, "text")
    return Property(name, label, type_, field_type, read_only=True, calculated=calculated)


def _dated(now: int, properties: Iterable[Property]) -> list[Property]:
    return [replace(each, created=now, updated=now) for each in properties]
