"""An org with many people answers as fast as one with few, page for page."""

from __future__ import annotations

import time

from smarketing.sandbox.salesforce.schema import Values
from tests.smarketing.sandbox.salesforce_wire import Wire, row

PEOPLE = 20_000


def crowd() -> Wire:
    wire = Wire()
    for batch in range(PEOPLE // 200):
        wire.world.sleep(0.3)
        rows = [
            row("Contact", LastName="N", Email=f"p{batch}.{i}@example.com", Smarketing_Id__c=f"k{batch}.{i}")
            for i in range(200)
        ]
        answer = wire.call("POST", "composite/sobjects", {"allOrNone": False, "records": rows})
        assert all(each["success"] for each in answer.content)
    return wire


def test_20000_people_are_written_and_read_by_stamp_without_looking_at_all_for_each_page() -> None:
    began = time.perf_counter()
    wire = crowd()
    looked = 0
    rows = wire.door.org.store.tables["Contact"].rows

    class Counted(dict[str, Values]):
        def __getitem__(self, id: str) -> Values:
            nonlocal looked
            looked += 1
            return super().__getitem__(id)

        def values(self):  # type: ignore[no-untyped-def]
            raise AssertionError("all people are looked at")

    wire.door.org.store.tables["Contact"].rows = Counted(rows)
    seen: set[str] = set()
    pages = 0
    where = "WHERE SystemModstamp >= 2026-01-01T00:00:00Z"
    while True:
        soql = f"SELECT Id, Email, SystemModstamp FROM Contact {where} ORDER BY SystemModstamp, Id LIMIT 2000"
        page = wire.query(soql).records
        if not page:
            break
        pages += 1
        seen |= {str(each["Id"]) for each in page}
        at, id = page[-1]["SystemModstamp"].replace("+0000", "Z"), page[-1]["Id"]
        where = f"WHERE SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > '{id}')"
    assert len(seen) == PEOPLE
    assert pages == 10
    assert looked < 1.5 * PEOPLE
    looked, last, swept = 0, "003000000000000", 0
    while page_ids := wire.ids(f"SELECT Id FROM Contact WHERE Id > '{last}' ORDER BY Id LIMIT 2000"):
        last, swept = page_ids[-1], swept + len(page_ids)
    assert swept == PEOPLE
    assert looked < 1.5 * PEOPLE
    looked = 0
    assert len(wire.ids("SELECT Id FROM Contact WHERE Email IN ('p0.0@example.com', 'P9.9@example.com')")) == 2
    assert len(wire.ids(f"SELECT Id FROM Contact WHERE Id = '{min(seen)}' OR Smarketing_Id__c = 'k1.1'")) == 2
    assert wire.ids("SELECT Id FROM Contact WHERE SystemModstamp > 2026-01-02T00:00:00Z") == []
    assert looked < 20
    assert time.perf_counter() - began < 15
