"""Several requests in one: /composite, whose parts may use each other's answers, and /composite/batch, whose may not.

The outer answer is 200 whatever becomes of the parts. (Salesforce docs: composite, composite batch.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from smarketing.sandbox.emulator import Reply
from smarketing.sandbox.salesforce.calls import Call
from smarketing.sandbox.salesforce.errors import ApiError, Malformed
from smarketing.sandbox.salesforce.records import Store
from smarketing.sandbox.salesforce.render import Json

MOST_PARTS = 25
MOST_HEAVY = 5
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])*)\}")
_HALTED = "The transaction was rolled back since another operation in the same transaction failed."

Dispatch = Callable[[str, str, Mapping[str, str], bytes], Reply]
"""Method, target, headers, body of one part → its answer, errors included."""


class Composite:
    def __init__(self, store: Store, dispatch: Dispatch) -> None:
        self._store = store
        self._dispatch = dispatch

    def answer(self, call: Call) -> Reply:
        """Raises ApiError when the whole is not understood."""
        body = call.content()
        parts = _parts(body, "compositeRequest")
        heavy = [part for part in parts if re.search(r"/(query|queryAll|composite/sobjects)\b", str(part.get("url")))]
        if len(heavy) > MOST_HEAVY:
            message = f"at most {MOST_HEAVY} of the subrequests may be queries or sObject collections"
            raise ApiError(400, "LIMIT_EXCEEDED", message)
        if len({part.get("referenceId") for part in parts}) < len(parts):
            raise Malformed("INVALID_INPUT", "each subrequest needs a referenceId of its own")
        answers: list[Json] = []
        with self._store.attempt() as attempt:
            said: dict[str, Json] = {}
            for part in parts:
                answer = self._part(call, part, said)
                said[str(part["referenceId"])] = answer
                answers.append(answer)
            if body.get("allOrNone") is True and any(_failed(each) for each in answers):
                attempt.roll_back()
                answers = [each if _failed(each) else each | _halted(_HALTED) for each in answers]
        return Reply.of(200, {"compositeResponse": answers})

    def batch(self, call: Call) -> Reply:
        body = call.content()
        parts = _parts(body, "batchRequests")
        results: list[Json] = []
        halted = False
        for part in parts:
            if halted:
                error = {"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}
                results.append({"statusCode": 412, "result": [error]})
                continue
            rich = part.get("richInput")
            body_bytes = b"" if rich is None else json.dumps(rich).encode()
            target = "/services/data/" + str(part.get("url", "")).lstrip("/")
            reply = self._send(str(part.get("method", "GET")), target, call.headers, body_bytes)
            results.append({"statusCode": reply.status, "result": _read(reply)})
            halted = body.get("haltOnError") is True and reply.status >= 400
        return Reply.of(200, {"hasErrors": any(each["statusCode"] >= 400 for each in results), "results": results})

    def _part(self, call: Call, part: Mapping[str, Any], said: Mapping[str, Json]) -> Json:
        reference = {"referenceId": part["referenceId"]}
        try:
            target = str(_resolved(part.get("url", ""), said, quoted=True))
            body = _resolved(part.get("body"), said)
        except ApiError as error:
            return {**_halted(error.message), **reference}
        extra = part.get("httpHeaders") or {}
        headers = {**call.headers, **{str(name).lower(): str(value) for name, value in extra.items()}}
        headers["content-type"] = "application/json"
        data = b"" if body is None else json.dumps(body).encode()
        reply = self._send(str(part.get("method", "GET")), target, headers, data)
        shown = {name: value for name, value in reply.headers.items() if name == "Location"}
        return {"body": _read(reply), "httpHeaders": shown, "httpStatusCode": reply.status, **reference}

    def _send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """One part; a composite within a composite is refused."""
        if re.search(r"/composite(/batch)?/?($|\?)", target):
            return Reply.of(400, [{"errorCode": "INVALID_INPUT", "message": "composite requests do not nest"}])
        return self._dispatch(method.upper(), target, headers, body)


def _parts(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    parts = body.get(name)
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise Malformed("JSON_PARSER_ERROR", f"The {name} list is required")
    if len(parts) > MOST_PARTS:
        raise ApiError(400, "LIMIT_EXCEEDED", f"at most {MOST_PARTS} subrequests are allowed, {len(parts)} were sent")
    return parts


def _failed(answer: Mapping[str, Any]) -> bool:
    return int(answer["httpStatusCode"]) >= 400


def _halted(why: str) -> Json:
    return {"body": [{"errorCode": "PROCESSING_HALTED", "message": why}], "httpHeaders": {}, "httpStatusCode": 400}


def _read(reply: Reply) -> object:
    return json.loads(reply.body) if reply.body else None


def _resolved(value: object, said: Mapping[str, Json], *, quoted: bool = False) -> object:
    """The value with each `@{ref.path}` replaced by what that part answered. Raises ApiError."""
    if isinstance(value, dict):
        return {name: _resolved(one, said) for name, one in value.items()}
    if isinstance(value, list):
        return [_resolved(one, said) for one in value]
    if not isinstance(value, str):
        return value

    def told(found: re.Match[str]) -> str:
        text = str(_looked_up(found.group(1), found.group(2), said))
        return quote(text, safe="") if quoted else text

    return _REFERENCE.sub(told, value)


def _looked_up(reference: str, path: str, said: Mapping[str, Json]) -> object:
    here: object = said[reference]["body"] if reference in said and not _failed(said[reference]) else None
    for name, position in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        if name and isinstance(here, dict):
            here = here.get(name)
        elif position and isinstance(here, list) and int(position) < len(here):
            here = here[int(position)]
        else:
            here = None
    if here is None:
        raise ApiError(400, "PROCESSING_HALTED", f"Invalid reference specified. No value for {reference}{path} found")
    return here
