"""Property definitions over HTTP. Source: specs properties-v3 and properties-2026-09."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smarketing.sandbox.emulator import Reply
from smarketing.sandbox.hubspot import bodies
from smarketing.sandbox.hubspot.batch import complete, counted
from smarketing.sandbox.hubspot.calls import Call
from smarketing.sandbox.hubspot.objects import NO_CONTENT
from smarketing.sandbox.hubspot.properties import Catalogue
from smarketing.sandbox.hubspot.refusals import Refusal, not_found, reply


class PropertiesApi:
    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now

    def listing(self, call: Call, catalogue: Catalogue) -> Reply:
        return reply({"results": [each.shape() for each in catalogue.listed(call.flag("archived"))]})

    def one(self, call: Call, catalogue: Catalogue, name: str) -> Reply:
        return reply(catalogue.one(name, call.flag("archived")).shape())

    def create(self, call: Call, catalogue: Catalogue) -> Reply:
        said = bodies.read(call.request, bodies.PropertyCreate)
        return reply(catalogue.create(said, self._now()).shape(), 201)

    def update(self, call: Call, catalogue: Catalogue, name: str) -> Reply:
        said = bodies.read(call.request, bodies.PropertyUpdate)
        return reply(catalogue.update(name, said, self._now()).shape())

    def archive(self, catalogue: Catalogue, name: str) -> Reply:
        catalogue.archive(name, self._now())
        return NO_CONTENT

    def batch_read(self, call: Call, catalogue: Catalogue) -> Reply:
        said = bodies.read(call.request, bodies.PropertyNames)
        counted(said.inputs)
        results: list[Any] = []
        errors: list[Any] = []
        for each in said.inputs:
            try:
                results.append(catalogue.one(each.name, said.archived).shape())
            except Refusal as refusal:
                errors.append(refusal.row({"name": [each.name]}))
        return complete(self._now(), results, errors)

    def batch_create(self, call: Call, catalogue: Catalogue) -> Reply:
        said = bodies.read(call.request, bodies.PropertyCreates)
        counted(said.inputs)
        results: list[Any] = []
        errors: list[Any] = []
        for each in said.inputs:
            try:
                results.append(catalogue.create(each, self._now()).shape())
            except Refusal as refusal:
                errors.append(refusal.row({"name": [each.name]}))
        return complete(self._now(), results, errors, status=200 if call.dated else 201)

    def groups(self, catalogue: Catalogue) -> Reply:
        return reply({"results": [each.shape() for each in catalogue.groups.values()]})

    def group(self, catalogue: Catalogue, name: str) -> Reply:
        if name not in catalogue.groups:
            raise not_found()
        return reply(catalogue.groups[name].shape())

    def create_group(self, call: Call, catalogue: Catalogue) -> Reply:
        return reply(catalogue.create_group(bodies.read(call.request, bodies.GroupCreate)).shape(), 201)
