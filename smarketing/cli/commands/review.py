"""`smarketing review`: what a person must decide, which answers there are, and the deciding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smarketing.cli.errors import DONE, REFUSED, USAGE, Failure
from smarketing.cli.naming import possible
from smarketing.cli.options import Json, Why
from smarketing.cli.output import count, document, moment, moment_json, paint, remark, say
from smarketing.cli.setting import setting, who

if TYPE_CHECKING:
    from smarketing.wiring import Installation
    from sync.store.db import Tx
    from sync.store.runs import Review

group = typer.Typer(help="What a person must decide.", no_args_is_help=True)
PAGE = 500
MOST = 50
"""So many questions are shown to a person at once."""
TITLES = {
    "conflict": "systems disagree about {group}",
    "identity": "whose record is this?",
    "same": "are these one person?",
    "two leads": "one record belongs to two leads",
    "consent": "{system} shows an opt-in, and there is an opt-out",
    "refused": "{system} refused a value",
    "unwritable": "{system} has no word for a value of {group}",
    "unreadable": "a value of {group} in {system} cannot be read",
    "missing": "{system} creates nobody without {missing}",
    "impossible": "{system} cannot {kind} records",
    "circle": "people of {system} exchange their addresses",
    "in doubt": "nobody knows whether {system} created them",
    "deleted": "deleted over there, changed here since",
    "inbound": "too many values of {group} changed at once in {system}",
    "withdrawals": "{system} tells very many opt-outs at once",
}


@group.command("list")
def list_(
    context: typer.Context,
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="Questions of this kind alone.")] = None,
    as_json: Json = False,
) -> None:
    """List what waits for a person, with the answers that each question allows."""
    from config.near import nearest_or_all
    from sync.review import ANSWERS

    if kind is not None and kind not in ANSWERS:
        raise Failure("SM244", f'there are no questions of the kind "{kind}"{nearest_or_all(kind, ANSWERS)}', USAGE)
    with setting(context).installation() as installation, installation.store.read() as tx:
        found = _questions(tx, kind)
        if as_json:
            document({"questions": [_as_object(each) for each in found]})
            return
        total = 0
        for total, each in enumerate(found, 1):
            if total > MOST:
                continue
            for text in _text(installation, tx, each):
                say(text)
            say()
        more = f"; these are the first {MOST}, --json shows all" if total > MOST else ""
        say(count(total, "question") + more if total else "nothing waits for a person")


@group.command()
def decide(
    context: typer.Context,
    number: Annotated[
        int, typer.Argument(metavar="ID", help='The number that "review list" shows.', callback=possible)
    ],
    answer: Annotated[list[str], typer.Argument(metavar="ANSWER...", help="One of the answers it shows.")],
    why: Why = "",
    as_json: Json = False,
) -> int:
    """Answer a question; what follows from the answer is carried out at once."""
    from smarketing.cli import outcome
    from smarketing.cli.progress import progress
    from sync import run as runner
    from sync.edit import CannotDecide, Moved
    from sync.review import decide as carry_out

    said = " ".join(answer)
    with setting(context).installation() as installation:
        engine = installation.engine
        try:
            with progress() as told:
                report = runner.act(engine, lambda tx: carry_out(engine, tx, number, said, who(), why), told)
        except Moved as error:
            raise Failure("SM246", f"nothing was done: {error}", REFUSED) from None
        except CannotDecide as error:
            raise Failure("SM245", f"nothing was done: {error}", USAGE) from None
        said_first = f"question {number} is decided: {said}"
        about = {"question": number, "answer": said}
        return outcome.conclude(report, as_json=as_json, about=about, said=said_first)


@group.command()
def replay(
    context: typer.Context,
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="Questions of this kind alone.")] = None,
    system: Annotated[str | None, typer.Option("--system", metavar="SYSTEM", help="Of this system alone.")] = None,
    confirm: Annotated[
        int | None, typer.Option("--confirm", metavar="COUNT", help="Carry it out; COUNT is the number it shows.")
    ] = None,
    why: Why = "",
    as_json: Json = False,
) -> int:
    """Try again what was refused or could not be written: first shown by cause, and done with --confirm COUNT."""
    from smarketing.cli import outcome
    from smarketing.cli.naming import system_named
    from smarketing.cli.progress import progress
    from sync import run as runner
    from sync.review import replay as try_again

    _check_kind(kind)
    with setting(context).installation() as installation:
        number = system_named(installation, system).id if system is not None else None
        with installation.store.read() as tx:
            found = list(_replayable(tx, kind, number))
        if confirm is None:
            _show_replay(found, as_json=as_json)
            if found:
                words = "".join(f" --{name} {said}" for name, said in (("kind", kind), ("system", system)) if said)
                remark(
                    f'nothing was done yet; carry it out with "smarketing review replay{words} --confirm {len(found)}"'
                )
            return DONE
        if confirm != len(found):
            text = f"nothing was done: {count(len(found), 'question')} would be tried again, --confirm says {confirm:,}"
            raise Failure("SM251", text, USAGE)
        engine, numbers = installation.engine, [each.id for each in found]
        with progress() as told:
            report = runner.act(
                engine, lambda tx: try_again(engine, tx, numbers, who(), why or "tried again by hand"), told
            )
        said = f"{count(len(found), 'question')} tried again"
        return outcome.conclude(report, as_json=as_json, about={"questions": numbers}, said=said)


def _check_kind(kind: str | None) -> None:
    """Raises Failure."""
    from config.near import nearest_or_all
    from sync.review import ANSWERS, replayable

    allowed = [each for each in ANSWERS if replayable(each)]
    if kind is not None and kind not in allowed:
        text = f'nothing of the kind "{kind}" can be tried again{nearest_or_all(kind, allowed)}'
        raise Failure("SM244", text, USAGE)


def _replayable(tx: Tx, kind: str | None, system: int | None) -> Iterator[Review]:
    from sync.review import replayable

    for each in _questions(tx, kind):
        if replayable(each.kind) and system in (None, each.system):
            yield each


def _show_replay(found: list[Review], *, as_json: bool) -> None:
    if as_json:
        document({"count": len(found), "questions": [_as_object(each) for each in found]})
        return
    for each in found:
        times = f", {each.n:,} times" if each.n > 1 else ""
        say(f"{each.id}  {_title(each.kind, each.body)}{times}  ({each.kind})")
    say(count(len(found), "question") if found else "nothing waits that could be tried again")


def _questions(tx: Tx, kind: str | None) -> Iterator[Review]:
    from sync.store import runs

    last = 0
    while page := runs.open_reviews(tx, PAGE, last):
        last = page[-1].id
        yield from (each for each in page if kind in (None, each.kind))


def _as_object(each: Review) -> dict[str, Any]:
    from sync.review import ANSWERS

    return {
        "id": each.id,
        "kind": each.kind,
        "title": _title(each.kind, each.body),
        "lead": each.lead,
        "count": each.n,
        "asked": moment_json(each.at),
        "details": {name: value for name, value in each.body.items() if name not in ("samples", "choices")},
        "answers": dict(ANSWERS[each.kind]),
    }


def _title(kind: str, body: Mapping[str, Any]) -> str:
    words = {name: value for name, value in body.items() if isinstance(value, str)}
    if words.get("what") == "vanished":
        return f"very many records vanished at once in {words.get('system', 'a system')}"
    return TITLES[kind].format_map(_Words(words))


class _Words(dict[str, str]):
    """Words of a title; what a question does not tell is left vague."""

    def __missing__(self, name: str) -> str:
        return "a system" if name == "system" else "something"


def _text(installation: Installation, tx: Tx, each: Review) -> Iterator[str]:
    from smarketing.cli.people import heading, label, value_text
    from sync.review import ANSWERS
    from sync.store import leads, records

    body = {**each.body}
    if "group" in body:
        body["group"] = label(installation.shape, str(body["group"]))
    times = f", {each.n:,} times" if each.n > 1 else ""
    yield (
        paint(f"{each.id}  {_title(each.kind, body)}{times}", "bold")
        + f"  ({each.kind}, {moment(each.at, installation.zone)})"
    )
    about = [each.lead] if each.lead is not None else []
    about += [number for number in each.body.get("leads", []) if number not in about]
    sides = records.by_lead(tx, about)
    for number, lead in sorted(leads.by_id(tx, about).items()):
        systems = installation.engine.systems
        places = [
            (systems[one.system].name, str(one.ref())) for one in sides[number] if one.ext and one.system in systems
        ]
        yield f"    lead {number}: {heading(lead.value, places)}"
    if "record" in each.body:
        yield f"    record: {each.body.get('system', _system_of(installation, each))} {each.body['record']}"
    cell = str(each.body.get("group", each.body.get("cell", "")))
    if "value" in each.body:
        yield f"    {label(installation.shape, cell)}: {value_text(cell, each.body['value'])}"
    for told in each.body.get("told", []):
        yield f"    {told[0]}: {value_text(cell, told[1])}"
    for name, said in (("why", "why"), ("text", "it said"), ("code", "its code"), ("expected", "cannot be read")):
        if each.body.get(name):
            yield f"    {said}: {each.body[name]}"
    for told in each.body.get("edited", []):
        yield f"    changed since: {' '.join(told)}"
    if "records" in each.body:
        yield f"    found: {', '.join(each.body['records'])}"
    if "values" in each.body:
        groups = each.body.get("groups", [])
        for one, value in zip(groups, each.body["values"], strict=False):
            yield f"    {label(installation.shape, one)}: {value_text(one, value)}"
    if "count" in each.body:
        yield f"    {each.body['count']:,} of {each.body['size']:,} records (limit {each.body['limit']:,})"
    for answer, meaning in ANSWERS[each.kind].items():
        yield f"    {answer:<12}  {meaning}"
    yield f'    answer with "smarketing review decide {each.id} ANSWER"'


def _system_of(installation: Installation, each: Review) -> str:
    found = installation.engine.systems.get(each.system or 0)
    return found.name if found is not None else ""
