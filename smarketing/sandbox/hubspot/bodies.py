"""The request bodies HubSpot takes. Source: the components of the specs contacts, properties, associations and
subscriptions. Fields that a spec requires and the live API does without are optional here; ids may be numbers."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import msgspec

from smarketing.sandbox.emulator import Request
from smarketing.sandbox.hubspot.refusals import Refusal, bad_request

Id: TypeAlias = str | int
Values: TypeAlias = dict[str, Any]
T = TypeVar("T")


class ObjectId(msgspec.Struct):
    id: Id


class AssociationSpec(msgspec.Struct):
    associationCategory: str
    associationTypeId: int


class NewAssociation(msgspec.Struct):
    to: ObjectId
    types: list[AssociationSpec]


class Create(msgspec.Struct):
    properties: Values
    associations: list[NewAssociation] | None = None
    objectWriteTraceId: str | None = None


class Update(msgspec.Struct):
    properties: Values


class BatchUpdate(msgspec.Struct):
    id: Id
    properties: Values
    idProperty: str | None = None
    objectWriteTraceId: str | None = None


class Creates(msgspec.Struct):
    inputs: list[Create]


class Updates(msgspec.Struct):
    inputs: list[BatchUpdate]


class Ids(msgspec.Struct):
    inputs: list[ObjectId]


class BatchRead(msgspec.Struct):
    inputs: list[ObjectId]
    properties: list[str] | None = None
    propertiesWithHistory: list[str] | None = None
    idProperty: str | None = None


class Merge(msgspec.Struct):
    primaryObjectId: Id
    objectIdToMerge: Id


class GdprDelete(msgspec.Struct):
    objectId: Id
    idProperty: str | None = None


class Filter(msgspec.Struct):
    propertyName: str
    operator: str
    value: str | int | float | None = None
    highValue: str | int | float | None = None
    values: list[str] | None = None


class FilterGroup(msgspec.Struct):
    filters: list[Filter]


class Sort(msgspec.Struct):
    propertyName: str
    direction: str = "ASCENDING"


class Search(msgspec.Struct):
    """`sorts` are strings in the spec ("-createdate") and objects in the docs; both are taken."""

    filterGroups: list[FilterGroup] | None = None
    sorts: list[Sort | str] | None = None
    query: str | None = None
    properties: list[str] | None = None
    limit: int | None = None
    after: Id | None = None


class PairOfIds(msgspec.Struct):
    from_: ObjectId = msgspec.field(name="from")
    to: ObjectId


class LabelledPair(msgspec.Struct):
    from_: ObjectId = msgspec.field(name="from")
    to: ObjectId
    types: list[AssociationSpec]


class FanOut(msgspec.Struct):
    from_: ObjectId = msgspec.field(name="from")
    to: list[ObjectId]


class Pairs(msgspec.Struct):
    inputs: list[PairOfIds]


class LabelledPairs(msgspec.Struct):
    inputs: list[LabelledPair]


class FanOuts(msgspec.Struct):
    inputs: list[FanOut]


class OptionInput(msgspec.Struct):
    label: str
    value: str
    displayOrder: int = -1
    hidden: bool = False
    description: str = ""


class PropertyCreate(msgspec.Struct):
    name: str
    label: str
    type: str
    fieldType: str
    groupName: str
    description: str = ""
    options: list[OptionInput] | None = None
    displayOrder: int = -1
    hasUniqueValue: bool = False
    hidden: bool = False
    formField: bool = False


class PropertyUpdate(msgspec.Struct):
    label: str | None = None
    description: str | None = None
    groupName: str | None = None
    options: list[OptionInput] | None = None
    displayOrder: int | None = None
    hidden: bool | None = None
    formField: bool | None = None


class PropertyCreates(msgspec.Struct):
    inputs: list[PropertyCreate]


class PropertyName(msgspec.Struct):
    name: str


class PropertyNames(msgspec.Struct):
    inputs: list[PropertyName]
    archived: bool = False


class GroupCreate(msgspec.Struct):
    name: str
    label: str
    displayOrder: int = -1


class StatusChange(msgspec.Struct):
    """`subscriberIdString` stands in the path of a single change and in each row of a batch."""

    subscriptionId: Id
    statusState: str
    channel: str
    legalBasis: str | None = None
    legalBasisExplanation: str | None = None
    subscriberIdString: str = ""


class StatusChanges(msgspec.Struct):
    inputs: list[StatusChange]


class Addresses(msgspec.Struct):
    inputs: list[str]


class SubscriptionChange(msgspec.Struct):
    emailAddress: str
    subscriptionId: Id
    legalBasis: str | None = None
    legalBasisExplanation: str | None = None


def read(request: Request, kind: type[T]) -> T:
    """The body as `kind`. Raises Refusal."""
    content_type = request.headers.get("content-type", "application/json")
    if not content_type.startswith("application/json"):
        raise Refusal(415, "VALIDATION_ERROR", "The Content-Type of the body must be application/json.")
    try:
        return msgspec.json.decode(request.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"Invalid input JSON: {error}") from None
