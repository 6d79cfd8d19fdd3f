"""A file's value checked as a whole: secrets read, paths made absolute, every part held against its model.

Everything that is wrong is told at once, in the file's own terms; what follows only from an unset variable is not told
a second time, and no secret is ever told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from config.checking import LONGEST, Told, mistaken, name_of, told
from config.located import Located
from config.models import paths_of, without_blanks
from config.near import nearest_or_all
from config.problem import Path, Problem
from config.references import Known, references
from config.secrets import SecretError, resolve
from config.settings import COMMON, DATABASE, Settings, System
from config.variables import Filled

Connectors = Callable[[str], "type[BaseModel] | None"]
"""A connector's model of its own keys; None where there is no such connector."""

_CREDENTIALS = re.compile(r"//[^/]*@")
"""In an address: whoever writes a user there may write a password."""
_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///)(?![/\\]|[A-Za-z]:[/\\]|:memory:)(.+)", re.DOTALL)


class Check:
    """One file on its way from a tree to settings. `pointed`: secrets that were read from elsewhere, and where."""

    def __init__(
        self, located: Located, filled: Filled, folder: FilePath, connectors: Connectors, known: Known
    ) -> None:
        self._located, self._filled, self._folder = located, filled, folder
        self._connectors, self._known = connectors, known
        self._value: dict[str, Any] = filled.value
        self._hidden: set[Path] = set()
        self._open = set(filled.open)
        self.pointed: dict[Path, str] = {}
        self.problems: list[Problem] = []

    def run(self) -> Settings | None:
        """The settings, as far as there are any; what is wrong stands in `problems`."""
        models = self._models()
        if self._value.get("database") is None:
            self._value["database"] = DATABASE
        self._prepare(Settings, ())
        for name, own in models.items():
            self._prepare(System, ("systems", name))
            self._prepare(own, ("systems", name))
        self._place_database()
        settings = self._validate(Settings, self._with_systems(models), {"systems": [*self._systems()]})
        for each in references(self._value, self._known):
            self._tell(each)
        self.problems += map(self._without_secret, (*self._filled.problems, *self._located.problems))
        return settings if isinstance(settings, Settings) else None

    # --- the parts ---

    def _systems(self) -> dict[str, Any]:
        systems = self._value.get("systems")
        return systems if isinstance(systems, dict) else {}

    def _models(self) -> dict[str, type[BaseModel]]:
        """Each system's model of its connector's keys, where its connector is known."""
        found: dict[str, type[BaseModel]] = {}
        for name, each in self._systems().items():
            path: Path = ("systems", name, "connector")
            connector = each.get("connector") if isinstance(each, dict) else None
            if not isinstance(connector, str) or path in self._open:
                continue
            model = self._connectors(connector)
            if model is not None:
                found[name] = model
            else:
                near = nearest_or_all(connector, self._known.connectors)
                self._tell(("unknown_connector", path, False, {"name": connector, "near": near}))
        return found

    def _with_systems(self, models: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
        """The whole value with its systems made; those that cannot be made are told, and left out."""
        if not self._systems():
            return self._value
        made = {name: self._system(name, each, models.get(name)) for name, each in self._systems().items()}
        return {**self._value, "systems": {name: each for name, each in made.items() if each is not None}}

    def _system(self, name: str, raw: Any, model: type[BaseModel] | None) -> BaseModel | None:
        below: Path = ("systems", name)
        if not isinstance(raw, dict):
            return self._validate(System, raw, {}, below)
        common = self._validate(System, {key: each for key, each in raw.items() if key in COMMON}, {}, below)
        if model is None:
            return None
        rest = without_blanks({key: each for key, each in raw.items() if key not in COMMON}, model)
        own = self._validate(model, rest, {}, below, COMMON)
        return common.model_copy(update={"own": own}) if common is not None and own is not None else None

    def _validate(
        self,
        model: type[BaseModel],
        raw: Any,
        context: dict[str, Any],
        below: Path = (),
        more: tuple[str, ...] = (),
    ) -> BaseModel | None:
        for each in mistaken(raw, model, below):
            self._tell(each)
        try:
            return model.model_validate(raw, context=context)
        except ValidationError as error:
            for each in told(error, raw, model, more, below):
                self._tell(each)
            return None

    # --- secrets and paths ---

    def _prepare(self, model: type[BaseModel], below: Path) -> None:
        """Read the secrets that are only pointed at, and make paths absolute."""
        for path in paths_of(model, SecretStr, below):
            self._hidden.add(path)
            self._change(path, self._secret)
        for path in paths_of(model, FilePath, below):
            self._change(path, lambda path, value: str(self._folder / FilePath(value).expanduser()))

    def _change(self, path: Path, change: Callable[[Path, str], str]) -> None:
        here: Any = self._value
        for key in path[:-1]:
            here = here.get(key) if isinstance(here, dict) else None
        value = here.get(path[-1]) if isinstance(here, dict) else None
        if isinstance(value, str) and path not in self._open:
            here[path[-1]] = change(path, value)

    def _secret(self, path: Path, value: str) -> str:
        key = name_of(path)
        try:
            found, source = resolve(value, self._folder)
        except SecretError as error:
            self._tell((error.what, path, False, {"key": key, **error.words}))
            self._open.add(path)
            return ""
        if not found:
            names = source or " and ".join(self._filled.sources.get(path, ()))
            self._tell(("empty_secret", path, False, {"key": key, "source": f" ({names})" if names else ""}))
            self._open.add(path)
        if source:
            self.pointed[path] = source
        return found

    def _place_database(self) -> None:
        """An SQLite file lies beside this one, wherever the program is started."""
        value = self._value["database"]
        if isinstance(value, str) and (match := _SQLITE.fullmatch(value)) is not None:
            self._value["database"] = f"{match[1]}{(self._folder / match[2]).as_posix()}"

    # --- telling ---

    def _tell(self, each: Told) -> None:
        what, path, at_key, words = each
        if any(path[: len(known)] == known for known in self._open):
            return  # its value is not known, and that is told already
        if what == "bad_value":
            words = {**words, "found": "" if at_key else self._found(path)}
        elif what == "missing" and path in self._hidden:
            words = {**words, "what": '; write "${NAME}", file:PATH or keyring:SERVICE/USER'}
        problem = Problem(what, self._located.place(path, key=at_key), path, words)
        self.problems.append(self._without_secret(problem))

    def _found(self, path: Path) -> str:
        """What was found, unless it is a secret or may be one."""
        if path in self._filled.sources:
            return f" (from {' and '.join(self._filled.sources[path])}) is not accepted"
        value = self._at(path)
        if isinstance(value, Mapping):
            return " is a map"
        if isinstance(value, list):
            return " is a list"
        if value is None:
            return " is empty"
        if path in self._hidden or len(str(value)) > LONGEST or _CREDENTIALS.search(str(value)):
            return " is not accepted"
        return f' is "{value}"' if isinstance(value, str) else f" is {str(value).lower()}"

    def _at(self, path: Path) -> Any:
        here: Any = self._value
        for key in path:
            try:
                here = here[key]
            except (KeyError, IndexError, TypeError):
                return None
        return here

    def _without_secret(self, problem: Problem) -> Problem:
        """The same problem with nothing in it that is secret."""
        words = dict(problem.words)
        if problem.path in self._hidden and problem.what == "number_as_text":
            words = {"found": "the number", "read": "another"}
        secrets = [*self._secrets(problem.path)]
        for name, word in words.items():
            for secret in secrets if isinstance(word, str) else ():
                word = str(word).replace(secret, "…")
            words[name] = word
        return Problem(problem.what, problem.place, problem.path, words)

    def _secrets(self, path: Path) -> Iterator[str]:
        """Values that must not be told: every secret, and what a variable holds here."""
        for each in (*self._hidden, *({path} & self._filled.sources.keys())):
            value = self._at(each)
            if isinstance(value, str) and len(value) > 3:
                yield value
