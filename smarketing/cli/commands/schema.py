"""`smarketing schema`: the shape of the configuration for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smarketing.cli.errors import USAGE, Failure
from smarketing.cli.output import remark, say


def schema(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it there. [else: to stdout]")
    ] = None,
) -> None:
    """Print the JSON Schema of the configuration, for an editor that completes and checks it."""
    text = schema_text()
    if out is None:
        say(text)
        return
    if not may_be_replaced(out):
        told = f"{out}: a file is there that is no JSON Schema; it is not overwritten: move it, or name another file"
        raise Failure("SM110", told, USAGE)
    out.write_text(f"{text}\n", "utf-8")
    remark(f"written: {out}")


def schema_text() -> str:
    """The schema with the keys of every connector that is here."""
    import json

    from config.schema import schema as shape_of_file
    from connectors import registry

    return json.dumps(
        shape_of_file({name: registry.load(name).Settings for name in registry.names()}), ensure_ascii=False, indent=2
    )


def may_be_replaced(file: Path) -> bool:
    """Only what an earlier call has written, or what is not there."""
    import json

    try:
        found = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    return isinstance(found, dict) and "$schema" in found
