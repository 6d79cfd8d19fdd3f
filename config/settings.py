"""The shape of the file: what may be said, what holds when nothing is said, and which words are allowed.

A connector's own keys stand beside the common ones of its system and are checked by its own model. Names that stand
for something elsewhere in the file are checked against it: a rule cannot trust a system that is not there.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    SerializeAsAny,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

# --- kinds of values -----------------------------------------------------------------------------------------------

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"(?:[0-9]{1,6}[smhd])+")
_NAME = re.compile(r"\w[\w-]{0,59}")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


def _refuse(allowed: str, near: str = "", among: Iterable[str] = ()) -> PydanticCustomError:
    """What was allowed; and, for a word, those among which the meant one may be."""
    return PydanticCustomError("refused", "{allowed}", {"allowed": allowed, "near": near, "among": list(among)})


def in_seconds(value: Any) -> int:
    """A duration as people write it, in seconds."""
    text = value.replace(" ", "") if isinstance(value, str) else ""
    if not _DURATION.fullmatch(text):
        raise _refuse("write a number and a unit: 30s, 5m, 24h, 7d, 1h30m")
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9]+)([smhd])", text))


def duration_text(seconds: int) -> str:
    """The way people write it, in the largest unit that makes more than one."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % size == 0 and seconds > size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def is_duration(field: FieldInfo) -> bool:
    return any(isinstance(each, BeforeValidator) and each.func is in_seconds for each in field.metadata)


def _share(value: Any) -> float:
    """A part of the whole, from a percentage or a fraction."""
    text = "" if isinstance(value, bool) else str(value).replace(" ", "")
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]+)?%", text):
        share = float(text[:-1]) / 100
    elif re.fullmatch(r"[0-9]*\.?[0-9]+(?:e-[0-9]{1,3})?", text):
        share = float(text)
    else:
        share = -1.0
    if not 0 <= share <= 1:
        raise _refuse('write a percentage, as in "5%", or a fraction from 0 to 1')
    return share


def _days(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch("[0-9]{1,6}d", value):
        return int(value[:-1])
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _refuse("write a number of days, as in 90d")


def _zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = {"near": value, "among": sorted(zoneinfo.available_timezones())}
        raise PydanticCustomError(
            "refused", "{allowed}", {"allowed": "write a place, as in Europe/Oslo", **near}
        ) from None
    return value


def _region(value: str) -> str:
    from phonenumbers import SUPPORTED_REGIONS

    if value.upper() not in SUPPORTED_REGIONS:
        britain = "GB" if value.upper() == "UK" else ""
        raise _refuse("write a country's code of two letters, as in NO, SE, DK", britain, [britain])
    return value.upper()


def _system(value: str, info: ValidationInfo) -> str:
    """A system that the file names. Without a context nothing is known of the others."""
    systems = (info.context or {}).get("systems")
    if systems is not None and value not in systems:
        raise PydanticCustomError("unknown_system", "{name}", {"name": value, "among": list(systems)})
    return value


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise _refuse("write an e-mail address")
    return value


def is_name(value: str) -> bool:
    """Whether a system may be called so."""
    return _NAME.fullmatch(value) is not None


def _name(value: str) -> str:
    if not is_name(value):
        raise _refuse("a name has letters, digits, _ and (not at its beginning) -, and at most 60 of them")
    return value


def _once(value: tuple[str, ...]) -> tuple[str, ...]:
    if len({*value}) < len(value):
        raise _refuse("name each only once")
    return value


_DURATION_SCHEMA = {"type": "string", "pattern": r"^\s*([0-9]+\s*[smhd]\s*)+$", "examples": ["30s", "5m", "24h"]}
_SHARE_SCHEMA = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "string", "pattern": r"^\s*[0-9]{1,3}(\.[0-9]+)?\s*%\s*$|^\s*[0-9]*\.?[0-9]+\s*$", "examples": ["5%"]},
    ]
}
Duration: TypeAlias = Annotated[int, BeforeValidator(in_seconds), WithJsonSchema(_DURATION_SCHEMA)]
"""Seconds, written as 30s, 5m, 24h, 7d."""
Share: TypeAlias = Annotated[float, BeforeValidator(_share), WithJsonSchema(_SHARE_SCHEMA)]
"""A fraction, also written as 5%."""
Name: TypeAlias = Annotated[str, AfterValidator(_name)]
SystemName: TypeAlias = Annotated[str, AfterValidator(_system)]
SystemNames: TypeAlias = Annotated[tuple[SystemName, ...], AfterValidator(_once)]
Address: TypeAlias = Annotated[str, AfterValidator(_address)]


