"""How far a run is, on a terminal: what is under way, how fast, how long still. Nothing when the output is piped."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.side_by_side import Progress


@contextlib.contextmanager
def progress() -> Iterator[Progress | None]:
    """What a run is given to tell how far it is; None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Rate(ProgressColumn):
        """So many a second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f}/s" if speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[tuple[str, str], TaskID] = {}

        def tell(what: str, where: str, done: int, total: int | None) -> None:
            task = tasks.get((what, where))
            if task is None:
                task = tasks[what, where] = bars.add_task(f"{what} {where}", total=None)
            bars.update(task, completed=done, total=total)

        yield tell
