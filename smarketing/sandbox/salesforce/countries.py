"""State and country picklists: which texts an address may hold once an administrator has switched them on.

Out of the box Salesforce knows the states of few countries only; everywhere else any state is refused.
"""

from __future__ import annotations

from smarketing.sandbox.salesforce.errors import ApiError, bad
from smarketing.sandbox.salesforce.schema import SObject, Values

COUNTRIES = {
    "AT": "Austria",
    "AU": "Australia",
    "BE": "Belgium",
    "BR": "Brazil",
    "CA": "Canada",
    "CH": "Switzerland",
    "CN": "China",
    "CZ": "Czech Republic",
    "DE": "Germany",
    "DK": "Denmark",
    "EE": "Estonia",
    "ES": "Spain",
    "FI": "Finland",
    "FR": "France",
    "GB": "United Kingdom",
    "GR": "Greece",
    "HU": "Hungary",
    "IE": "Ireland",
    "IN": "India",
    "IS": "Iceland",
    "IT": "Italy",
    "JP": "Japan",
    "LT": "Lithuania",
    "LU": "Luxembourg",
    "LV": "Latvia",
    "MX": "Mexico",
    "NL": "Netherlands",
    "NO": "Norway",
    "NZ": "New Zealand",
    "PL": "Poland",
    "PT": "Portugal",
    "RO": "Romania",
    "SE": "Sweden",
    "SI": "Slovenia",
    "SK": "Slovakia",
    "UA": "Ukraine",
    "US": "United States",
}
STATES = {
    "AU": {"NSW": "New South Wales", "QLD": "Queensland", "VIC": "Victoria", "WA": "Western Australia"},
    "CA": {"AB": "Alberta", "BC": "British Columbia", "ON": "Ontario", "QC": "Quebec"},
    "IE": {"CO": "Cork", "D": "Dublin", "G": "Galway", "LK": "Limerick"},
    "US": {
        "CA": "California",
        "FL": "Florida",
        "IL": "Illinois",
        "MA": "Massachusetts",
        "NY": "New York",
        "TX": "Texas",
        "WA": "Washington",
    },
}
_PREFIXES = ("", "Mailing", "Other", "Billing")


def settle_addresses(sobject: SObject, changes: Values, before: Values) -> Values:
    """The changes with state and country as text and as code, each following the one that was written. Raises
    FIELD_INTEGRITY_EXCEPTION for a place that is on no list."""
    settled = dict(changes)
    for prefix in _PREFIXES:
        state, country = f"{prefix}State", f"{prefix}Country"
        touched = {state, country, state + "Code", country + "Code"} & changes.keys()
        if f"{prefix}StateCode" not in sobject.fields or not touched:
            continue
        code = _place(changes, before, country, COUNTRIES)
        label = sobject.fields[country].label
        if code is not None and code not in COUNTRIES:
            raise _unknown("country", "Please select a country/territory from the list of valid countries.", label)
        places = STATES.get(code or "", {})
        region = _place(changes, before, state, places)
        if region is not None and code is None:
            raise _unknown("state", "A country/territory must be specified before a state value.", label)
        if region is not None and region not in places:
            raise _unknown("state", "Please select a state from the list of valid states.", sobject.fields[state].label)
        settled |= {
            country: COUNTRIES[code] if code else None,
            country + "Code": code,
            state: places[region] if region else None,
            state + "Code": region,
        }
    return settled


def _place(changes: Values, before: Values, name: str, known: dict[str, str]) -> str | None:
    """The code of the place that the writer means: a code wins over a text, what was written over what was there.
    "?" for a text that is on no list."""
    for source in (changes, before):
        if source.get(name + "Code") is not None:
            return str(source[name + "Code"])
        if name in source or name + "Code" in source:
            text = source.get(name)
            wanted = str(text).casefold()
            return None if text is None else next((c for c, full in known.items() if full.casefold() == wanted), "?")
    return None


def _unknown(what: str, hint: str, label: str) -> ApiError:
    return bad(
        "FIELD_INTEGRITY_EXCEPTION",
        f"There's a problem with this {what}, even though it may appear correct. {hint}: {label}",
    )
