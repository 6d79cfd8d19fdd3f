"""The vendors' official contracts, for tests that hold an emulator's answers against them.

They lie outside the repository: `SMARKETING_SPECS` names their folder. Without it the default run leaves this folder
out, and a run that asks for it fails and says why.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "SMARKETING_SPECS"
HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder out unless the contracts are there, or somebody asked for it by name."""
    asked = any(
        (config.invocation_params.dir / each.split("::")[0]).resolve().is_relative_to(HERE) for each in config.args
    )
    return None if asked or VARIABLE in os.environ else True


@pytest.fixture(scope="session")
def contract() -> Callable[[str], Any]:
    """Loads an OpenAPI file by its path in the folder of contracts."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.fail(f"{VARIABLE} is not set: it names the folder of the vendors' OpenAPI files", pytrace=False)

    @cache
    def load(path: str) -> Any:
        import schemathesis

        return schemathesis.openapi.from_path(str(Path(folder) / path))

    return load
