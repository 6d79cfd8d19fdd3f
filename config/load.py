"""Finding the file and loading it: the settings, and where each of them comes from.

Nothing is guessed: a name that is not known, a variable that is not set and a secret that cannot be read are problems,
all told at once. Paths in the file are relative to the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from config.check import Check, Connectors
from config.located import LARGEST, Located, Tree, read
from config.problem import ConfigError, Path, Place, Problem
from config.references import Known
from config.settings import Settings
from config.variables import Variables, fill, read_dotenv

__all__ = ["NAME", "VARIABLE", "Connectors", "Known", "Loaded", "Origin", "find", "load", "user_folder"]

NAME = "smarketing.yaml"
VARIABLE = "SMARKETING_CONFIG"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from, for a person: "default", a place, a variable, a secret's file. `place`: where the file
    says it."""

    text: str
    place: Place | None = None

    def __str__(self) -> str:
        return self.text


DEFAULT = Origin("default")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration. `origins`: path → where the value comes from, for every value that stands in the file."""

    settings: Settings
    origins: Mapping[Path, Origin]
    path: FilePath
    located: Located

    def origin(self, path: Path) -> Origin:
        return self.origins.get(path, DEFAULT)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where it stands, for a problem that somebody else finds."""
        return self.located.place(path, key=key)


def load(path: FilePath | None, connectors: Connectors, env: Mapping[str, str], known: Known | None = None) -> Loaded:
    """The configuration. Raises ConfigError with everything that is wrong in it."""
    file = find(path, env)
    located = read(_bytes(file), str(file))
    beside, broken = read_dotenv(file.parent / ".env")
    filled = fill(located, Variables(env, beside, str(file.parent / ".env")))
    check = Check(located, filled, file.absolute().parent, connectors, known or Known())
    settings = check.run()
    problems = [*broken, *check.problems]
    if settings is None or problems:
        raise ConfigError(problems)
    origins: dict[Path, Origin] = {}
    for each in _places(located.value, ()):
        place = located.place(each)
        source = check.pointed.get(each) or ", ".join(dict.fromkeys(filled.sources.get(each, ())))
        origins[each] = Origin(source or str(place), place)
    return Loaded(settings, origins, file, located)


def find(path: FilePath | None, env: Mapping[str, str]) -> FilePath:
    """The file to load: the one named, the variable's, the working folder's, the user's. Raises ConfigError."""
    if path is not None or env.get(VARIABLE):
        named, by = (path, "--config") if path is not None else (FilePath(env[VARIABLE]), VARIABLE)
        if not named.exists():
            raise ConfigError([Problem("no_such_file", Place(str(named)), (), {"named": by})])
        return named
    places = [FilePath(NAME), user_folder(env) / NAME]
    for each in places:
        if each.exists():
            return each
    looked = " and ".join(str(each.absolute().parent) for each in places)
    raise ConfigError([Problem("no_file", Place(NAME), (), {"looked": looked})])


def user_folder(env: Mapping[str, str]) -> FilePath:
    """Where a user's own configuration lies."""
    if env.get("APPDATA"):
        return FilePath(env["APPDATA"]) / "smarketing"
    home = FilePath(env.get("HOME") or "~").expanduser()
    return FilePath(env.get("XDG_CONFIG_HOME") or home / ".config") / "smarketing"


def _bytes(file: FilePath) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigError([Problem("unreadable_file", Place(str(file)), (), {"reason": reason})]) from None


def _places(value: Tree, path: Path) -> Iterator[Path]:
    """Everything that stands in the file, maps and lists included."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield from _places(each, (*path, key))
