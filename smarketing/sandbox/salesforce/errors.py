"""How Salesforce says no: an array of errors in REST, an entry per row in collections, a line in a CSV of Bulk API 2.0.

`Malformed` is a request that was not understood: a collection that holds one such row is refused as a whole.
(Salesforce docs: REST API, status codes and error responses; sObject Collections, checking for errors.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class ApiError(Exception):
    """`fields` is None where the answer has no such key; `extra` are further keys of the REST form; `row_code` and
    `row_message` are what the same failure is called inside a collection."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: Sequence[str] | None = None,
        *,
        extra: Mapping[str, object] | None = None,
        row_code: str | None = None,
        row_message: str | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self._extra = dict(extra or {})
        self._row_code = row_code or code
        self._row_message = row_message or message

    def body(self) -> list[dict[str, object]]:
        """The answer of a REST request."""
        told: dict[str, object] = {"message": self.message, "errorCode": self.code, **self._extra}
        if self.fields is not None:
            told["fields"] = list(self.fields)
        return [told]

    def rows(self) -> list[dict[str, object]]:
        """The same as one row's errors in a collection."""
        return [{"statusCode": self._row_code, "message": self._row_message, "fields": list(self.fields or ())}]

    def line(self) -> str:
        """The same as the `sf__Error` of a CSV row."""
        return f"{self._row_code}:{self._row_message}:{' '.join(self.fields or ())} --"


class Malformed(ApiError):
    """The request was not understood."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(400, code, message)


class Several(ApiError):
    """A row that breaks several rules at once. The line of a CSV tells the first only."""

    def __init__(self, found: Sequence[ApiError]) -> None:
        first = found[0]
        super().__init__(first.status, first.code, first.message, first.fields)
        self._found = found

    def body(self) -> list[dict[str, object]]:
        return [told for each in self._found for told in each.body()]

    def rows(self) -> list[dict[str, object]]:
        return [told for each in self._found for told in each.rows()]


def bad(code: str, message: str, *fields: str) -> ApiError:
    """A row that breaks a rule."""
    return ApiError(400, code, message, fields)


def not_found(message: str = "The requested resource does not exist") -> ApiError:
    return ApiError(
        404,
        "NOT_FOUND",
        message,
        row_code="INVALID_CROSS_REFERENCE_KEY",
        row_message="invalid cross reference id",
    )


def deleted() -> ApiError:
    return ApiError(404, "ENTITY_IS_DELETED", "entity is deleted", ())


def not_allowed(method: str, *allowed: str) -> ApiError:
    return ApiError(
        405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {','.join(sorted(allowed))}"
    )


def no_column(name: str, sobject: str) -> Malformed:
    return Malformed("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject}")