class Part(BaseModel):
    """A part of the file. A name with nothing behind it is as good as not there."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=False)

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: each for key, each in value.items() if each is not None or key not in cls.model_fields}
        return value


# --- systems -------------------------------------------------------------------------------------------------------


_CONDITION_SCHEMA = {
    "anyOf": [
        {"type": ["string", "integer", "boolean"]},
        {"type": "array", "items": {"type": ["string", "integer"]}, "minItems": 1},
    ]
}


def _condition(value: Any) -> Any:
    if isinstance(value, list | tuple) and all(isinstance(each, str | int) for each in value):
        return tuple(value)
    if isinstance(value, str | int):
        return value
    raise _refuse("write a text, a whole number, true, false, or a list of texts; quote numbers with a point")


class Filter(Part):
    """A condition on a field of the lead; only people for whom all conditions hold belong into the system."""

    field: str
    """A field of the lead."""
    op: Literal["eq", "in", "present", "older_than"]
    """How it is held against the value."""
    value: Annotated[Any, BeforeValidator(_condition), WithJsonSchema(_CONDITION_SCHEMA)] = None
    """What it is held against: a value (eq), a list (in), true or false (present), days as in 90d (older_than)."""

    @model_validator(mode="after")
    def _value_fits(self) -> Filter:
        match self.op:
            case "eq" if self.value is None or isinstance(self.value, tuple):
                raise _refuse("eq needs one value")
            case "in" if not isinstance(self.value, tuple) or not self.value:
                raise _refuse("in needs a list of values")
            case "present" if self.value is not None and not isinstance(self.value, bool):
                raise _refuse("present takes true or false")
            case "older_than":
                _days(self.value)
        return self

    def days(self) -> int:
        """The value of older_than."""
        return _days(self.value)


class System(Part):
    """One system. Beside these keys stand those of its connector."""

    connector: str
    """Which code speaks to it."""
    writes: Literal["none", "update", "all"] = "all"
    """What may be written there: nothing, only to records that are there, or new records as well."""
    mapping: Path | None = None
    """A mapping file whose lines go over the built-in ones; beside this file if not absolute."""
    filters: tuple[Filter, ...] = ()
    """Who belongs into it: people for whom all of these hold."""
    own: SerializeAsAny[BaseModel] | None = Field(default=None, exclude=True)
    """What the connector's own keys say."""


COMMON = tuple(name for name in System.model_fields if name != "own")
"""The keys that every system has, whatever its connector."""


# --- the synchronisation -------------------------------------------------------------------------------------------

PLAIN_RULES = ("newest", "union", "furthest", "person_first", "ask")
_NAMED_RULE = re.compile(r"\s*(owner|trust)\s*:\s*\[?\s*([^\[\]]*?)\s*\]?\s*")
_RULE_SCHEMA = {
    "anyOf": [
        {"enum": list(PLAIN_RULES)},
        {"type": "string", "pattern": r"^\s*(owner|trust)\s*:"},
        {
            "type": "object",
            "properties": {"owner": {"type": "string"}, "trust": {"type": "array", "items": {"type": "string"}}},
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        },
    ]
}


class Rule(Part):
    """How a disagreement about a field ends. `systems`: the owner, or the trusted ones, best first."""

    name: Literal["newest", "owner", "trust", "union", "furthest", "person_first", "ask"] = "newest"
    systems: SystemNames = ()


def _rule(value: Any) -> Any:
    """A rule as people write it: newest, "owner: crm", "trust: [crm, mail]", {owner: crm}, {trust: [crm, mail]}."""
    if isinstance(value, Rule) or value in PLAIN_RULES:
        return value if isinstance(value, Rule) else {"name": value}
    name: str | None = None
    systems: Any = ()
    if isinstance(value, str) and (match := _NAMED_RULE.fullmatch(value)):
        name, systems = match[1], [each for each in re.split(r"\s*,\s*", match[2]) if each]
    elif isinstance(value, Mapping) and len(value) == 1:
        name, systems = next(iter(value.items()))
        systems = [systems] if isinstance(systems, str) else systems
    if name not in ("owner", "trust") or not isinstance(systems, list):
        allowed = f'allowed: {", ".join(PLAIN_RULES)}, "owner: SYSTEM", "trust: [SYSTEM, SYSTEM]"'
        raise _refuse(allowed, value if isinstance(value, str) else "", PLAIN_RULES)
    if not systems or (name == "owner" and len(systems) > 1):
        raise _refuse("owner names one system" if name == "owner" else "trust names at least one system, best first")
    return {"name": name, "systems": systems}


