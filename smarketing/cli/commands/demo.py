"""`smarketing demo`: systems that disagree come to agree, on this machine, before your eyes."""

from __future__ import annotations

from typing import Annotated

import typer

from smarketing.cli.output import remark, say


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the folder with all its files, to look into it.")] = False,
) -> int:
    """Show it all with made-up people: nothing is needed, nothing is left behind."""
    import shutil
    import tempfile
    from pathlib import Path

    from smarketing.cli.commands.sandbox import no_faker
    from smarketing.demo import tour
    from smarketing.sandbox.people import FakerMissing

    folder = Path(tempfile.mkdtemp(prefix="smarketing-demo-"))
    try:
        tour.run(folder)
    except FakerMissing:
        raise no_faker("demo") from None
    except tour.Disappointed as error:
        remark(f"the demonstration failed: {error}")
        return 1
    finally:
        if keep:
            remark(f"everything is in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    say()
    say("The systems agree.")
    return 0
