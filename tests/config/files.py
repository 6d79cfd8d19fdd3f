"""Configurations in a folder of their own, with made-up connectors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from config.load import Known, Loaded, load
from config.problem import ConfigError, Problem

FIELDS = {
    "first_name": ("text", "name"),
    "last_name": ("text", "name"),
    "email": ("email", "email"),
    "phone": ("phone", "phone"),
    "owner": ("owner", "owner"),
    "stage": ("stage", "stage"),
    "tags": ("set", "tags"),
    "country": ("country", "address"),
}
KNOWN = Known(("crm", "sheet"), ("text", "integer", "choice"), FIELDS)


class Pool(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = Field(4, ge=1, le=20)
    password: SecretStr = SecretStr("")


class Crm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr
    base_url: str = "https://api.example.com"
    parallel: int = Field(4, ge=1, le=20)
    fast: bool = False
    pool: Pool = Pool()


class Sheet(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    dates: tuple[str, ...] = ()


def connectors(name: str) -> type[BaseModel] | None:
    return {"crm": Crm, "sheet": Sheet}.get(name)


class Folder:
    """`said` answers what is wrong as lines without the file's name."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), "utf-8")
        return file

    def load(self, text: str, env: Mapping[str, str] | None = None) -> Loaded:
        return load(self.write("c.yaml", text), connectors, env or {}, KNOWN)

    def problems(self, text: str, env: Mapping[str, str] | None = None) -> list[Problem]:
        with pytest.raises(ConfigError) as caught:
            self.load(text, env)
        return caught.value.problems

    def said(self, text: str, env: Mapping[str, str] | None = None) -> list[str]:
        return [f"{each.code} {each}".replace(f"{self.path}/c.yaml:", "") for each in self.problems(text, env)]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
