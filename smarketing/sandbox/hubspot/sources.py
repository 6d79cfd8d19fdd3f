"""Who changed something, in HubSpot's words (spec: `ValueWithTimestamp`; properties hs_object_source*)."""

from __future__ import annotations

from dataclasses import dataclass

APP_ID = 4_217_001
OTHER_APP_ID = 4_217_999
USER_ID = 7_100_001


@dataclass(frozen=True, slots=True)
class Source:
    type: str
    id: str
    label: str
    user: int | None = None


OUR_APP = Source("INTEGRATION", str(APP_ID), "Private app")
MERGE = Source("MERGE_OBJECTS", f"userId:{USER_ID}", "Merge", USER_ID)
EMAIL_LINK = Source("EMAIL", "unsubscribe-page", "Unsubscribe page")
FORM = Source("FORM", "newsletter-form", "Form with double opt-in")

ACTORS = {
    "person": Source("CRM_UI", f"userId:{USER_ID}", "CRM UI", USER_ID),
    "workflow": Source("AUTOMATION_PLATFORM", "enrollmentId:31001;actionExecutionIndex:0", "Workflow"),
    "import": Source("IMPORT", "51001", "Import", USER_ID),
    "integration": Source("INTEGRATION", str(OTHER_APP_ID), "Another app"),
}
PERSON = ACTORS["person"]


def actor(name: str) -> Source:
    """Raises ValueError."""
    if name not in ACTORS:
        raise ValueError(f"nobody is called {name!r} here; known are {', '.join(ACTORS)}")
    return ACTORS[name]
