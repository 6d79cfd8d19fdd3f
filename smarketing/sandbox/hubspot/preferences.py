"""The communication preferences over HTTP: v4 and its dated twin, and the older v3.

Addresses need no contact. v3 cannot bring an address back that has opted out, v4 can (HubSpot docs: subscriptions).
Source: specs subscriptions-v3, subscriptions-v4, subscriptions-2026-09.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smarketing.sandbox.emulator import Reply
from smarketing.sandbox.hubspot import bodies
from smarketing.sandbox.hubspot.batch import complete, counted
from smarketing.sandbox.hubspot.calls import Call
from smarketing.sandbox.hubspot.consent import (
    NOT_SPECIFIED,
    SUBSCRIBED,
    UNSUBSCRIBED,
    Consent,
    Status,
    Subscription,
    by_app,
)
from smarketing.sandbox.hubspot.properties import Property
from smarketing.sandbox.hubspot.refusals import bad_request, invalid, reply
from smarketing.sandbox.hubspot.times import stamp
from smarketing.sandbox.hubspot.values import Unfit, normal_address

STATES = (SUBSCRIBED, UNSUBSCRIBED, NOT_SPECIFIED)
BASES = (
    "CONSENT_WITH_NOTICE",
    "LEGITIMATE_INTEREST_CLIENT",
    "LEGITIMATE_INTEREST_OTHER",
    "LEGITIMATE_INTEREST_PQL",
    "NON_GDPR",
    "PERFORMANCE_OF_CONTRACT",
    "PROCESS_AND_STORE",
)
_EMAIL = Property("email", "Email")


class PreferencesApi:
    def __init__(self, consent: Consent, now: Callable[[], int], opened: int) -> None:
        self._consent = consent
        self._now = now
        self._opened = opened

    def definitions(self, call: Call) -> Reply:
        shown = [self._definition(each) for each in self._consent.subscriptions.values()]
        if call.version == "v3":
            return reply({"subscriptionDefinitions": shown})
        return complete(self._now(), shown)

    # --- v4 and dated ------------------------------------------------------------------------------------------------

    def statuses(self, call: Call, address: str) -> Reply:
        _by_email(call)
        return complete(self._now(), self._all(_address(address)))

    def change(self, call: Call, address: str) -> Reply:
        said = bodies.read(call.request, bodies.StatusChange)
        return complete(self._now(), [self._change(call, _address(address), said)])

    def wide(self, call: Call, address: str) -> Reply:
        """Empty unless the address has opted out of everything (spec: the operation's description)."""
        _by_email(call)
        address = _address(address)
        out = self._consent.out_of_everything(address)
        return complete(self._now(), self._wide(address) if out else [])

    def unsubscribe_all(self, call: Call, address: str) -> Reply:
        _by_email(call)
        changed = self._unsubscribe_all(call, _address(address))
        return complete(self._now(), changed if call.flag("verbose") else [])

    def batch_statuses(self, call: Call) -> Reply:
        _by_email(call)
        results = [{"subscriberIdString": each, "statuses": self._all(each)} for each in _addresses(call)]
        return complete(self._now(), results)

    def batch_wide(self, call: Call) -> Reply:
        _by_email(call)
        results = [{"subscriberIdString": each, "wideStatuses": self._wide(each)} for each in _addresses(call)]
        return complete(self._now(), results)

    def batch_change(self, call: Call) -> Reply:
        said = bodies.read(call.request, bodies.StatusChanges)
        counted(said.inputs)
        addresses = [_address(each.subscriberIdString) for each in said.inputs]
        for each in said.inputs:
            self._understand(each)
        results = [self._change(call, *row) for row in zip(addresses, said.inputs, strict=True)]
        return complete(self._now(), results)

    def batch_unsubscribe_all(self, call: Call) -> Reply:
        _by_email(call)
        verbose, results = call.flag("verbose"), []
        for each in _addresses(call):
            changed = self._unsubscribe_all(call, each)
            results.append({"subscriberIdString": each, **({"statuses": changed} if verbose else {})})
        return complete(self._now(), results)

    # --- v3 ----------------------------------------------------------------------------------------------------------

    def v3_status(self, address: str) -> Reply:
        address = _address(address)
        shown = [self._v3(address, each) for each in self._consent.subscriptions.values()]
        return reply({"recipient": address, "subscriptionStatuses": shown})

    def v3_subscribe(self, call: Call) -> Reply:
        return self._v3_change(call, SUBSCRIBED)

    def v3_unsubscribe(self, call: Call) -> Reply:
        return self._v3_change(call, UNSUBSCRIBED)

    def resubscribe(self, call: Call) -> Reply:
        """Dated only: what v3's subscribe will not do."""
        return self._v3_change(call, SUBSCRIBED, back=True)

    # --- the parts ---------------------------------------------------------------------------------------------------

    def _change(self, call: Call, address: str, said: bodies.StatusChange) -> dict[str, Any]:
        subscription = self._understand(said)
        status = by_app(said.statusState, self._now(), said.legalBasis, said.legalBasisExplanation)
        reason = self._consent.set(address, subscription.id, status, call.source)
        return self._status(address, subscription) | {"setStatusSuccessReason": reason}

    def _unsubscribe_all(self, call: Call, address: str) -> list[dict[str, Any]]:
        reason = self._consent.unsubscribe_all(address, by_app(UNSUBSCRIBED, self._now()), call.source)
        return [each | {"setStatusSuccessReason": reason} for each in self._all(address)]

    def _v3_change(self, call: Call, state: str, *, back: bool = False) -> Reply:
        said = bodies.read(call.request, bodies.SubscriptionChange)
        address, subscription = _address(said.emailAddress), self._subscription(said.subscriptionId)
        _known_basis(said.legalBasis)
        before = self._consent.status(address, subscription.id).state
        if state == SUBSCRIBED and before == UNSUBSCRIBED and not back:
            raise bad_request("The address has opted out and cannot be subscribed again with this call.")
        status = by_app(state, self._now(), said.legalBasis, said.legalBasisExplanation)
        self._consent.set(address, subscription.id, status, call.source)
        return reply(self._v3(address, subscription))

    def _understand(self, said: bodies.StatusChange) -> Subscription:
        if said.channel != "EMAIL":
            raise bad_request("The only channel is EMAIL.")
        if said.statusState not in STATES:
            raise bad_request(f"The statusState is one of {', '.join(STATES)}.")
        _known_basis(said.legalBasis)
        return self._subscription(said.subscriptionId)

    def _subscription(self, number: str | int) -> Subscription:
        text = str(number)
        found = self._consent.subscriptions.get(int(text)) if text.isdecimal() else None
        if found is None:
            raise bad_request(f"There is no subscription type {text}.")
        return found

    def _all(self, address: str) -> list[dict[str, Any]]:
        return [self._status(address, each) for each in self._consent.subscriptions.values()]

    def _status(self, address: str, subscription: Subscription) -> dict[str, Any]:
        status = self._consent.status(address, subscription.id)
        return {
            "businessUnitId": 0,
            "channel": "EMAIL",
            "subscriberIdString": address,
            "subscriptionId": subscription.id,
            "subscriptionName": subscription.name,
            "status": status.state,
            "source": status.source,
            "timestamp": stamp(status.at),
            **_basis(status),
        }

    def _wide(self, address: str) -> list[dict[str, Any]]:
        status = self._consent.wide(address)
        if status is None:
            return []
        return [
            {
                "businessUnitId": 0,
                "wideStatusType": "PORTAL_WIDE",
                "subscriberIdString": address,
                "status": status.state,
                "channel": "EMAIL",
                "timestamp": stamp(status.at),
            }
        ]

    def _v3(self, address: str, subscription: Subscription) -> dict[str, Any]:
        status = self._consent.status(address, subscription.id)
        wide = self._consent.out_of_everything(address)
        return {
            "id": str(subscription.id),
            "name": subscription.name,
            "description": subscription.description,
            "status": "SUBSCRIBED" if status.state == SUBSCRIBED else "NOT_SUBSCRIBED",
            "sourceOfStatus": "PORTAL_WIDE_STATUS" if wide else "SUBSCRIPTION_STATUS",
            **_basis(status),
        }

    def _definition(self, each: Subscription) -> dict[str, Any]:
        return {
            "businessUnitId": 0,
            "id": str(each.id),
            "name": each.name,
            "description": each.description,
            "purpose": each.purpose,
            "communicationMethod": "Email",
            "isActive": True,
            "isDefault": True,
            "isInternal": each.internal,
            "createdAt": stamp(self._opened),
            "updatedAt": stamp(self._opened),
        }


def _basis(status: Status) -> dict[str, str]:
    shown = {"legalBasis": status.basis, "legalBasisExplanation": status.explanation}
    return {name: value for name, value in shown.items() if value}


def _known_basis(basis: str | None) -> None:
    if basis is not None and basis not in BASES:
        raise bad_request(f"The legalBasis is one of {', '.join(BASES)}.")


def _by_email(call: Call) -> None:
    if call.request.one("channel") != "EMAIL":
        raise bad_request("The query parameter channel is required; the only channel is EMAIL.")


def _address(text: str) -> str:
    try:
        return normal_address(_EMAIL, text)
    except Unfit as unfit:
        raise invalid([unfit.problem]) from None


def _addresses(call: Call) -> list[str]:
    said = bodies.read(call.request, bodies.Addresses)
    counted(said.inputs)
    return [_address(each) for each in said.inputs]
