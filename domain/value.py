"""What values are made of: a dataclass with slots and keywords whose fields nobody may set again."""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

Value = TypeVar("Value")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def value(cls: type[Value]) -> type[Value]:
    """Make a class of values: equal and hashed by their fields.

    The type checker keeps them frozen, the interpreter does not: to guard a field as it is set for the first time costs
    three times as much as to set it, and a tick makes some fifty values.
    """
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)
