"""From a configuration to an engine that can run: connectors, mappings, store.

Nothing is requested here. Whatever is wrong in the files is told all at once, as findings with their places.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from config import located
from config.load import Known as KnownNames
from config.load import Loaded, load
from config.problem import ConfigError, Problem
from connectors import registry
from connectors.base import Connector, ConnectorSettings, Finding
from connectors.world import World
from mappings import built_in
from mappings.lead import TYPES, LeadShape
from mappings.lint import lint
from mappings.mapping import LeadMapping, compile_mapping, extend
from mappings.owners import OwnersError, followed

if TYPE_CHECKING:
    from config.settings import Settings as Written
    from config.settings import System as WrittenSystem
    from sync.engine import Engine
    from sync.guard import Limits
    from sync.model import Filter
    from sync.rules import Rules
    from sync.store.db import Store


log = logging.getLogger(__name__)


class MappingsError(Exception):
    """Mapping files that cannot be used: every finding of level error in them."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(each.text for each in findings))
        self.findings = findings


class InMemory:
    """Tokens that can be had anew at any time need no place outside the process."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self._kept.get(name)

    def put(self, name: str, value: str) -> None:
        self._kept[name] = value


@dataclass(slots=True)
class Installation:
    """Everything a command works with. Close it at the end."""

    loaded: Loaded
    shape: LeadShape
    engine: Engine
    zone: ZoneInfo

    @property
    def store(self) -> Store:
        return self.engine.store

    def close(self) -> None:
        from sync.store import beside

        beside.mark(self.engine.store)
        for each in self.engine.connectors.values():
            each.close()
        self.engine.store.close()


def read_settings(path: Path | None, env: Mapping[str, str]) -> Loaded:
    """The configuration. Raises ConfigError with everything that is wrong in it."""
    loaded = load(path, settings_model, env, KnownNames(registry.names(), tuple(TYPES), _lead_fields()))
    problems = []
    if not _KNOWN_DATABASE.match(loaded.settings.database.get_secret_value()):
        problems.append(_address_refused(loaded, ADDRESSES))
    if not loaded.settings.systems:
        problems.append(Problem("no_system", loaded.place(("systems",)), ("systems",)))
    problems += _same_systems(loaded)
    try:
        followed(loaded.settings.sync.owners)
    except OwnersError as error:
        at = ("sync", "owners", error.address)
        words = {"key": error.address, "found": "", "allowed": str(error)}
        problems.append(Problem("bad_value", loaded.place(at, key=True), at, words))
    if problems:
        raise ConfigError(problems)
    return loaded


def _same_systems(loaded: Loaded) -> Iterator[Problem]:
    """Systems that are another one over again: each edit of theirs would come back as somebody else's."""
    places: dict[object, str] = {}
    for name, each in loaded.settings.systems.items():
        place = (each.connector, own.place()) if isinstance(own := each.own, ConnectorSettings) else name
        if place in places:
            at = ("systems", name)
            yield Problem("same_system", loaded.place(at, key=True), at, {"key": name, "other": places[place]})
        places.setdefault(place, name)


def settings_model(connector: str) -> type[ConnectorSettings] | None:
    try:
        return registry.load(connector).Settings
    except KeyError:
        return None


def _lead_fields() -> dict[str, tuple[str, str]]:
    shape = LeadShape()
    found = {name: shape.field(name) for name in shape.names()}
    return {name: (each.type, each.group) for name, each in found.items() if each is not None}


# --- mappings ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class MappingFiles:
    """The mapping of each system, and what is to be said of the files. A system whose files are wrong has none."""

    mappings: dict[str, LeadMapping] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read_mappings(settings: Written, systems: Collection[str] | None = None) -> MappingFiles:
    """Compile each system's mapping: the built-in one of its connector, with the user's own file over it. `systems`:
    only these."""
    shape = LeadShape(settings.lead.fields)
    heirs = followed(settings.sync.owners)
    out = MappingFiles()
    for name, each in settings.systems.items():
        if systems is not None and name not in systems:
            continue
        try:
            _read_mapping(name, each, shape, settings.region, heirs, out)
        except ConfigError as error:
            out.findings += [Finding("error", problem.code, str(problem)) for problem in error.problems]
    return out


