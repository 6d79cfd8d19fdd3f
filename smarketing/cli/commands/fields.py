"""`smarketing fields`: what a system has, what of it is mapped, and what the rest probably is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarketing.cli.errors import USAGE, Failure
from smarketing.cli.options import Json
from smarketing.cli.output import count, document, paint, remark, say, table
from smarketing.cli.setting import setting

if TYPE_CHECKING:
    from connectors.base import Schema, SchemaField
    from mappings.lead import LeadShape
    from mappings.objects import ObjectMapping


def fields(
    context: typer.Context,
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="As it is called in the configuration.")],
    only: Annotated[str | None, typer.Option("--object", metavar="OBJECT", help="Only this object.")] = None,
    as_json: Json = False,
) -> None:
    """List the live fields of a system, what each is mapped to, and lines for those that are not."""
    import contextlib

    from mappings.lead import LeadShape
    from smarketing.cli.systems import known
    from smarketing.wiring import MappingsError, connect, read_mappings
    from smarketing.world import RealWorld

    loaded = setting(context).loaded()
    known([system], loaded.settings)
    files = read_mappings(loaded.settings, [system])
    if system not in files.mappings:
        raise MappingsError([each for each in files.findings if each.level == "error"])
    mapping = files.mappings[system]
    shape = LeadShape(loaded.settings.lead.fields)
    with contextlib.closing(connect(loaded, system, mapping, RealWorld())) as connector:
        fed = (each for each, _ in connector.capabilities.feeds)
        objects = list(dict.fromkeys([*mapping.objects, *connector.capabilities.creates, *fed]))
        if only is not None and only not in objects:
            from config.near import nearest_or_all

            raise Failure("SM127", f'{system}: there is no object "{only}"{nearest_or_all(only, objects)}', USAGE)
        found = [
            _Fields(connector.schema(each), mapping.objects.get(each), shape)
            for each in objects
            if only in (None, each)
        ]
    if as_json:
        document({"system": system, "objects": [each.as_json() for each in found]})
        return
    for each in found:
        each.show()


class _Fields:
    """The fields of one object beside its mapping."""

    def __init__(self, schema: Schema, mapping: ObjectMapping | None, shape: LeadShape) -> None:
        from mappings.suggest import suggest

        self._schema = schema
        self._mapped: dict[str, list[str]] = {}
        live = schema.by_name()
        for rule in mapping.rules if mapping is not None else ():
            for name in rule.remote:
                if name in live:
                    self._mapped.setdefault(name, []).extend(rule.lead)
        # A line that names a field which is not there takes nothing away from one that is.
        leads = {lead for each in self._mapped.values() for lead in each}
        self._suggested = suggest(schema.fields, {*self._mapped, *leads}, shape)

    def as_json(self) -> dict[str, Any]:
        return {"object": self._schema.object, "fields": [self._field(each) for each in self._schema.fields]}

    def _field(self, each: SchemaField) -> dict[str, Any]:
        suggestion = self._suggested.get(each.name)
        return {
            "name": each.name,
            "label": each.label,
            "type": each.type,
            "length": each.length,
            "options": None if each.options is None else [option.value for option in each.options],
            "read_only": each.read_only,
            "required": each.required,
            "unique": each.unique,
            "filled": None if each.filled is None else round(each.filled, 4),
            "mapped": self._mapped.get(each.name, []),
            "suggested": None if suggestion is None else {"lead": suggestion.lead, "line": suggestion.line},
        }

    def show(self) -> None:
        fields = self._schema.fields
        say(paint(self._schema.object, "bold"))
        rows = [
            (
                each.name,
                each.label if each.label != each.name else None,
                f"{each.type}{', read-only' if each.read_only else ''}{', required' if each.required else ''}",
                None if each.filled is None else f"{each.filled:.0%}",
                self._told(each.name),
            )
            for each in fields
        ]
        table(("field", "label", "type", "filled", "lead"), rows)
        say()
        if self._suggested:
            say("not mapped, and probably:")
            for suggestion in self._suggested.values():
                say(f"    {suggestion.line}")
            say()
            remark("put those that are right into a mapping file of your own, and name it under the system's mapping")
        used = sum(each.name in self._mapped for each in fields)
        remark(f"{self._schema.object}: {used:,} of {count(len(fields), 'field')} are mapped")

    def _told(self, name: str) -> str | None:
        if name in self._mapped:
            return ", ".join(self._mapped[name])
        suggestion = self._suggested.get(name)
        return f"({suggestion.lead}?)" if suggestion is not None else None
