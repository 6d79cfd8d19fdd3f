"""`smarketing check`: try everything out before it is needed. Changes nothing, but for the key field where it is let.

One system that fails keeps none of the others from being looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from smarketing.cli import asking, findings
from smarketing.cli.errors import DONE, FAILED
from smarketing.cli.options import Json
from smarketing.cli.output import document, paint, remark, say
from smarketing.cli.setting import setting

if TYPE_CHECKING:
    from config.load import Loaded
    from connectors.base import Connector, Finding
    from connectors.world import World
    from mappings.mapping import LeadMapping


def check(
    context: typer.Context,
    systems: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM]...", help="Only these. [else: all of them]")
    ] = None,
    as_json: Json = False,
    add_keys: Annotated[
        bool, typer.Option("--add-keys", help="Add our key field where it is missing, without asking.")
    ] = False,
) -> int:
    """Check the configuration, the database and every system; ends with 1 where something is wrong."""
    from smarketing.cli.systems import known
    from smarketing.wiring import read_mappings
    from smarketing.world import RealWorld

    said = setting(context)
    loaded, world = said.loaded(), RealWorld()
    names = known(systems or [], loaded.settings)
    files = read_mappings(loaded.settings, names)
    asks = said.asks and not as_json and not add_keys
    told: list[tuple[str, list[Finding]]] = []
    shown = findings.Shown("  ")

    def confirmed(question: str) -> bool:
        shown.end()
        return asking.confirmed(question)

    def tell(about: str, found: Iterable[Finding]) -> None:
        """As they come: a question is asked below what it is about."""
        kept: list[Finding] = []
        told.append((about, kept))
        if as_json:
            kept += found
            return
        say(paint(about, "bold"))
        for each in found:
            kept.append(each)
            shown.add(each)
        shown.end()

    tell("database", _database(loaded, world))
    if files.findings:
        tell("mappings", dict.fromkeys(files.findings))
    for name in names:
        tell(name, _System(loaded, name, files.mappings.get(name), world, add_keys, confirmed if asks else None).look())
    counted = findings.totals(each for _, found in told for each in found)
    if as_json:
        about = [{"about": each, "findings": [findings.as_json(one) for one in found]} for each, found in told]
        document({"checked": about, "totals": counted})
    else:
        remark(findings.summary(counted))
        if counted["error"] or counted["warning"]:
            remark('"smarketing explain CODE" tells more of each')
    return FAILED if counted["error"] else DONE


# --- the database ------------------------------------------------------------------------------------------------


def _database(loaded: Loaded, world: World) -> Iterator[Finding]:
    import os
    from pathlib import Path

    from config.shown import without_password
    from connectors.base import Finding
    from smarketing.wiring import open_store
    from sync.store import schema
    from sync.store.db import StoreError, version

    shown = without_password(loaded.settings.database.get_secret_value())
    store = open_store(loaded, world)
    try:
        file = store.url.database if store.sqlite else None
        if file and file != ":memory:" and not Path(file).exists():
            # To connect would make the file: a check makes nothing.
            if os.access(Path(file).parent, os.W_OK):
                yield Finding("ok", "SM210", f"{shown}: there is none yet; the first run makes it")
            else:
                hint = "make the folder, or give this user the right to write to it"
                yield Finding("error", "SM215", f"{shown}: nothing can be made in its folder", hint)
            return
        with store.read() as tx:
            found = version(tx)
        if found is None:
            yield Finding("ok", "SM210", f"{shown}: it opens and is empty; the first run makes the tables")
        elif found == schema.VERSION:
            yield Finding("ok", "SM210", f"{shown}: it opens; its tables stand at {found}")
        elif found < schema.VERSION:
            text = f"{shown}: its tables stand at {found}, this program has {schema.VERSION}"
            yield Finding("advice", "SM210", text, "the next run brings them up to date: end older programs first")
        else:
            text = f"{shown}: its tables stand at {found}, this program knows {schema.VERSION}"
            yield Finding("error", "SM211", text, "use the newer smarketing that made them")
    except StoreError as error:
        yield Finding("error", error.code, str(error))
    finally:
        store.close()


# --- a system ----------------------------------------------------------------------------------------------------


class _System:
    """One system on trial. `adds`: key fields are added without asking; `confirmed`: asks, where somebody is there."""

    def __init__(
        self,
        loaded: Loaded,
        name: str,
        mapping: LeadMapping | None,
        world: World,
        adds: bool,
        confirmed: Callable[[str], bool] | None,
    ) -> None:
        self._loaded, self._name, self._mapping, self._world = loaded, name, mapping, world
        self._adds, self._confirmed = adds, confirmed

    def look(self) -> Iterator[Finding]:
        """Everything to be said of it."""
        import contextlib

        from connectors.base import Finding
        from connectors.errors import ConnectorError
        from smarketing.wiring import connect

        try:
            with contextlib.closing(connect(self._loaded, self._name, self._mapping, self._world)) as connector:
                yield from self._try(connector)
        except ConnectorError as error:
            yield Finding("error", error.code, str(error))
        except typer.Abort:
            raise  # whoever was asked is gone
        except Exception as error:
            # The others are still to be looked at. What the text says may hold anything: the kind must do.
            text = f"{self._name}: the check broke off by a fault of ours ({type(error).__name__})"
            yield Finding("error", "SM999", text, f'run "smarketing --verbose fields {self._name}" and report that')

    def _try(self, connector: Connector) -> Iterator[Finding]:
        found = list(connector.check())
        against, compared = self._against(connector, {each.code for each in found if each.level == "error"})
        # What the mapping names and is not there is told with the mapping's line, where there is one.
        yield from (each for each in found if not (compared and each.code == "SM334"))
        yield from against
        yield from self._keys(connector)

    def _against(self, connector: Connector, failed: set[str]) -> tuple[list[Finding], bool]:
        """The mapping held against the live fields, and whether that could be done. `failed`: what went wrong already
        and need not be told again."""
        from connectors.base import Finding
        from connectors.errors import ConnectorError
        from mappings.lint import compare

        found: list[Finding] = []
        compared = self._mapping is not None
        for name, each in self._mapping.objects.items() if self._mapping is not None else ():
            try:
                found += compare(each, connector.schema(name))
            except ConnectorError as error:
                compared = False
                if error.code not in failed:
                    found.append(Finding("error", error.code, str(error)))
        return found, compared

    def _keys(self, connector: Connector) -> Iterator[Finding]:
        """Our key field, where records are created and there is none."""
        from connectors.base import Connector as Base
        from connectors.base import Finding
        from connectors.errors import ConnectorError

        can = type(connector).add_own_key is not Base.add_own_key
        if self._mapping is None or not can or not (self._adds or self._confirmed):
            return
        for name in _created(connector.capabilities.creates, self._mapping):
            try:
                if connector.own_key(name) is not None:
                    continue
                if self._loaded.settings.systems[self._name].writes != "all":
                    if self._adds:
                        text = f"{self._name}: no key field is added to {name}, since nothing is created here (writes)"
                        yield Finding("advice", "SM335", text, "it is of use with writes: all")
                    continue
                question = f"{self._name}: add our key field to {name}?"
                if self._adds or (self._confirmed is not None and self._confirmed(question)):
                    yield Finding(
                        "ok", "SM335", f"{self._name}: {name} has the key field {connector.add_own_key(name)} now"
                    )
            except ConnectorError as error:
                yield Finding("error" if self._adds else "warning", error.code, str(error))


def _created(creates: Sequence[str], mapping: LeadMapping) -> list[str]:
    return [each for each in creates if each in mapping.objects]
