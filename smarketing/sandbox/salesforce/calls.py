"""One call of the REST API, taken apart: the path behind the version, the headers that change what a write does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smarketing.sandbox.salesforce.errors import ApiError, Malformed
from smarketing.sandbox.salesforce.org import By


@dataclass(frozen=True, slots=True)
class Call:
    """`path`: decoded segments behind /services/data/vNN.0/; header names are in lower case."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    version: str

    def one(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    def content(self) -> dict[str, Any]:
        """The JSON object of the body. Raises ApiError."""
        kind = self.headers.get("content-type", "application/json")
        if "json" not in kind.lower():
            raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", f"Content type {kind} not supported.")
        try:
            read = json.loads(self.body or b"{}")
        except ValueError as error:
            raise Malformed("JSON_PARSER_ERROR", f"Unexpected character or end of input: {error}") from None
        if not isinstance(read, dict):
            raise Malformed("JSON_PARSER_ERROR", "The JSON body is not an object")
        return read

    def by(self, user: str) -> By:
        """Who writes, and under which rules."""
        duplicates = self.headers.get("sforce-duplicate-rule-header", "")
        return By(
            user=user,
            assign=self.headers.get("sforce-auto-assign", "true").strip().lower() != "false",
            allow_duplicates=bool(re.search(r"allowsave\s*=\s*true", duplicates, re.IGNORECASE)),
            version=self.version,
        )
