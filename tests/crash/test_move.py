"""A move between two vendors, really killed in its middle: begun again with the same words, it makes nobody twice."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from connectors.backdoor import Fault, When
from connectors.base import State
from tests.crash.driver import HORIZON, WRITES
from tests.crash.town import Town

PEOPLE = 260
"""More than one request of Salesforce's takes."""


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(tmp_path_factory.mktemp("move"), 2)
    try:
        for number in range(PEOPLE):
            fields = {"email": f"p{number}@example.com", "firstname": "Per", "lastname": f"Person{number}"}
            town.remote["hubspot"].put("contact", fields)
        yield town
    finally:
        town.close()


def addresses(town: Town, system: str) -> Counter[str]:
    """How many live records have each address."""
    name = {"hubspot": "email", "salesforce": "Email"}[system]
    live = [each for each in town.remote[system].records() if each.state is State.LIVE]
    return Counter(str(each.fields[name]).lower() for each in live if each.fields.get(name))


def test_a_move_that_was_killed_goes_on_with_the_same_words(town: Town) -> None:
    there = addresses(town, "hubspot")
    words = ("migrate", "--from", "hubspot", "--to", "salesforce", "--confirm", str(there.total()))
    town.remote["salesforce"].fault(Fault.SLOW, When(path=WRITES["salesforce"], value=1.5))
    with town.begin(*words) as process:
        while process.poll() is None and not town.sending():
            time.sleep(0.003)
        time.sleep(0.3)
        assert process.poll() is None, "it ended before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert town.sending(), "nothing was under way"
    for _ in range(4):
        town.let_pass(HORIZON)
        if town.run(*words) == 0:
            break
    after = addresses(town, "salesforce")
    assert there.keys() <= after.keys()
    assert [address for address, n in after.items() if n > 1 and there[address] == 1] == []
    made = [
        each for each in town.remote["hubspot"].requests() if "batch/create" in each.path or "batch/update" in each.path
    ]
    assert made == [], "a source is only read"
