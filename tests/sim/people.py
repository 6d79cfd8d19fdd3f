"""Five people, and what salespeople, marketers and they themselves do in some systems.

Seventeen kinds of acts, with their counter-acts: what is deleted here is edited there, who opted out opts in again, two
swap their addresses. Whoever lets them act speaks of systems as the simulator's do: `first`, `last`, `title`, `stage`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from connectors.backdoor import Backdoor, Kept
from connectors.base import Fields, Ref, State
from tests.sim.truth import TOKEN, Truth, tokens

NAMES = ("Alfa", "Bravoson", "Charlier", "Deltamann", "Ekkoberg", "Foxtrot", "Golfstrand", "Hotelvik")
STAGES = ("subscriber", "lead", "mql", "sql", "opportunity", "customer")


ACTS: Mapping[str, float] = {
    "edit title": 0.17,
    "edit a": 0.17,
    "edit k": 0.08,
    "edit address": 0.09,
    "clear": 0.04,
    "tag": 0.07,
    "untag": 0.04,
    "stage on": 0.06,
    "stage back": 0.03,
    "opt out": 0.05,
    "opt in": 0.04,
    "delete": 0.03,
    "arrive": 0.03,
    "rename": 0.04,
    "take address": 0.02,
    "duplicate": 0.02,
    "merge": 0.02,
}
"""Act → its share of all."""


class Scene(Protocol):
    """Where people act. `passed`: seconds since it began; `knows`: whether we have read that record;
    `heard_no`: and that it says no."""

    @property
    def truth(self) -> Truth: ...

    @property
    def marks(self) -> Counter[str]: ...

    @property
    def vendors(self) -> Mapping[int, Backdoor]: ...

    @property
    def passed(self) -> float: ...

    def dice(self) -> float: ...

    def knows(self, number: int, ref: Ref) -> bool: ...

    def heard_no(self, number: int, ref: Ref) -> bool: ...


class People:
    """The acts. Each picks a record that is there, sees its values, and leaves its own."""

    def __init__(self, play: Scene, shares: Mapping[str, float] = ACTS) -> None:
        self._play = play
        self._shares = shares
        self._addresses = 0
        self.arrived = 0

    def arrive(self) -> None:
        """Five people are there already, in some systems, not always with the same words."""
        for _ in range(5):
            self._person(many=True)

    def act(self) -> None:
        play = self._play
        acts = {
            "edit title": lambda: self._edit("title"),
            "edit a": lambda: self._edit("a"),
            "edit k": lambda: self._edit("k"),
            "edit address": lambda: self._edit("address"),
            "clear": self._clear,
            "tag": self._tag,
            "untag": self._untag,
            "stage on": lambda: self._stage(forward=True),
            "stage back": lambda: self._stage(forward=False),
            "opt out": self._opt_out,
            "opt in": self._opt_in,
            "delete": self._delete,
            "arrive": lambda: self._person(many=False),
            "rename": self._rename,
            "take address": self._take_address,
            "duplicate": self._duplicate,
            "merge": self._merge,
        }
        dice = self._dice()
        for name, share in self._shares.items():
            dice -= share
            if dice < 0:
                before = play.truth.count
                try:
                    acts[name]()
                except ValueError:
                    play.truth.forget_since(before)
                    play.marks["act refused over there"] += 1
                return

    # --- picking ---

    def _dice(self) -> float:
        return self._play.dice()

    def _pick(self, items: list[Any]) -> Any:
        return items[int(self._dice() * len(items))]

    def _live(self, number: int) -> list[Kept]:
        return [each for each in self._play.vendors[number].records() if each.state is State.LIVE]

    def _record(self) -> tuple[int, Kept] | None:
        number = self._pick(sorted(self._play.vendors))
        live = self._live(number)
        return (number, self._pick(live)) if live else None

    # --- acts ---

    def _address(self, person: str) -> str:
        self._addresses += 1
        return f"{person.lower()}-{self._addresses}@example.com"

    def _person(self, *, many: bool) -> None:
        if self.arrived >= len(NAMES):
            return
        person = NAMES[self.arrived]
        self.arrived += 1
        address = self._address(person)
        systems = sorted(self._play.vendors)
        count = 1 + int(self._dice() * len(systems)) if many else 1
        while len(systems) > count:
            systems.remove(self._pick(systems))
        for number in systems:
            truth = self._play.truth
            fields: Fields = {"email": address, "first": "Ann", "last": person}
            for group in ("title", "a", "k"):
                fields[group] = truth.new(person, group, (), "xxxxxxxxxxxxxxxx" if group == "title" else "")
            home = truth.new(person, "address", ())
            fields |= {"street": home, "city": home, "stage": "lead"}
            ref = self._play.vendors[number].put("person", fields)
            self._look_at_title(number, ref)

    def _look_at_title(self, number: int, ref: Ref) -> None:
        """What somebody typed is what the vendor kept of it."""
        kept = next(each for each in self._live(number) if each.ref == ref)
        title = kept.fields.get("title")
        if isinstance(title, str):
            self._play.truth.full[title[:TOKEN]].add(title)

    def _edit(self, group: str) -> None:
        found = self._record()
        if found is None:
            return
        number, kept = found
        person = str(kept.fields["last"])
        native = {"address": ("street", "city")}.get(group, (group,))
        seen = {mark for name in native for mark in tokens(kept.fields.get(name))}
        value = self._play.truth.new(person, group, seen, "xxxxxxxxxxxxxxxx" if group == "title" else "")
        by = "workflow" if self._dice() < 0.2 else "person"
        self._play.vendors[number].edit(kept.ref, dict.fromkeys(native, value), by)
        if group == "title":
            self._look_at_title(number, kept.ref)

    def _clear(self) -> None:
        found = self._record()
        if found is not None:
            number, kept = found
            name = self._pick(["title", "a"])
            person = str(kept.fields["last"])
            seen = tokens(kept.fields.get(name))
            if seen:
                self._play.truth.cleared[(person, name)] |= self._play.truth.older(seen)
                self._play.vendors[number].edit(kept.ref, {name: None})

    def _tag(self) -> None:
        found = self._record()
        if found is not None:
            number, kept = found
            person = str(kept.fields["last"])
            tags = kept.fields.get("tags")
            mine = list(tags) if isinstance(tags, list) else []
            mark = self._play.truth.new(person, "tags", ())
            self._play.vendors[number].edit(kept.ref, {"tags": [*mine, mark]})

    def _untag(self) -> None:
        found = self._record()
        if found is not None:
            number, kept = found
            tags = kept.fields.get("tags")
            if isinstance(tags, list) and tags:
                gone = self._pick(list(tags))
                self._play.truth.removed_tags[str(kept.fields["last"])].add(gone)
                self._play.vendors[number].edit(kept.ref, {"tags": [each for each in tags if each != gone]})

    def _stage(self, *, forward: bool) -> None:
        found = self._record()
        if found is not None:
            number, kept = found
            place = STAGES.index(str(kept.fields.get("stage") or "lead"))
            place += 1 if forward else -1
            if 0 <= place < len(STAGES):
                self._play.vendors[number].edit(kept.ref, {"stage": STAGES[place]})

    def _opt_out(self) -> None:
        self._declare("out")

    def _opt_in(self) -> None:
        self._declare("in")

    def _declare(self, what: str) -> None:
        found = self._record()
        if found is None:
            return
        number, kept = found
        address = str(kept.fields["email"])
        vendor = self._play.vendors[number]
        before = {each.ref: each.fields.get("consent") for each in self._live(number)}
        vendor.opt_out(address) if what == "out" else vendor.confirm(address)
        # Whoever else has this address there is meant as well.
        for each in self._live(number):
            told = what == "in" or before[each.ref] != "out"  # a second no changes nothing that could be read
            if told and str(each.fields["email"]).lower() == address.lower():
                person = str(each.fields["last"])
                self._play.truth.said.append((person, what, number, each.ref.id, self._play.passed))

    def _delete(self) -> None:
        found = self._record()
        if found is not None:
            number, kept = found
            self._play.truth.lose(number, kept.ref.id, kept.fields.values())
            if self._play.knows(number, kept.ref):
                self._play.truth.deleted[(number, kept.ref.id)] = self._play.passed
            self._play.vendors[number].remove(kept.ref)

    def _rename(self) -> None:
        found = self._record()
        if found is not None:
            number, kept = found
            person = str(kept.fields["last"])
            address = self._address(person)
            seen = tokens(kept.fields.get("email"))
            self._readdress(number, kept, address)
            self._play.truth.note(person, "email", address, seen, address)

    def _readdress(self, number: int, kept: Kept, address: str) -> None:
        """Where a no hangs on the address, the vendor forgets it with the old one. Nobody can pass on what was
        forgotten before it could be read."""
        vendor = self._play.vendors[number]
        vendor.edit(kept.ref, {"email": address})
        after = next(each for each in vendor.records() if each.ref == kept.ref)
        forgotten = kept.fields.get("consent") == "out" and after.fields.get("consent") != "out"
        if forgotten and not self._play.heard_no(number, kept.ref):
            self._play.truth.forget_no(number, kept.ref.id)
            self._play.marks["a no forgotten over there before it could be read"] += 1

    def _take_address(self) -> None:
        """Somebody gets the address that another has."""
        found, other = self._record(), self._record()
        if found is None or other is None or found[1].fields["last"] == other[1].fields["last"]:
            return
        number, kept = found
        address = str(other[1].fields["email"])
        self._readdress(number, kept, address)
        place = (str(kept.fields["last"]), "email")
        self._play.truth.cleared[place] |= self._play.truth.older(tokens(kept.fields.get("email")))
        self._play.marks["rename onto another's address"] += 1

    def _duplicate(self) -> None:
        """A salesperson enters somebody who is there already, where the vendor lets them."""
        found = self._record()
        if found is not None:
            number, kept = found
            self.enter(number, str(kept.fields["last"]), str(kept.fields["email"]))
            self._play.marks["duplicate entered"] += 1

    def enter(self, number: int, person: str, address: str) -> None:
        """Somebody types in a person with a word of their own. ValueError: the vendor does not let them."""
        value = self._play.truth.new(person, "a", ())
        fields: Fields = {"email": address, "first": "Ann", "last": person, "a": value}
        self._play.vendors[number].put("person", fields)

    def _merge(self) -> None:
        """Two records of one person are merged over there."""
        for number in sorted(self._play.vendors):
            by_person: dict[str, list[Kept]] = {}
            for each in self._live(number):
                by_person.setdefault(str(each.fields["last"]), []).append(each)
            for some in by_person.values():
                if len(some) > 1:
                    for each in some[:2]:
                        self._play.truth.lose(number, each.ref.id, each.fields.values())
                    survivor = self._play.vendors[number].merge(some[0].ref, some[1].ref)
                    self._look_at_title(number, survivor)
                    self._play.marks["merged over there"] += 1
                    return
