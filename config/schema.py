"""The file's shape as JSON Schema, so that an editor completes names and marks mistakes while they are typed.

Whatever loads is valid by it: a number or word may also be written as ${NAME}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from config.settings import DATABASE, Settings, SyncSettings, duration_text, is_duration

DIALECT = "https://json-schema.org/draft/2020-12/schema"
VARIABLE = {"type": "string", "pattern": r"\$\{"}
_LITERAL = ("default", "enum", "const", "examples")

Schema = dict[str, Any]


def schema(connectors: Mapping[str, type[BaseModel]]) -> Schema:
    """The whole file, with the keys of these connectors."""
    whole = Settings.model_json_schema(mode="validation")
    whole["properties"]["database"]["default"] = DATABASE
    parts: Schema = whole.pop("$defs")
    for name, field in SyncSettings.model_fields.items():
        if is_duration(field):
            parts["SyncSettings"]["properties"][name]["default"] = duration_text(field.default)
    common = parts.pop("System")
    for name, own in sorted(connectors.items()):
        parts[f"system-{name}"] = _system(name, own, common, parts)
    parts["System"] = {
        "type": "object",
        "description": common.get("description", ""),
        "properties": {"connector": {**common["properties"]["connector"], "enum": sorted(connectors)}},
        "required": ["connector"],
        "allOf": [
            {
                "if": {"properties": {"connector": {"const": name}}, "required": ["connector"]},
                "then": {"$ref": f"#/$defs/system-{name}"},
            }
            for name in sorted(connectors)
        ],
    }
    found: Schema = _lenient({"title": "Smarketing", **whole, "$defs": dict(sorted(parts.items()))})
    return {"$schema": DIALECT, **found}


def _system(name: str, own: type[BaseModel], common: Schema, parts: Schema) -> Schema:
    """One system with the keys of its connector; a key that all systems have is not the connector's."""
    theirs = own.model_json_schema(mode="validation", ref_template=f"#/$defs/{name}-{{model}}")
    for inner, part in theirs.pop("$defs", {}).items():
        parts[f"{name}-{inner}"] = part
    required = [each for each in theirs.get("required", ()) if each not in common["properties"]]
    return {
        "type": "object",
        "description": theirs.get("description", ""),
        "properties": {**theirs.get("properties", {}), **common["properties"]},
        "required": ["connector", *required],
        "additionalProperties": False,
    }


def _lenient(part: Any) -> Any:
    """The same, but a part may be left empty, and a single value written as a variable."""
    if isinstance(part, list):
        return [_lenient(each) for each in part]
    if not isinstance(part, dict):
        return part
    found = {key: each if key in _LITERAL else _lenient(each) for key, each in part.items()}
    if "$ref" in part:
        found.pop("default", None)  # the parts tell their own
    if part.get("type") in ("object", "array"):
        found["type"] = [part["type"], "null"]
    properties = part.get("properties")
    if isinstance(properties, dict):
        found["properties"] = {key: _optional(found["properties"][key]) for key in properties}
    return found


def _optional(part: Schema) -> Schema:
    single = "const" not in part and "$ref" not in part and "null" not in part.get("type", ())
    if not single:
        return part
    about = {key: each for key, each in part.items() if key in ("title", "description", "default")}
    rest = {key: each for key, each in part.items() if key not in about}
    empty = [{"type": "null"}] if "default" in part else []
    return {**about, "anyOf": [rest, VARIABLE, *empty]}
