"""Clauses about bad days: what failed is told by class, and no write is sent again whose answer nobody knows."""

from __future__ import annotations

from collections.abc import Callable

from connectors.backdoor import Fault
from connectors.base import Answer, Connector, Done, FeedKind, Unknown, Unsent, Write, WriteKind
from connectors.conformance.clause import Clause, clause, fault, feed, told_wait, writes, wrong_credentials
from connectors.conformance.rig import Rig
from connectors.errors import ConnectorError, Retry, Stop

DELTA = feed(FeedKind.DELTA)
CREATE, UPDATE = writes(WriteKind.CREATE), writes(WriteKind.UPDATE)
ALWAYS = 1000
FEW = 10
"""More attempts than this at one request are no patience but a flood."""


def raised(action: Callable[[], object]) -> ConnectorError | None:
    """The connector's error that this ends in, if it does."""
    try:
        action()
    except ConnectorError as error:
        return error
    except AssertionError:
        raise
    except Exception as crash:
        raise AssertionError(f"it crashed: {crash!r}") from crash
    return None


def comes_through(rig: Rig, kind: Fault) -> None:
    """A reading that meets this fault once shows everything, at the latest when the engine comes again."""
    rig.fault(kind, rig.lines.read)
    refs = set(rig.put(3))
    rig.settle()
    lost = refs - set(rig.read_patiently(rig.connect()).newest)
    assert not lost, f"{len(lost)} of {len(refs)} records were not shown"


def fails_as(rig: Rig, kind: Fault, *classes: type[ConnectorError]) -> None:
    """A reading that meets this fault every time ends soon, in one of these errors."""
    rig.put(1)
    rig.settle()
    rig.fault(kind, rig.lines.read, times=ALWAYS)
    connector = rig.connect()
    error = raised(lambda: rig.read(connector))
    allowed = " or ".join(each.__name__ for each in classes)
    assert isinstance(error, classes), f"a reading that met {kind.value!r} ended in {error!r}; due is {allowed}"
    assert error.code, "the error has no code"
    tried = rig.arrived(rig.lines.read)
    assert tried <= FEW, f"it was tried {tried} times"


def is_in_doubt(rig: Rig, connector: Connector, kind: Fault, line: str, write: Write) -> None:
    """A write that meets this fault is Unknown, and was sent once."""
    rig.fault(kind, line)
    before = rig.arrived(line)
    answers: list[Answer] = []
    error = raised(lambda: answers.extend(rig.write(connector, write)))
    sent = rig.arrived(line) - before
    assert sent == 1, f"after {kind.value!r} it was sent {sent} times"
    assert error is None, f"after {kind.value!r} it ended in {error!r}"
    answer = answers[0]
    assert isinstance(answer, Unknown), f"after {kind.value!r} it was answered {answer!r}"
    assert answer.horizon > 0, "it does not say when absence proves something"


def create_in_doubt(rig: Rig, *kinds: Fault) -> None:
    connector = rig.connect()
    for kind in kinds:
        is_in_doubt(rig, connector, kind, rig.lines.create, rig.creation(rig.fresh()))


def update_in_doubt(rig: Rig, *kinds: Fault) -> None:
    connector = rig.connect()
    for kind, ref in zip(kinds, rig.put(len(kinds)), strict=True):
        is_in_doubt(rig, connector, kind, rig.lines.update, rig.change(ref, {rig.names.text: "perhaps"}))


@clause("rate-is-honoured", DELTA, fault(Fault.RATE), told_wait)
def rate_is_honoured(rig: Rig) -> None:
    """After "too many requests" the vendor is left in peace for as long as it asked, and nothing is missed."""
    refs = set(rig.put(3))
    rig.settle()
    rig.fault(Fault.RATE, rig.lines.read, value=2.0)
    connector = rig.connect()
    began = rig.world.monotonic()
    shown = set(rig.read_patiently(connector).newest)
    waited = rig.world.monotonic() - began
    assert waited >= 2.0, f"the vendor asked for 2 seconds and was asked again after {waited:.1f}"
    assert refs <= shown, f"{len(refs - shown)} of {len(refs)} records were not shown"


