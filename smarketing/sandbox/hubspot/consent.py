"""Who may be mailed: a ledger of e-mail addresses, whether or not a contact has them.

An opt-out of everything covers every subscription until somebody opts in again. What a contact shows of it
(hs_email_optout, hs_email_optout_<id>) follows its present address.
Source: spec subscriptions-v4; HubSpot docs, subscriptions guide and legacy v3 pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from smarketing.sandbox.hubspot.sources import EMAIL_LINK, FORM, OUR_APP, Source
from smarketing.sandbox.hubspot.standard import mirror

SUBSCRIBED, UNSUBSCRIBED, NOT_SPECIFIED = "SUBSCRIBED", "UNSUBSCRIBED", "NOT_SPECIFIED"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription type. Internal ones (a salesperson's own mail, service) are no marketing."""

    id: int
    name: str
    description: str
    purpose: str
    internal: bool


SUBSCRIPTIONS = (
    Subscription(530_001, "Marketing Information", "Marketing offers and updates.", "Marketing", False),
    Subscription(530_002, "Customer Service Communication", "Feedback requests and service.", "Service", True),
    Subscription(530_003, "One to One", "One to one emails", "Sales", True),
)


@dataclass(frozen=True, slots=True)
class Status:
    """What an address said, or what was said for it. `source` is told in free text."""

    state: str
    source: str
    at: int
    basis: str | None = None
    explanation: str | None = None


def told(source: Source) -> str:
    """A source as statuses tell it."""
    match source:
        case Source("INTEGRATION", id):
            return f"Public status API, App ID:{id}"
        case Source(label=label):
            return label


class Consent:
    """The ledger. `changed` is called after each change with the address and who made it."""

    def __init__(self, opened: int) -> None:
        self.changed: Callable[[str, Source], None] = lambda address, source: None
        self.subscriptions = {each.id: each for each in SUBSCRIPTIONS}
        self._unasked = Status(NOT_SPECIFIED, "Not specified", opened)
        self._wide: dict[str, Status] = {}
        self._single: dict[str, dict[int, Status]] = {}

    def status(self, address: str, subscription: int) -> Status:
        """What counts: the opt-out of everything before what was said of one subscription."""
        wide = self._wide.get(address)
        if wide is not None and wide.state == UNSUBSCRIBED:
            return wide
        return self._single.get(address, {}).get(subscription, self._unasked)

    def wide(self, address: str) -> Status | None:
        """The opt-out of everything, or that it was taken back; None for an address that never did."""
        return self._wide.get(address)

    def out_of_everything(self, address: str) -> bool:
        wide = self._wide.get(address)
        return wide is not None and wide.state == UNSUBSCRIBED

    def set(self, address: str, subscription: int, status: Status, source: Source) -> str:
        """Answers why it went well (spec: `setStatusSuccessReason`)."""
        before = self.status(address, subscription)
        if status.state == before.state or (status.state != SUBSCRIBED and self.out_of_everything(address)):
            return "NO_STATUS_CHANGE"
        if self.out_of_everything(address):
            self._come_back(address, status)
        self._single.setdefault(address, {})[subscription] = status
        self.changed(address, source)
        back = before.state == UNSUBSCRIBED and status.state == SUBSCRIBED
        return "RESUBSCRIBE_OCCURRED" if back else "REQUESTED_CHANGE_OCCURRED"

    def unsubscribe_all(self, address: str, status: Status, source: Source) -> str:
        if self.out_of_everything(address):
            return "NO_STATUS_CHANGE"
        self._wide[address] = status
        self.changed(address, source)
        return "UNSUBSCRIBE_FROM_ALL_OCCURRED"

    def opt_out(self, address: str, at: int) -> None:
        """The owner of the address follows the link in a mail."""
        self.unsubscribe_all(address, Status(UNSUBSCRIBED, told(EMAIL_LINK), at), EMAIL_LINK)

    def confirm(self, address: str, at: int) -> None:
        """The owner of the address fills in a form and confirms by mail."""
        words = "Double opt-in confirmed by the recipient"
        status = Status(SUBSCRIBED, told(FORM), at, "CONSENT_WITH_NOTICE", words)
        for each in SUBSCRIPTIONS:
            if each.internal:
                continue
            if self.status(address, each.id).state == SUBSCRIBED:
                self._single[address][each.id] = status  # nothing changes but the evidence
            else:
                self.set(address, each.id, status, FORM)

    def forget(self, address: str) -> None:
        self._wide.pop(address, None)
        self._single.pop(address, None)

    def mirrored(self, address: str, held: Mapping[str, str]) -> dict[str, str]:
        """The values of a contact's mirror properties. Never asked: empty; opted out and then not: "false"."""
        single = self._single.get(address, {})
        out = {"hs_email_optout": self.out_of_everything(address)}
        out |= {mirror(number): self._says(single, number) for number in self.subscriptions}
        return {name: "true" if yes else "false" if held.get(name) else "" for name, yes in out.items()}

    def mailable(self, address: str) -> str | None:
        """ "out", "in" or None for never asked, over all marketing subscriptions."""
        states = {self.status(address, each.id).state for each in SUBSCRIPTIONS if not each.internal}
        if states == {UNSUBSCRIBED}:
            return "out"
        return "in" if SUBSCRIBED in states else None

    def _come_back(self, address: str, status: Status) -> None:
        # Opting in to one subscription ends the opt-out of everything, but opens no other subscription.
        self._single[address] = dict.fromkeys(self.subscriptions, self._wide[address])
        self._wide[address] = Status(SUBSCRIBED, status.source, status.at)

    @staticmethod
    def _says(single: Mapping[int, Status], number: int) -> bool:
        return number in single and single[number].state == UNSUBSCRIBED


def by_app(state: str, at: int, basis: str | None = None, explanation: str | None = None) -> Status:
    return Status(state, told(OUR_APP), at, basis, explanation)
