"""The mapping files that come with the product, one for each connector that needs one."""

from __future__ import annotations

from importlib.resources import files


def names() -> list[str]:
    """The connectors that have one, sorted."""
    found = (each.name for each in files("mappings").iterdir())
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml"))


def content(connector: str) -> bytes | None:
    """The file as it stands; None where the connector has none."""
    return (files("mappings") / f"{connector}.yaml").read_bytes() if connector in names() else None
