"""`smarketing --help` answers at once: nothing heavy is loaded before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from connectors import registry

SDKS = frozenset(
    {"hubspot", "simple_salesforce", "zeep", "lxml", "openpyxl", "python_calamine", "alembic", "sqlalchemy"}
)


def loaded(statement: str) -> set[str]:
    """The packages that a fresh process has loaded after a statement, without those of the standard library."""
    program = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{each.split('.')[0] for each in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    found = set(json.loads(done.stdout)) - set(sys.stdlib_module_names) - {"__main__"}
    return {each for each in found if not each.startswith("_sysconfigdata")}


@pytest.fixture(scope="module")
def of_typer() -> set[str]:
    return loaded("import typer")


def test_the_command_line_loads_nothing_but_itself_and_typer(of_typer: set[str]) -> None:
    assert loaded("import smarketing.cli.main") - of_typer == {"smarketing"}


@pytest.mark.parametrize("name", sorted(registry.names()))
def test_a_connector_loads_no_sdk_before_it_is_made(name: str) -> None:
    statement = f"from connectors import registry\nregistry.load({name!r}).Settings"
    assert loaded(statement) & SDKS == set()


def test_something_heavy_would_be_seen(of_typer: set[str]) -> None:
    assert loaded("import smarketing.cli.main, connectors.http") - of_typer > {"smarketing", "connectors", "httpx"}
    assert "sqlalchemy" in loaded("import sync.store.db") & SDKS
