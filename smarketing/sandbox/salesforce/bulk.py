"""Bulk API 2.0: jobs that take a CSV of records, and jobs that answer a query as CSV.

The work is done when the upload is said to be complete, whether or not anybody looks again; the state says so one look
later. Results come back in another order than the upload's. (Salesforce docs: Bulk API 2.0, jobs and limits.)
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from smarketing.sandbox.emulator import Reply
from smarketing.sandbox.salesforce import clock, coerce
from smarketing.sandbox.salesforce.calls import Call
from smarketing.sandbox.salesforce.collection import UNKNOWN_TWIN, upsert
from smarketing.sandbox.salesforce.errors import ApiError, bad, not_allowed, not_found
from smarketing.sandbox.salesforce.ids import read_id
from smarketing.sandbox.salesforce.org import DAY, By, Org
from smarketing.sandbox.salesforce.query import Queries
from smarketing.sandbox.salesforce.render import Json
from smarketing.sandbox.salesforce.saving import Saving
from smarketing.sandbox.salesforce.schema import SObject

MOST_BYTES = 150 * 1024 * 1024
LIFE = 7 * DAY
_DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
_CSV = {"Content-Type": "text/csv"}
INGEST = ("insert", "update", "upsert", "delete", "hardDelete")
_PAGE = 50_000


@dataclass(slots=True)
class Job:
    """`rows` are the lines of a query's answer; `good`, `failed` and `raw` belong to an upload."""

    id: str
    kind: str
    operation: str
    object: str
    made: int
    version: str
    delimiter: str
    ending: str
    state: str
    query: str = ""
    external: str | None = None
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    raw: bytes = b""
    good: list[list[str]] = field(default_factory=list)
    failed: list[list[str]] = field(default_factory=list)
    message: str = ""
    looks: int = 0


