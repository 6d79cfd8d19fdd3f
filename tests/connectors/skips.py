"""Which clauses of the conformance suite are skipped for whom, and why: reviewed by people in `conformance_skips.toml`.

The test of every connector calls `skips_are_reviewed` once per rig. A clause that is skipped without standing in the
file, one that stands there and is not skipped, and one with another reason are all failures: nobody's suite gets
smaller unseen.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from connectors.conformance import CLAUSES, Rig

REVIEWED = Path(__file__).with_name("conformance_skips.toml")


def skips_are_reviewed(name: str, rig: Rig) -> None:
    """Assert that the clauses skipped for this rig are those of the file's table `name`, for the reasons given there.

    The message prints the table as it would have to be.
    """
    can = rig.capabilities()
    actual = {clause.name: why for clause in CLAUSES if (why := clause.needs(can, rig))}
    rig.close()
    reviewed = tomllib.loads(REVIEWED.read_text("utf-8")).get(name, {})
    table = "\n".join([f"[{name}]", *(f'{clause} = "{why}"' for clause, why in actual.items())])
    assert actual == reviewed, f"the clauses skipped for {name!r} are not the reviewed ones; they are\n\n{table}\n"
