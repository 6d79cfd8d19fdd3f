"""Clauses about the connection itself: its account, its count of requests, and what it must never say."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from connectors.backdoor import Fault
from connectors.base import Connector, FeedKind, Ref, WriteKind
from connectors.conformance.clause import Clause, clause, feed, writes
from connectors.conformance.rig import Rig

DELTA = feed(FeedKind.DELTA)
CREATE, UPDATE = writes(WriteKind.CREATE), writes(WriteKind.UPDATE)
TROUBLE = (Fault.ERROR, Fault.CUT, Fault.RATE, Fault.HTML, Fault.TRUNCATED, Fault.FORBIDDEN, Fault.EXPIRED)


@dataclass(slots=True)
class Said:
    """Everything that a connection said of itself, each with where it was said."""

    answers: list[tuple[str, str]] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    logs: list[tuple[int, str, str]] = field(default_factory=list)


class Ears(logging.Handler):
    """Hears every line that any library logs."""

    def __init__(self, said: Said) -> None:
        super().__init__(logging.NOTSET)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if record.exc_info:
            line += "".join(traceback.format_exception(*record.exc_info))
        self._said.logs.append((record.levelno, f"a line of the log {record.name!r}", line))


@contextlib.contextmanager
def overheard(said: Said) -> Iterator[None]:
    root, ears = logging.getLogger(), Ears(said)
    level = root.level
    root.addHandler(ears)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(ears)
        root.setLevel(level)


def bad_day(rig: Rig) -> Said:
    """What is said while nearly everything goes wrong, with good credentials and with wrong ones."""
    said = Said()
    ref = rig.put(2)[0]
    rig.settle()
    with overheard(said):
        for overrides in ({}, dict(rig.wrong)):
            live_through(rig, rig.connect(**overrides), ref, said)
    return said


def live_through(rig: Rig, connector: Connector, ref: Ref, said: Said) -> None:
    """Check, look up, read, create and update, each on a good day and after each fault."""
    can = connector.capabilities
    bad, value = rig.names.refused or (rig.names.text, "accepted")

    def attempt(what: str, action: Callable[[], object]) -> None:
        try:
            said.answers.append((f"the answer to {what}", repr(action())))
        except Exception as error:
            told = [repr(error), *traceback.format_exception(error)]
            said.errors.append((f"the error of {what}", "\n".join(told)))

    tries: list[tuple[str, Callable[[], object]]] = [(rig.lines.read, lambda: rig.read(connector))]
    if can.batch.get(WriteKind.CREATE):
        tries.append((rig.lines.create, lambda: rig.write(connector, rig.creation(rig.fresh()))))
    if can.batch.get(WriteKind.UPDATE):
        tries.append((rig.lines.update, lambda: rig.write(connector, rig.change(ref, {bad: value}))))

    said.answers.append(("the connector", repr(connector)))
    attempt("check", lambda: list(connector.check()))
    if rig.names.email in can.finds:
        address = str(rig.make_fields(0)[rig.names.email])
        attempt("find", lambda: list(connector.find(rig.names.object, rig.names.email, [address])))
    for line, action in tries:
        attempt(f"{line!r}", action)
        for kind in TROUBLE:
            if kind in rig.faults:
                rig.fault(kind, line)
                attempt(f"{line!r} after {kind.value!r}", action)


@clause("secrets-are-kept", DELTA)
def secrets_are_kept(rig: Rig) -> None:
    """No credential shows in a log, an answer, a repr, an error or its causes, however badly the day goes."""
    said = bad_day(rig)
    logs = [(where, text) for _, where, text in said.logs]
    for where, text in (*said.answers, *said.errors, *logs):
        for number, secret in enumerate(rig.secrets):
            assert secret not in text, f"{where} holds secret {number}"


@clause("people-are-kept-out-of-logs", DELTA)
def people_are_kept_out_of_logs(rig: Rig) -> None:
    """No address of a person shows in an error, in a log of ours, or in anybody's log above debug."""
    said = bad_day(rig)
    logs = [(where, text) for level, where, text in said.logs if level > logging.DEBUG or "'connectors" in where]
    for where, text in (*said.errors, *logs):
        assert "@" not in text.replace("%40", "@"), f"{where} holds an address: {text!r}"


@clause("requests-are-counted", DELTA)
def requests_are_counted(rig: Rig) -> None:
    """`requests` counts every request that the vendor saw, and only those."""
    refs = rig.put(rig.page + 1)
    rig.settle()
    connector = rig.connect()
    can = connector.capabilities
    assert sum(connector.requests().values()) == 0, "requests are counted before the first was made"
    if Fault.ERROR in rig.faults:
        rig.fault(Fault.ERROR, rig.lines.read)
    rig.read_patiently(connector)
    list(connector.fetch(refs))
    if can.batch.get(WriteKind.UPDATE):
        rig.update(connector, refs[0], {rig.names.text: "counted"})
    counted, arrived = sum(connector.requests().values()), rig.arrived()
    assert counted == arrived, f"{counted} requests are counted by {dict(connector.requests())}, {arrived} arrived"


@clause("schema")
def schema(rig: Rig) -> None:
    """The schema has every field of the account, with the lengths that the vendor tells."""
    fields = rig.connect().schema(rig.names.object).by_name()
    for each in (rig.names.email, rig.names.text):
        assert each in fields, f"the schema has no {each!r}"
    if rig.names.long_text:
        name, length = rig.names.long_text
        assert name in fields, f"the schema has no {name!r}"
        assert fields[name].length == length, (
            f"{name!r} has the length {fields[name].length}, the vendor tells {length}"
        )


@clause("check-is-quiet")
def check_is_quiet(rig: Rig) -> None:
    """With good credentials and all rights `check` finds no error, and says something."""
    findings = list(rig.connect().check())
    assert findings, "check says nothing at all"
    errors = [each.text for each in findings if each.level == "error"]
    assert not errors, f"check finds errors where there are none: {errors}"


CLAUSES: tuple[Clause, ...] = (
    secrets_are_kept,
    people_are_kept_out_of_logs,
    requests_are_counted,
    schema,
    check_is_quiet,
)
