"""Which connectors there are: the built-in ones and those that other packages announce.

A package adds one with an entry point in the group "smarketing.connectors": name → a `Connector` class.
Nothing is imported before it is asked for.
"""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points

from connectors.base import Connector

GROUP = "smarketing.connectors"

BUILT_IN = {
    "hubspot": "connectors.hubspot:HubSpot",
    "mailchimp": "connectors.mailchimp:Mailchimp",
    "memory": "connectors.memory:Memory",
    "salesforce": "connectors.salesforce:Salesforce",
    "spreadsheet": "connectors.spreadsheet:Spreadsheet",
}


def names() -> list[str]:
    """Every known connector, sorted."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def load(name: str) -> type[Connector]:
    """The connector's class. Raises KeyError when there is none of that name; a built-in wins over another's."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        found = getattr(importlib.import_module(module), attribute)
    else:
        points = [point for point in entry_points(group=GROUP) if point.name == name]
        if not points:
            raise KeyError(name)
        found = points[0].load()
    if not (isinstance(found, type) and issubclass(found, Connector)):
        raise TypeError(f"the entry point {name!r} is no Connector class")
    return found
