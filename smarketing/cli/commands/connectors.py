"""`smarketing connectors`: which there are, and what each needs to be told."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from smarketing.cli.options import Json
from smarketing.cli.output import document, say, table


def connectors(as_json: Json = False) -> None:
    """List the connectors that are installed, our own and those of other packages."""
    from connectors.registry import names

    found = [_about(name) for name in names()]
    if as_json:
        document({"connectors": found})
        return
    rows = [
        (
            each["name"],
            each["package"],
            ", ".join(each["needs"]) or "nothing",
            "built in" if each["mapping"] else "yours",
        )
        for each in found
    ]
    table(("connector", "from", "needs", "mapping"), rows)
    say()
    say('put one under "systems:" in the configuration; "smarketing schema" knows all keys of each')


def _about(name: str) -> dict[str, Any]:
    """What a connector needs, what it may be told besides, and whether a mapping comes with it."""
    from connectors.registry import BUILT_IN, GROUP, load
    from mappings import built_in

    kind = load(name)
    fields = kind.Settings.model_fields
    package = "smarketing"
    if name not in BUILT_IN:
        points = [each for each in entry_points(group=GROUP) if each.name == name]
        package = points[0].dist.name if points and points[0].dist is not None else kind.__module__
    return {
        "name": name,
        "package": package,
        "about": (kind.Settings.__doc__ or "").strip().partition("\n")[0],
        "needs": sorted(key for key, field in fields.items() if field.is_required()),
        "takes": sorted(key for key, field in fields.items() if not field.is_required()),
        "mapping": name in built_in.names(),
    }