def _read_mapping(
    name: str, said: WrittenSystem, shape: LeadShape, region: str, heirs: Mapping[str, str], out: MappingFiles
) -> None:
    built = built_in.content(said.connector)
    beside = located.read(built, f"mappings/{said.connector}.yaml") if built is not None else None
    own = located.read(_bytes(said.mapping), str(said.mapping)) if said.mapping is not None else None
    if own is not None and own.problems:
        raise ConfigError(own.problems)
    if beside is None and own is None:
        text = f'systems.{name}: the connector "{said.connector}" brings no mapping; name one of yours under mapping'
        out.findings.append(Finding("error", "SM120", text))
        return
    said_last = own if own is not None else beside
    assert said_last is not None
    content: Any = said_last.value
    below: Any = beside.value if beside is not None and own is not None else None

    def where(path: tuple[str | int, ...]) -> str:
        return str(said_last.place(path, key=True))

    found = lint(content, where, shape, region, below)
    out.findings += found
    if any(each.level == "error" for each in found):
        return
    whole = content if below is None else extend(below, content)

    def origin(path: tuple[str | int, ...]) -> str:
        """In the user's file, where it says so; else in the built-in one."""
        for file in (own, beside):
            for at in (path, path[2:]):
                if file is not None and at and _holds(file.value, at):
                    return str(file.place(at, key=True))
        return str(said_last.place((), key=True))

    out.mappings[name] = compile_mapping(whole, shape, region, origin, heirs)


def lint_file(file: Path, shape: LeadShape, region: str) -> list[Finding]:
    """What is to be said of one mapping file, over the built-in one of the connector that it names. Raises
    ConfigError where it cannot be read."""
    own = located.read(_bytes(file), str(file))
    told = [Finding("error", problem.code, str(problem)) for problem in own.problems]
    connector = own.value.get("connector")
    built = built_in.content(connector) if isinstance(connector, str) else None
    below = located.read(built, f"mappings/{connector}.yaml").value if built is not None else None
    return told or lint(own.value, lambda path: str(own.place(path, key=True)), shape, region, below)


def _holds(content: Any, path: tuple[str | int, ...]) -> bool:
    for key in path:
        if not isinstance(content, Mapping) or key not in content:
            return False
        content = content[key]
    return True