@clause("rate-that-lasts", DELTA, fault(Fault.RATE))
def rate_that_lasts(rig: Rig) -> None:
    """An endless "too many requests" is told as Retry with the vendor's own time, and not waited out."""
    rig.fault(Fault.RATE, rig.lines.read, times=ALWAYS, value=3600.0)
    connector = rig.connect()
    began = rig.world.monotonic()
    error = raised(lambda: rig.read(connector))
    assert isinstance(error, Retry), f"it ended in {error!r}"
    assert not rig.tells_wait or error.after == 3600.0, f"the vendor asked for 3600 seconds, it says {error.after}"
    assert rig.world.monotonic() - began < 3600, "the process slept for as long as the vendor asked"
    tried = rig.arrived(rig.lines.read)
    assert tried <= FEW, f"it was tried {tried} times"


@clause("rate-on-writing", CREATE, fault(Fault.RATE))
def rate_on_writing(rig: Rig) -> None:
    """A write that met "too many requests" was not made, is not in doubt, and can be sent again."""
    connector = rig.connect()
    write = rig.creation(rig.fresh())
    rig.fault(Fault.RATE, rig.lines.create, value=1.0)
    answers: list[Answer] = []
    error = raised(lambda: answers.extend(rig.write(connector, write)))
    assert error is None or isinstance(error, Retry), f"it ended in {error!r}"
    answer = Unsent() if error else answers[0]
    assert isinstance(answer, (Done, Unsent)), f"it was answered {answer!r}"
    if isinstance(answer, Unsent):
        rig.world.sleep(max(1.0, answer.after))
        rig.done(rig.write(connector, write))
    made = len(rig.alive(write.fields[rig.names.email]))
    assert made == 1, f"it was made {made} times"


@clause("error-on-reading", DELTA, fault(Fault.ERROR))
def error_on_reading(rig: Rig) -> None:
    """A reading that met a 5xx is tried again and shows everything."""
    comes_through(rig, Fault.ERROR)


@clause("cut-on-reading", DELTA, fault(Fault.CUT))
def cut_on_reading(rig: Rig) -> None:
    """A reading whose connection broke is tried again and shows everything."""
    comes_through(rig, Fault.CUT)


@clause("error-that-lasts", DELTA, fault(Fault.ERROR))
def error_that_lasts(rig: Rig) -> None:
    """A 5xx that does not end is told as Retry."""
    fails_as(rig, Fault.ERROR, Retry)


@clause("error-on-create", CREATE, fault(Fault.ERROR), fault(Fault.ERROR_AFTER))
def error_on_create(rig: Rig) -> None:
    """A create that met a 5xx is in doubt, whether it was done or not, and is not sent again."""
    create_in_doubt(rig, Fault.ERROR, Fault.ERROR_AFTER)


@clause("cut-on-create", CREATE, fault(Fault.CUT), fault(Fault.CUT_AFTER))
def cut_on_create(rig: Rig) -> None:
    """A create without an answer is in doubt, whether it was done or not, and is not sent again."""
    create_in_doubt(rig, Fault.CUT, Fault.CUT_AFTER)


@clause("error-on-update", UPDATE, fault(Fault.ERROR), fault(Fault.ERROR_AFTER))
def error_on_update(rig: Rig) -> None:
    """An update that met a 5xx is in doubt, whether it was done or not, and is not sent again."""
    update_in_doubt(rig, Fault.ERROR, Fault.ERROR_AFTER)


@clause("cut-on-update", UPDATE, fault(Fault.CUT), fault(Fault.CUT_AFTER))
def cut_on_update(rig: Rig) -> None:
    """An update without an answer is in doubt, whether it was done or not, and is not sent again."""
    update_in_doubt(rig, Fault.CUT, Fault.CUT_AFTER)


@clause("page-for-people-on-reading", DELTA, fault(Fault.HTML))
def page_for_people_on_reading(rig: Rig) -> None:
    """A page for people where data was due is an error by class, never a crash and never an empty reading."""
    fails_as(rig, Fault.HTML, Retry, Stop)


@clause("page-for-people-on-writing", CREATE, fault(Fault.HTML))
def page_for_people_on_writing(rig: Rig) -> None:
    """A page for people in answer to a create leaves it in doubt."""
    create_in_doubt(rig, Fault.HTML)


@clause("half-answer-on-reading", DELTA, fault(Fault.TRUNCATED))
def half_answer_on_reading(rig: Rig) -> None:
    """Half an answer to a reading is told as Retry, never a crash and never a shorter reading."""
    fails_as(rig, Fault.TRUNCATED, Retry)


