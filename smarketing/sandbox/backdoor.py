"""The backdoor from outside: the same calls over HTTP, at the sandbox line's "control"."""

from __future__ import annotations

from typing import Any

from connectors.backdoor import Fault, Kept, Seen, When
from connectors.base import Fields, Ref, State


class RemoteBackdoor:
    """A backdoor into `system` of a running sandbox."""

    def __init__(self, system: str, url: str, token: str) -> None:
        import httpx

        self._system = system
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30.0)

    def put(self, object: str, fields: Fields) -> Ref:
        return _ref(self._call("put", object=object, fields=fields)["ref"])

    def edit(self, ref: Ref, fields: Fields, as_: str = "person") -> None:
        self._call("edit", ref=str(ref), fields=fields, **{"as": as_})

    def remove(self, ref: Ref) -> None:
        self._call("remove", ref=str(ref))

    def merge(self, winner: Ref, loser: Ref) -> Ref:
        return _ref(self._call("merge", winner=str(winner), loser=str(loser))["ref"])

    def opt_out(self, address: str, channel: str = "email") -> None:
        self._call("opt_out", address=address, channel=channel)

    def confirm(self, address: str, channel: str = "email") -> None:
        self._call("confirm", address=address, channel=channel)

    def fault(self, kind: Fault, when: When) -> None:
        said = {"path": when.path, "skip": when.skip, "times": when.times, "value": when.value}
        self._call("fault", kind=str(kind), when=said)

    def requests(self) -> list[Seen]:
        return [Seen(**each) for each in self._call("requests")["requests"]]

    def records(self) -> list[Kept]:
        return [
            Kept(
                _ref(each["ref"]),
                each["fields"],
                State(each["state"]),
                _ref(each["merged_into"]) if each["merged_into"] else None,
                each["modified"],
                each["consent"],
            )
            for each in self._call("records")["records"]
        ]

    def close(self) -> None:
        self._client.close()

    def _call(self, verb: str, **said: object) -> Any:
        answer = self._client.post(f"/{self._system}/{verb}", json=said)
        content = answer.json()
        if answer.status_code != 200:
            raise ValueError(content["error"])
        return content


def _ref(text: str) -> Ref:
    object_, _, id_ = text.partition(":")
    return Ref(object_, id_)
