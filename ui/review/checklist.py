"""The product record as a checklist: what can be seen is ticked, what cannot is only read."""

from collections.abc import Iterable
from typing import Any

from catalog.attribute_slots import slot_of
from catalog.records import Attribute

OTHER = "other"
REASON_OF_SLOT = {
    "colour": "wrong_colour",
    "pattern": "wrong_colour",
    "material": "wrong_material",
    "finish": "wrong_material",
    "shape": "wrong_shape",
    "size": "wrong_shape",
    "style": "wrong_shape",
    "type": "wrong_shape",
    "feature": "missing_part",
}
"""What a mismatch in a fact most likely is, as a reason to reject."""


def rows(attributes: Iterable[Attribute]) -> list[dict[str, Any]]:
    """Return the facts of a record for the screen; `reason` is None for those that do not show in a picture.

    A decision keeps one tick a name, so a name that comes twice is one row with both values.
    """
    found: dict[str, dict[str, Any]] = {}
    for fact in attributes:
        if fact.kind != "fact":
            continue
        unit = f" {fact.unit}" if fact.unit and fact.value[-1:].isdigit() else ""
        value = f"{fact.value}{unit}"
        if fact.name in found:
            found[fact.name]["value"] += f", {value}"
            continue
        slot = slot_of(fact.name)
        reason = None if slot == "" else REASON_OF_SLOT.get(slot or "", OTHER)
        found[fact.name] = {"name": fact.name, "value": value, "lang": fact.lang, "reason": reason}
    return list(found.values())