def _bytes(file: Path) -> bytes:
    from config.problem import Place

    try:
        with file.open("rb") as opened:
            return opened.read(located.LARGEST + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigError([Problem("unreadable_file", Place(str(file)), (), {"reason": reason})]) from None


# --- connectors --------------------------------------------------------------------------------------------------


def connect(loaded: Loaded, name: str, mapping: LeadMapping | None, world: World) -> Connector:
    """The connector of one system. Nothing is requested before it is used. Without a mapping it reads no field."""
    said = loaded.settings.systems[name]
    names = mapping.names() if mapping is not None else {}
    return registry.load(said.connector)(name, said.own, world, names, InMemory())


def open_store(loaded: Loaded, world: World) -> Store:
    """The database as it stands. Raises ConfigError for an address that leads to none."""
    import sqlalchemy as sa

    from sync.store.db import Store

    try:
        return Store(loaded.settings.database.get_secret_value(), world)
    except sa.exc.ArgumentError:
        problem = _address_refused(loaded, ADDRESSES)
    except ModuleNotFoundError:
        problem = _address_refused(loaded, 'its driver is not installed; run pip install "smarketing[postgres]"')
    raise ConfigError([problem])


ADDRESSES = "write sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
_KNOWN_DATABASE = re.compile(r"sqlite(\+pysqlite)?:|postgresql\+psycopg:")


def _address_refused(loaded: Loaded, allowed: str) -> Problem:
    words = {"key": "database", "found": " is not accepted", "allowed": allowed}
    return Problem("bad_value", loaded.place(("database",)), ("database",), words)


def open_installation(loaded: Loaded, world: World) -> Installation:
    """Make everything: the database brought up to date, systems enrolled. Raises MappingsError, StoreError,
    ConnectorError for settings that no connector can be made of."""
    from sync import prepare
    from sync.engine import Engine
    from sync.model import System
    from sync.store import beside, feeds
    from sync.store.migrate import upgrade

    settings = loaded.settings
    files = read_mappings(settings)
    wrong = [each for each in files.findings if each.level == "error"]
    if wrong:
        raise MappingsError(wrong)
    store = open_store(loaded, world)
    upgrade(store)
    with store.tx() as tx:
        ids = {name: feeds.enrol(tx, name, each.connector) for name, each in settings.systems.items()}
    shape = LeadShape(settings.lead.fields)
    connectors = {ids[name]: connect(loaded, name, files.mappings[name], world) for name in settings.systems}
    systems = {
        ids[name]: System(
            ids[name],
            name,
            rank,
            files.mappings[name],
            connectors[ids[name]].capabilities,
            each.writes,
            settings.sync.deletions.get(name, "ignore"),
            _filters(each, shape),
        )
        for rank, (name, each) in enumerate(settings.systems.items())
    }
    engine = Engine(store, world, systems, connectors, _engine_settings(settings, ids, shape))
    if beside.was_put_back(store):
        log.warning(
            "the database was put back from a copy: every system is read whole again, and nothing is sent before a "
            'person has seen the plan; look with "smarketing plan --out FILE"'
        )
        with store.tx() as tx:
            prepare.distrust(engine, tx)
    return Installation(loaded, shape, engine, ZoneInfo(settings.timezone))


def _filters(said: WrittenSystem, shape: LeadShape) -> tuple[Filter, ...]:
    from sync.model import Filter

    out = []
    for each in said.filters:
        lead_field = shape.field(each.field)
        assert lead_field is not None, "the configuration was checked"
        value = each.days() if each.op == "older_than" else each.value
        out.append(Filter(each.field, lead_field.group, each.op, list(value) if isinstance(value, tuple) else value))
    return tuple(out)


def _engine_settings(settings: Written, ids: Mapping[str, int], shape: LeadShape) -> Any:
    from sync.engine import SECOND
    from sync.engine import Settings as EngineSettings

    said = settings.sync
    return EngineSettings(
        rules=_rules(settings, ids, shape),
        limits=_limits(settings),
        fresh=said.fresh * SECOND,
        grace=said.grace * SECOND,
        sweep_every=said.sweep * SECOND,
        first=said.first,
    )


def _rules(settings: Written, ids: Mapping[str, int], shape: LeadShape) -> Rules:
    from sync.rules import Policy, Rules

    policies: dict[str, Policy] = {}
    for name, each in settings.sync.fields.items():
        lead_field = shape.field(name)
        assert lead_field is not None, "the configuration was checked"
        systems = tuple(ids[system] for system in each.rule.systems)
        policies[lead_field.group] = Policy(each.rule.name, systems, each.ask_if_unproven)
    return Rules(
        policies=policies,
        trust=tuple(ids[name] for name in settings.sync.trust),
        order={ids[name]: rank for rank, name in enumerate(settings.systems)},
        opt_in_trust=frozenset(ids[name] for name in settings.sync.consent.trust),
        resubscribe=settings.sync.consent.resubscribe,
    )


def _limits(settings: Written) -> Limits:
    from sync.guard import Limit, Limits

    return Limits(
        **{
            name: Limit(said.floor, said.share)
            for name in type(settings.sync.limits).model_fields
            if (said := getattr(settings.sync.limits, name)) is not None
        }
    )
