"""The suite that every connector passes, ours and other people's: the contract as clauses that can fail.

It imports no test framework. A connector's own test is a fixture `rig` (a stand-in with nothing in it, and a connector
to it) and, for each clause by `pytest.mark.parametrize("clause", CLAUSES, ids=str)`, these lines:

    why = clause.needs(rig.capabilities(), rig)
    pytest.skip(why) if why else clause.run(rig)
"""

from __future__ import annotations

from connectors.conformance import account, consent, failing, reading, writing
from connectors.conformance.clause import Clause
from connectors.conformance.rig import Lines, Names, Rig

CLAUSES: tuple[Clause, ...] = (
    *reading.CLAUSES,
    *writing.CLAUSES,
    *consent.CLAUSES,
    *failing.CLAUSES,
    *account.CLAUSES,
)

__all__ = ["CLAUSES", "Clause", "Lines", "Names", "Rig"]
