"""SOSL: a text search over an index that lags behind the records as the feeds do.

Words are letters and digits; an address is three words in a row. Every term must be found, `*` stands for the rest of a
word. (Salesforce docs: SOQL and SOSL reference; parameterized search.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from smarketing.sandbox.emulator import Reply
from smarketing.sandbox.salesforce.calls import Call
from smarketing.sandbox.salesforce.errors import Malformed, not_allowed
from smarketing.sandbox.salesforce.org import Org
from smarketing.sandbox.salesforce.query import Queries
from smarketing.sandbox.salesforce.render import Json
from smarketing.sandbox.salesforce.schema import TEXTS, Field, SObject, Values
from smarketing.sandbox.salesforce.soql import Parser, Path, Query

MOST_ROWS = 2000
SEARCHED = ("Account", "Contact", "Lead", "Opportunity", "Campaign", "User")
_STATEMENT = re.compile(
    r"\s*FIND\s*\{(?P<term>(?:\\.|[^{}\\])*)\}\s*(?:IN\s+(?P<scope>ALL|EMAIL|NAME|PHONE|SIDEBAR)\s+FIELDS\s*)?"
    r"(?:RETURNING\s+(?P<returning>.*))?\Z",
    re.IGNORECASE | re.DOTALL,
)
_WORD = re.compile(r"\w+", re.UNICODE)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One object of RETURNING."""

    sobject: SObject
    paths: tuple[Path, ...]
    query: Query


class Search:
    def __init__(self, org: Org, queries: Queries) -> None:
        self._org = org
        self._queries = queries

    def statement(self, call: Call) -> Reply:
        """GET /search?q=FIND {…}. Raises Malformed."""
        text = call.one("q")
        found = _STATEMENT.match(text)
        if not found:
            raise Malformed("MALFORMED_SEARCH", "the statement must be of the form FIND {term} IN … RETURNING …")
        returning = found.group("returning")
        wanted = self._returning(returning) if returning else [self._plain(name) for name in SEARCHED]
        return self._found(
            re.sub(r"\\(.)", r"\1", found.group("term")), found.group("scope") or "ALL", wanted, call.version
        )

    def parameterized(self, call: Call) -> Reply:
        """The same as parameters or as a JSON body. Raises Malformed."""
        if call.method == "POST":
            body = call.content()
            term, scope = str(body.get("q", "")), str(body.get("in", "ALL"))
            top = [str(each) for each in body.get("fields") or ["Id"]]
            asked = [
                (str(each["name"]), [str(f) for f in each.get("fields") or top]) for each in body.get("sobjects") or []
            ]
        elif call.method == "GET":
            term, scope = call.one("q"), call.one("in", "ALL")
            top = call.one("fields", "Id").split(",")
            asked = [(n, call.one(f"{n}.fields", ",".join(top)).split(",")) for n in call.query.get("sobject", [])]
        else:
            raise not_allowed(call.method, "GET", "POST")
        wanted = [self._plain(name, fields) for name, fields in asked] or [self._plain(name) for name in SEARCHED]
        return self._found(term, scope, wanted, call.version)

    def _plain(self, name: str, fields: Sequence[str] = ("Id",)) -> _Wanted:
        paths = tuple(Path(tuple(each.strip().split(".")), 0) for each in fields)
        source = Path((name,), 0)
        return _Wanted(
            self._sobject(name), paths, Query(paths, source, None, None, (), None, (), None, 0, ",".join(fields))
        )

    def _returning(self, text: str) -> list[_Wanted]:
        """Lead(Id, Email WHERE … LIMIT 5), Contact, …"""
        parser = Parser(text)
        wanted: list[_Wanted] = []
        while True:
            source = parser.path()
            paths: tuple[Path, ...] = (Path(("Id",), source.at),)
            query = Query(paths, source, None, None, (), None, (), None, 0, text)
            if parser.skip("("):
                paths = parser.paths()
                query = parser.tail(paths, source, None)
                parser.need(")")
            wanted.append(_Wanted(self._sobject(source.parts[0]), paths, query))
            if not parser.skip(","):
                break
        parser.end()
        return wanted

    def _sobject(self, name: str) -> SObject:
        found = self._org.schema.find(name)
        if found is None or found.name not in SEARCHED:
            raise Malformed("INVALID_TYPE", f"sObject type '{name}' is not supported in a search")
        return found

    def _found(self, term: str, scope: str, wanted: Sequence[_Wanted], version: str) -> Reply:
        words = _terms(term)
        records: list[Json] = []
        for each in wanted:
            fields = _in_scope(each.sobject, scope.upper())
            table = self._org.store.tables[each.sobject.name]
            shape = self._queries.shape(each.sobject, each.paths, each.query.text)
            rows = self._queries.choose(each.query, each.sobject, table.late(self._org.now()))
            hits = [row for row in rows if all(_holds(word, row, fields) for word in words)]
            hits = hits[each.query.offset :][: each.query.limit]
            records += [shape.json(row, version) for row in hits[: MOST_ROWS - len(records)]]
        return Reply.of(200, {"searchRecords": records})


def _terms(text: str) -> list[list[str]]:
    """The terms, each a run of words that must follow each other. Raises Malformed."""
    runs = [re.findall(r"[\w*]+", whole or part) for whole, part in re.findall(r'"([^"]*)"|(\S+)', text)]
    if sum(len(word.strip("*")) for run in runs for word in run) < 2:
        raise Malformed("MALFORMED_SEARCH", "search term must be longer than one character")
    return [[word.casefold() for word in run] for run in runs if run]


def _in_scope(sobject: SObject, scope: str) -> list[Field]:
    kinds = {"EMAIL": {"email"}, "PHONE": {"phone"}, "NAME": {"string"}}.get(scope, TEXTS)
    fields = [each for each in sobject.visible() if each.type in kinds and each.name != "Id"]
    return [each for each in fields if scope != "NAME" or each.name in ("Name", "Company")]


def _holds(run: Sequence[str], row: Values, fields: Sequence[Field]) -> bool:
    """Whether one of the fields holds these words in a row."""
    for each in fields:
        value = row.get(each.name)
        if value is None:
            continue
        words = [word.casefold() for word in _WORD.findall(str(value))]
        for start in range(len(words) - len(run) + 1):
            if all(_same(wanted, word) for wanted, word in zip(run, words[start:], strict=False)):
                return True
    return False


def _same(wanted: str, word: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted
