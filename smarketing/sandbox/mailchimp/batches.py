"""Operations in the background, with their results in an archive that is fetched without credentials.

Source: spec, `/batches`; the archive is a tar.gz of JSON files, in each a list of operations and their answers as text.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from connectors.world import MICROSECONDS, World
from smarketing.sandbox.emulator import Reply, Request
from smarketing.sandbox.mailchimp.bodies import told
from smarketing.sandbox.mailchimp.members_api import body, paged, part
from smarketing.sandbox.mailchimp.problems import Problem, invalid, not_found, nothing, reply

MOST = 1000
"""Operations in one request."""
TAKES = 2
"""Seconds until a batch is done."""
LINKED = 600
"""Seconds for which an archive's address is good."""
ARCHIVES = "/batch-archives/"


@dataclass(slots=True)
class Batch:
    id: str
    submitted: int
    total: int
    results: list[dict[str, object]] = field(default_factory=list)


class BatchesApi:
    """`carry_out` answers one operation as if it were a request of its own."""

    def __init__(self, world: World, carry_out: Callable[[Request], Reply]) -> None:
        self._world = world
        self._carry_out = carry_out
        self._batches: dict[str, Batch] = {}

    def answer(self, request: Request, below: Sequence[str]) -> Reply:
        """Raises Problem."""
        match request.method, [*below]:
            case "POST", []:
                return reply(self._body(self._begin(request), request.base_url))
            case "GET", []:
                count, offset = paged(request)
                rows = [self._body(each, request.base_url) for each in self._batches.values()]
                content = {"batches": rows[offset : offset + count], "total_items": len(rows), "_links": []}
                return part(request, content)
            case "GET", [number] if number in self._batches:
                return part(request, self._body(self._batches[number], request.base_url))
            case "DELETE", [number] if number in self._batches:
                del self._batches[number]
                return nothing()
        raise not_found()

    def archive(self, request: Request) -> Reply:
        """The results of a batch. Its address names a time; after that it is nobody's."""
        number = request.path.removeprefix(ARCHIVES).removesuffix(".tar.gz")
        until = request.one("expires")
        batch = self._batches.get(number)
        if batch is None or not until.isdigit() or self._now() > int(until):
            return Reply(403, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            content = json.dumps(batch.results).encode()
            entry = tarfile.TarInfo(f"{number}/{number}-0.json")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        return Reply(200, {"Content-Type": "application/gzip"}, packed.getvalue())

    def _begin(self, request: Request) -> Batch:
        rows = body(request).get("operations")
        if not isinstance(rows, list) or not rows or not all(isinstance(each, dict) for each in rows):
            raise invalid(("operations", "This value should be a list of operations."))
        if len(rows) > MOST:
            raise Problem(400, "Bad Request", f"A batch holds at most {MOST} operations.")
        number = f"batch{len(self._batches) + 1:05d}"
        batch = Batch(number, self._now(), len(rows))
        self._batches[number] = batch
        for row in rows:
            answer = self._carry_out(self._as_request(row, request))
            batch.results.append(
                {
                    "status_code": answer.status,
                    "operation_id": row.get("operation_id") or None,
                    "response": answer.body.decode(),
                }
            )
        return batch

    @staticmethod
    def _as_request(row: dict[str, object], request: Request) -> Request:
        params = row.get("params")
        query = urlencode({str(k): str(v) for k, v in params.items()}) if isinstance(params, dict) and params else ""
        target = f"/3.0{row.get('path')}" + (f"?{query}" if query else "")
        content = row.get("body")
        told_of = content.encode() if isinstance(content, str) else b""
        return Request.of(str(row.get("method")), target, request.headers, told_of, request.base_url)

    def _body(self, batch: Batch, base_url: str) -> dict[str, object]:
        done = self._now() >= batch.submitted + TAKES
        failed = sum(int(str(each["status_code"])) >= 400 for each in batch.results)
        until = self._now() + LINKED
        return {
            "id": batch.id,
            "status": "finished" if done else "pending",
            "total_operations": batch.total,
            "finished_operations": batch.total if done else 0,
            "errored_operations": failed if done else 0,
            "submitted_at": told(batch.submitted),
            "completed_at": told(batch.submitted + TAKES if done else None),
            "response_body_url": f"{base_url}{ARCHIVES}{batch.id}.tar.gz?expires={until}" if done else "",
            "_links": [],
        }

    def _now(self) -> int:
        return self._world.now() // MICROSECONDS
