"""What a connector that is broken on purpose says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.memory import Memory
from connectors.memory_records import Temperament


@dataclass(frozen=True, slots=True)
class Broken:
    """`kind` breaks this clause, and no other, over a vendor of this temperament."""

    clause: str
    how: Temperament
    kind: type[Memory]

    def __str__(self) -> str:
        return f"{self.clause}-{self.kind.__name__}"