@clause("half-answer-on-writing", CREATE, fault(Fault.TRUNCATED))
def half_answer_on_writing(rig: Rig) -> None:
    """Half an answer to a create leaves it in doubt, and it is not sent again."""
    create_in_doubt(rig, Fault.TRUNCATED)


@clause("redirect", DELTA, fault(Fault.REDIRECT))
def redirect(rig: Rig) -> None:
    """A redirect is not followed: our credentials go nowhere but where they belong."""
    fails_as(rig, Fault.REDIRECT, Stop)


@clause("foreign-link", DELTA, fault(Fault.FOREIGN_LINK))
def foreign_link(rig: Rig) -> None:
    """A next page or an instance at another host is refused, or not looked at; nothing is sent there."""
    refs = set(rig.put(2 * rig.page + 1))
    rig.settle()
    rig.fault(Fault.FOREIGN_LINK, times=ALWAYS)
    connector = rig.connect()
    shown: set[object] = set()

    def walk() -> None:
        shown.update(rig.read(connector).newest)

    # A follower finds no such host: its reading ends in Retry.
    error = raised(walk)
    assert error is None or isinstance(error, Stop), f"it ended in {error!r}"
    assert error is not None or refs <= shown, "the reading ended early without a word"


@clause("wrong-credentials", DELTA, CREATE, wrong_credentials)
def wrong_credentials_stop(rig: Rig) -> None:
    """Wrong credentials stop the system with a code, in a reading and in a write; `check` tells of them."""
    row = rig.fresh()
    connector = rig.connect(**rig.wrong)
    for what, action in (
        ("a reading", lambda: rig.read(connector)),
        ("a write", lambda: rig.write(connector, rig.creation(row))),
    ):
        error = raised(action)
        assert isinstance(error, Stop), f"{what} ended in {error!r}"
        assert error.code, f"{what} stopped without a code"
    assert not rig.alive(row[rig.names.email]), "the record was made all the same"
    findings: list[str] = []
    error = raised(lambda: findings.extend(each.level for each in connector.check()))
    assert isinstance(error, Stop) or "error" in findings, f"check says {findings} and ended in {error!r}"


@clause("expired-token", DELTA, CREATE, fault(Fault.EXPIRED))
def expired_token(rig: Rig) -> None:
    """A token that is refused in mid-run is renewed, or stops the system; the refused write is not in doubt."""
    refs = set(rig.put(2))
    rig.settle()
    connector = rig.connect()
    rig.fault(Fault.EXPIRED, rig.lines.read)
    shown: set[object] = set()
    error = raised(lambda: shown.update(rig.read(connector).newest))
    assert isinstance(error, Stop) or refs <= shown, f"the reading ended in {error!r}"
    write = rig.creation(rig.fresh())
    rig.fault(Fault.EXPIRED, rig.lines.create)
    answers: list[Answer] = []
    error = raised(lambda: answers.extend(rig.write(connector, write)))
    made = len(rig.alive(write.fields[rig.names.email]))
    if isinstance(error, Stop):
        assert made == 0, "the refused create was made"
    else:
        assert [type(each) for each in answers] == [Done], f"the create was answered {answers!r} and ended in {error!r}"
        assert made == 1, f"it was made {made} times"


@clause("missing-right", DELTA, CREATE, fault(Fault.FORBIDDEN))
def missing_right(rig: Rig) -> None:
    """A right that the credentials lack stops the system, in a reading and in a write."""
    fails_as(rig, Fault.FORBIDDEN, Stop)
    row = rig.fresh()
    rig.fault(Fault.FORBIDDEN, rig.lines.create, times=ALWAYS)
    connector = rig.connect()
    error = raised(lambda: rig.write(connector, rig.creation(row)))
    assert isinstance(error, Stop), f"a write ended in {error!r}"
    assert not rig.alive(row[rig.names.email]), "the record was made all the same"


CLAUSES: tuple[Clause, ...] = (
    rate_is_honoured,
    rate_that_lasts,
    rate_on_writing,
    error_on_reading,
    cut_on_reading,
    error_that_lasts,
    error_on_create,
    cut_on_create,
    error_on_update,
    cut_on_update,
    page_for_people_on_reading,
    page_for_people_on_writing,
    half_answer_on_reading,
    half_answer_on_writing,
    redirect,
    foreign_link,
    wrong_credentials_stop,
    expired_token,
    missing_right,
)
