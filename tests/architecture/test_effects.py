"""One door for effects: clock, chance and concurrency come through the `World` that is handed in, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.architecture.source import Source, mentions, sources, within

EFFECTS = frozenset(
    {
        "asyncio",
        "concurrent",
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "multiprocessing",
        "os.getrandom",
        "os.urandom",
        "queue",
        "random",
        "sched",
        "secrets",
        "threading",
        "time",
        "uuid.uuid1",
        "uuid.uuid4",
    }
)

ALLOWED: dict[tuple[str, str], str] = {
    ("smarketing/daemon.py", "threading"): "it waits for a signal; what a run does is decided elsewhere",
    ("smarketing/world.py", "random"): "it is the door",
    ("smarketing/world.py", "threading"): "it is the door",
    ("smarketing/world.py", "time"): "it is the door",
    (
        "smarketing/sandbox/server.py",
        "threading",
    ): "a thread carries each socket; what is answered is decided elsewhere",
}
"""Who may, and why. What is no longer used must be taken out."""


def effects(source: Source) -> Iterator[tuple[int, str]]:
    """Line and name of everything that is the world's."""
    for line, name in mentions(source):
        if (effect := within(name, EFFECTS)) is not None:
            yield line, effect


def test_clock_chance_and_threads_come_through_the_world() -> None:
    found = [
        f"{source.path}:{line}: {effect}: take it from the World that is handed in"
        for source in sources()
        for line, effect in effects(source)
        if (source.path, effect) not in ALLOWED
    ]
    assert found == []


def test_nothing_is_allowed_that_nobody_does() -> None:
    done = {(source.path, effect) for source in sources() for _, effect in effects(source)}
    assert set(ALLOWED) - done == set()


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("import time", "time"),
        ("def f():\n    from time import sleep", "time"),
        ("from datetime import datetime\nx = datetime.now()", "datetime.datetime.now"),
        ("import datetime as d\nx = d.datetime.utcnow()", "datetime.datetime.utcnow"),
        ("from datetime import date as day\nx = day.today()", "datetime.date.today"),
        ("import os\nx = os.urandom(8)", "os.urandom"),
        ("from os import urandom", "os.urandom"),
        ("from uuid import uuid4", "uuid.uuid4"),
        ("import concurrent.futures", "concurrent"),
    ],
)
def test_the_rule_finds(text: str, effect: str) -> None:
    assert {each for _, each in effects(Source("sync/made_up.py", text))} == {effect}


@pytest.mark.parametrize(
    "text",
    ["def f(world):\n    return world.now()", "from datetime import datetime, UTC\nx = datetime.fromtimestamp(0, UTC)"],
)
def test_the_rule_lets_pass(text: str) -> None:
    assert list(effects(Source("sync/made_up.py", text))) == []