class Bulk:
    def __init__(self, org: Org, saving: Saving, queries: Queries) -> None:
        self._org = org
        self._saving = saving
        self._queries = queries
        self._jobs: dict[str, Job] = {}

    def answer(self, call: Call) -> Reply:
        """`call.path` begins with "jobs". Raises ApiError."""
        self._tidy()
        match call.path[1:]:
            case ("ingest",) | ("query",):
                return self._all(call, call.path[1])
            case (("ingest" | "query") as kind, id):
                return self._one(call, self._job(kind, id))
            case ("query", id, "results"):
                return self._results(call, self._job("query", id))
            case ("ingest", id, "batches"):
                return self._upload(call, self._job("ingest", id))
            case ("ingest", id, what):
                return self._told(call, self._job("ingest", id), what.lower())
        raise not_found()

    def _tidy(self) -> None:
        """A job is kept for seven days."""
        for id in [id for id, job in self._jobs.items() if job.made + LIFE < self._org.now()]:
            del self._jobs[id]

    def _job(self, kind: str, id: str) -> Job:
        job = self._jobs.get(read_id(id) or "")
        if job is None or job.kind != kind:
            raise not_found()
        return job

    def _all(self, call: Call, kind: str) -> Reply:
        if call.method == "GET":
            records = [self._info(job) for job in self._jobs.values() if job.kind == kind]
            return Reply.of(200, {"done": True, "records": records, "nextRecordsUrl": None})
        if call.method != "POST":
            raise not_allowed(call.method, "GET", "POST")
        said = call.content()
        delimiter, ending = str(said.get("columnDelimiter", "COMMA")), str(said.get("lineEnding", "LF"))
        if delimiter not in _DELIMITERS or ending not in _ENDINGS:
            raise _invalid_job("columnDelimiter or lineEnding is not one of those allowed")
        operation = str(said.get("operation", ""))
        job = Job(
            self._org.mint.next("750"), kind, operation, "", self._org.now(), call.version, delimiter, ending, "Open"
        )
        if kind == "query":
            self._ask(job, str(said.get("query", "")))
        else:
            self._open(job, str(said.get("object", "")), said.get("externalIdFieldName"))
        self._jobs[job.id] = job
        return Reply.of(200, self._info(job))

    def _ask(self, job: Job, query: str) -> None:
        if job.operation not in ("query", "queryAll"):
            raise _invalid_job(f"operation {job.operation!r} is not one of query, queryAll")
        found = self._queries.run(query, deleted=job.operation == "queryAll", bulk=True)
        job.query = query
        job.object = found.object
        job.header = list(found.header)
        job.rows = [found.cells(row) for row in found.rows]
        if not found.ordered:
            job.rows = _shuffled(job.id, job.rows)
        job.state = "UploadComplete"

    def _open(self, job: Job, object: str, external: object) -> None:
        sobject = self._org.schema.find(object)
        if sobject is None or sobject.tooling:
            raise _invalid_job(f"Unable to find object: {object}")
        if job.operation not in INGEST:
            raise _invalid_job(f"operation {job.operation!r} is not one of {', '.join(INGEST)}")
        if job.operation == "upsert":
            each = sobject.field(str(external))
            if each is None or not (each.external or each.lookup):  # the id counts as a lookup
                raise _invalid_job(f"Field name provided, {external} does not match an External ID for {sobject.name}")
            job.external = each.name
        job.object = sobject.name

    def _one(self, call: Call, job: Job) -> Reply:
        match call.method:
            case "GET":
                self._look(job)
                return Reply.of(200, self._info(job, full=True))
            case "PATCH":
                self._change(job, str(call.content().get("state", "")))
                return Reply.of(200, self._info(job))
            case "DELETE":
                if job.state in ("Open", "InProgress", "UploadComplete"):
                    raise _wrong_state(job)
                del self._jobs[job.id]
                return Reply(204)
        raise not_allowed(call.method, "DELETE", "GET", "PATCH")

    def _look(self, job: Job) -> None:
        if job.state in ("UploadComplete", "InProgress"):
            job.looks += 1
            job.state = "InProgress" if job.looks == 1 else ("Failed" if job.message else "JobComplete")

    def _change(self, job: Job, state: str) -> None:
        if state == "Aborted" and job.state in ("Open", "UploadComplete", "InProgress"):
            job.state = "Aborted"
        elif state == "UploadComplete" and job.kind == "ingest" and job.state == "Open":
            job.state = "UploadComplete"
            self._ingest(job)
        else:
            raise _wrong_state(job)

    def _upload(self, call: Call, job: Job) -> Reply:
        if call.method != "PUT":
            raise not_allowed(call.method, "PUT")
        if "csv" not in call.headers.get("content-type", ""):
            raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "the data of a job is sent as text/csv")
        if job.state != "Open" or job.raw:
            raise _wrong_state(job)
        if len(call.body) > MOST_BYTES:
            raise ApiError(413, "REQUEST_ENTITY_TOO_LARGE", "the data of a job is larger than 150 MB")
        job.raw = call.body
        return Reply(201)

    def _ingest(self, job: Job) -> None:
        sobject = self._org.schema.objects[job.object]
        try:
            lines = list(csv.reader(io.StringIO(job.raw.decode(), newline=""), delimiter=_DELIMITERS[job.delimiter]))
        except (UnicodeDecodeError, csv.Error) as error:
            job.message = f"InvalidBatch : Failed to parse CSV: {error}"
            return
        lines = [line for line in lines if line]
        if not lines:
            return
        job.header, rows = lines[0], lines[1:]
        unknown = [name for name in job.header if not _known(sobject, name)]
        if unknown:
            job.message = f"InvalidBatch : Field name not found : {unknown[0]}"
            job.rows = rows
            return
        by = By(user=self._org.users.us, assign=False, version=job.version)
        key = job.external or "Id"
        keys = Counter(dict(zip(job.header, row, strict=False)).get(key, "").strip().casefold() for row in rows)
        for row in rows:
            cells = dict(zip(job.header, row, strict=False))
            try:
                if len(row) != len(job.header):
                    raise bad("INVALID_FIELD", "the row has another number of cells than the header")
                if cells.get(key, "").strip() and keys[cells[key].strip().casefold()] > 1:
                    raise bad("DUPLICATE_VALUE", UNKNOWN_TWIN)
                id, created = self._write(job, sobject, cells, by)
                job.good.append([id, "true" if created else "false", *row])
            except ApiError as error:
                job.failed.append([str(read_id(cells.get("Id", "")) or ""), error.line(), *row])
        job.good = _shuffled(job.id, job.good)
        job.failed = _shuffled(job.id, job.failed)

    def _write(self, job: Job, sobject: SObject, cells: dict[str, str], by: By) -> tuple[str, bool]:
        """One row; answers the id and whether it was created. Raises ApiError."""
        given = coerce.from_csv(sobject, {name: cell for name, cell in cells.items() if name.lower() != "id"})
        if job.operation == "insert" or (job.external == "Id" and not cells.get("Id")):
            return self._saving.insert(sobject, given, by), True
        if job.external not in (None, "Id"):
            each = sobject.fields[str(job.external)]
            if given.get(each.name) is None:
                raise bad("MISSING_ARGUMENT", f"{each.name} not specified")
            return upsert(self._saving, sobject, each, given, by)
        id = read_id(cells.get("Id", ""))
        if id is None or not id.startswith(sobject.prefix):
            raise bad("MALFORMED_ID", f"{sobject.label} ID: id value of incorrect type: {cells.get('Id', '')}", "Id")
        if job.operation in ("update", "upsert"):
            self._saving.update(sobject, id, given, by)
        else:
            self._saving.delete(sobject, id, by)
            if job.operation == "hardDelete":
                self._org.empty_bin(id)
        return id, False

    def _told(self, call: Call, job: Job, what: str) -> Reply:
        if call.method != "GET":
            raise not_allowed(call.method, "GET")
        match what:
            case "successfulresults":
                return Reply(200, _CSV, self._csv(job, ["sf__Id", "sf__Created", *job.header], job.good))
            case "failedresults":
                return Reply(200, _CSV, self._csv(job, ["sf__Id", "sf__Error", *job.header], job.failed))
            case "unprocessedrecords":
                return Reply(200, _CSV, self._csv(job, job.header, job.rows))
        raise not_found()

    def _results(self, call: Call, job: Job) -> Reply:
        if job.state != "JobComplete":
            raise _wrong_state(job)
        start = int(call.one("locator", "0")) if call.one("locator", "0").isdigit() else -1
        size = int(call.one("maxRecords", str(_PAGE))) if call.one("maxRecords", str(_PAGE)).isdigit() else 0
        if size < 1 or not 0 <= start <= len(job.rows):
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "locator or maxRecords is out of range")
        page = job.rows[start : start + size]
        after = start + size
        headers = {
            **_CSV,
            "Sforce-Locator": str(after) if after < len(job.rows) else "null",
            "Sforce-NumberOfRecords": str(len(page)),
        }
        return Reply(200, headers, self._csv(job, job.header, page))

    def _csv(self, job: Job, header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
        out = io.StringIO()
        writer = csv.writer(
            out,
            delimiter=_DELIMITERS[job.delimiter],
            lineterminator=_ENDINGS[job.ending],
            quoting=csv.QUOTE_ALL,
        )
        writer.writerows([header, *rows])
        return out.getvalue().encode()

    def _info(self, job: Job, *, full: bool = False) -> Json:
        stamp = clock.stamp(job.made)
        shown: Json = {
            "id": job.id,
            "operation": job.operation,
            "object": job.object,
            "createdById": self._org.users.us,
            "createdDate": stamp,
            "systemModstamp": stamp,
            "state": job.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(job.version),
            "lineEnding": job.ending,
            "columnDelimiter": job.delimiter,
        }
        if job.kind == "ingest":
            shown["contentUrl"] = f"services/data/v{job.version}/jobs/ingest/{job.id}/batches"
        if job.external is not None:
            shown["externalIdFieldName"] = job.external
        if full:
            done = job.state in ("JobComplete", "Failed")
            count = len(job.rows) if job.kind == "query" else len(job.good) + len(job.failed)
            shown |= {
                "jobType": "V2Query" if job.kind == "query" else "V2Ingest",
                "numberRecordsProcessed": count if done else 0,
                "retries": 0,
                "totalProcessingTime": 1 if done else 0,
            }
            if job.kind == "ingest":
                shown |= {"numberRecordsFailed": len(job.failed) if done else 0, "apiActiveProcessingTime": 0}
            if job.message and done:
                shown["errorMessage"] = job.message
        return shown


def _known(sobject: SObject, name: str) -> bool:
    head, _, tail = name.partition(".")
    return sobject.parent(head) is not None if tail else sobject.field(name) is not None


def _shuffled(id: str, rows: list[list[str]]) -> list[list[str]]:
    """Another order, the same in every replay."""
    return [
        row for _, row in sorted(enumerate(rows), key=lambda pair: hashlib.sha256(f"{id}{pair[0]}".encode()).digest())
    ]


def _invalid_job(why: str) -> ApiError:
    return ApiError(400, "INVALIDJOB", f"InvalidJob : {why}")


def _wrong_state(job: Job) -> ApiError:
    return ApiError(400, "INVALIDJOBSTATE", f"the job is in state {job.state}")
