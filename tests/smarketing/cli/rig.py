"""Commands as a user types them: an installation in a folder, vendors in memory, and time that passes when told."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from config import located
from connectors.base import Fields, Ref, State
from connectors.memory_records import Temperament
from connectors.memory_system import MemorySystem
from smarketing.cli.main import app
from tests.smarketing.cli.answers import Answered, answered
from tests.worlds import ManualWorld

PLAIN = Temperament(returns_fields=True, consent="record", own_key=True)


class Rig:
    """Two systems, "crm" and "list", unless the test says otherwise."""

    def __init__(
        self,
        folder: Path,
        capsys: pytest.CaptureFixture[str],
        systems: Mapping[str, Temperament] | None = None,
        sync: str = "trust: [crm, list], first: apply",
    ) -> None:
        self.folder = folder
        self.world = ManualWorld()
        self._capsys = capsys
        self.vendors = {
            name: MemorySystem(self.world, how, name=f"{folder.name}-{name}")
            for name, how in (systems or {"crm": PLAIN, "list": PLAIN}).items()
        }
        self.configure(sync)

    def configure(self, sync: str, **more: str) -> None:
        """Write the configuration; `more`: further keys of single systems."""
        lines = [f"database: sqlite:///{self.folder / 'store.db'}", "systems:"]
        for name in self.vendors:
            extra = f", {more[name]}" if name in more else ""
            lines.append(f"  {name}: {{connector: memory, world_name: {self.folder.name}-{name}{extra}}}")
        lines.append(f"sync: {{{sync}}}")
        (self.folder / "smarketing.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def __call__(self, *words: str) -> Answered:
        """Type a command; a minute passes before it."""
        self.world.sleep(60)
        return answered(self._capsys, "--config", str(self.folder / "smarketing.yaml"), *words)

    def put(self, system: str, **fields: Any) -> Ref:
        return self.vendors[system].put("person", fields)

    def edit(self, system: str, ref: Ref, **fields: Any) -> None:
        self.world.sleep(1)
        self.vendors[system].edit(ref, fields)

    def shown(self, system: str, *names: str) -> list[Fields]:
        """What the living records of a system hold."""
        rows = [each.fields for each in self.vendors[system].records() if each.state is State.LIVE]
        return [{name: row.get(name) for name in names} for row in rows]


@pytest.fixture
def rig(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    made = Rig(tmp_path, capsys)
    monkeypatch.setattr("smarketing.world.RealWorld", lambda: made.world)
    monkeypatch.setattr("smarketing.wiring.located.read", _read)  # the built-in mappings need reading once
    monkeypatch.setattr("smarketing.cli.main.app", _app())
    monkeypatch.setattr("getpass.getuser", lambda: "kari")
    monkeypatch.setenv("NO_COLOR", "1")
    return made


_read = functools.cache(located.read)


@functools.cache
def _app() -> Any:
    """The commands, put together once instead of at every call."""
    return get_command(app)


ANN: Fields = {"email": "ann@example.com", "first_name": "Ann", "last_name": "Berg", "company": "Fjord AS"}
OLA: Fields = {"email": "ola@example.com", "first_name": "Ola", "last_name": "Dahl"}