class FieldSettings(Part):
    """What holds for one field of the lead, or for the fields that move together with it."""

    rule: Annotated[Rule, BeforeValidator(_rule), WithJsonSchema(_RULE_SCHEMA)] = Rule()
    """newest, "owner: SYSTEM", "trust: [SYSTEM, …]", union (sets), furthest (stages), person_first or ask."""
    ask_if_unproven: bool = False
    """With newest: ask a person where it cannot be proven which value is the newest."""


class Limit(Part):
    """At most `share` of a system's records in a day, but always `floor` of them."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("required", None))  # one of them may do

    floor: int = Field(ge=0)
    """So many are always allowed."""
    share: Share
    """This part of the system's records is allowed, where it is more."""


class Limits(Part):
    """How much may happen in a day before a person must look."""

    inbound: Limit = Limit(floor=20, share=0.05)
    """Values of one field that are changed or emptied over there."""
    shrink: Limit = Limit(floor=20, share=0.05)
    """Records that vanish over there."""
    update: Limit = Limit(floor=50, share=0.20)
    """Records that we change."""
    create: Limit = Limit(floor=100, share=0.20)
    """Records that we make."""
    archive: Limit = Limit(floor=10, share=0.05)
    """Records that we archive."""
    withdraw: Limit = Limit(floor=50, share=0.02)
    """Opt-outs that one system tells."""

    @model_validator(mode="before")
    @classmethod
    def _over_defaults(cls, value: Any) -> Any:
        """What a limit does not say stays as it was."""
        if not isinstance(value, Mapping):
            return value
        filled = dict(value)
        for name, field in cls.model_fields.items():
            said = value.get(name)
            if isinstance(said, Mapping):
                filled[name] = {**field.default.model_dump(), **{k: v for k, v in said.items() if v is not None}}
        return filled


class ConsentSettings(Part):
    """Who may tell that a person who had said no says yes again."""

    trust: SystemNames = ()
    """Systems whose confirmed opt-ins are believed."""
    resubscribe: Literal["leave", "propagate"] = "leave"
    """Whether the other systems are told of such an opt-in."""


class SyncSettings(Part):
    """How the systems come to agree."""

    every: Duration = 300
    """How often to look for changes."""
    sweep: Duration = 86_400
    """How often to look at everything, for what no change told."""
    fresh: Duration = 60
    """A record read longer ago than this is read again before it is written to."""
    grace: Duration = 86_400
    """A deletion counts only when it still stands after this."""
    first: Literal["approve", "apply"] = "approve"
    """Whether the first plan for a system waits for a person."""
    trust: SystemNames = ()
    """Which system is right when two meet for the first time and disagree, best first."""
    fields: dict[str, FieldSettings] = Field(default_factory=dict)
    """What holds for single fields."""
    deletions: dict[SystemName, Literal["ignore", "archive"]] = Field(default_factory=dict)
    """What becomes of a system's record when its person was deleted in another system."""
    consent: ConsentSettings = ConsentSettings()
    owners: dict[Address, Address] = Field(default_factory=dict)
    """Who has taken over from people who left: old address, new address."""
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _times_fit(self) -> SyncSettings:
        if self.every < 1 or self.sweep < 1:
            raise _refuse("every and sweep must be at least 1s")
        return self


class LeadSettings(Part):
    """The lead's own shape."""

    fields: dict[Name, str] = Field(default_factory=dict)
    """Fields beside the built-in ones: name and type."""


class VerifySettings(Part):
    """What the independent reader is to find."""

    unexplained: int = Field(default=0, ge=0)
    """So many differences that nothing explains are put up with; with more, `smarketing verify` ends with 3."""


DATABASE = "sqlite:///smarketing.db"


class Settings(Part):
    """The whole file."""

    database: SecretStr = SecretStr(DATABASE)
    """Where everything is kept, as an SQLAlchemy address; an SQLite file stands beside this file if not absolute."""
    timezone: Annotated[str, AfterValidator(_zone)] = "Europe/Oslo"
    """Where your days begin and end."""
    region: Annotated[str, AfterValidator(_region)] = "NO"
    """The country of phone numbers that are written without one."""
    lead: LeadSettings = LeadSettings()
    systems: dict[Name, System] = Field(default_factory=dict)
    """The systems, each under a name of your choice; the first ones win between equals."""
    sync: SyncSettings = SyncSettings()
    verify: VerifySettings = VerifySettings()
