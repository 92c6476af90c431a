# %%
from datetime import date
from typing import Literal

import attrs
from pydantic import BaseModel, Field, ValidationError, field_validator
from rich.console import Console
from rich.table import Table

# %%
class Address(BaseModel):
    street: str
    town: str = "Ulm"

class Person(BaseModel):
    name: str = Field(min_length=2)
    born: date
    role: Literal["user", "admin"] = "user"
    addresses: list[Address] = []

    @field_validator("name")
    @classmethod
    def titled(cls, value):
        return value.title()  # edit: return value.upper()

# %%
ada = Person(name="ada lovelace", born="1815-12-10", addresses=[{"street": "Main St 1"}])
ada

# %%
ada.model_dump_json()

# %%
try:
    Person(name="x", born="yesterday")
except ValidationError as error:
    problems = [(item["loc"], item["type"]) for item in error.errors()]
problems

# %%
sorted(Person.model_json_schema()["properties"])

# %%
@attrs.define(order=True)
class Version:
    major: int = attrs.field(converter=int)
    minor: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    tags: set = attrs.field(factory=set, order=False, eq=False)

    @classmethod
    def parse(cls, text):
        return cls(*text.split(".")[:1], minor=int(text.split(".")[1]))

# %%
versions = sorted(Version.parse(text) for text in ("2.10", "1.4", "2.9"))
versions[0].tags.add("old")
versions

# %%
attrs.asdict(versions[0]), attrs.evolve(versions[1], minor=11)

# %%
@attrs.frozen
class Point:
    x: float
    y: float = 0.0

try:
    Point(1.0).x = 2.0
except attrs.exceptions.FrozenInstanceError:
    print("frozen")
{Point(1.0), Point(1.0, 0.0)}

# %%
console = Console(width=40, force_jupyter=False, force_terminal=False)
table = Table("name", "born")
table.add_row(ada.name, str(ada.born.year))
console.print(table)

# %%
ada.role = "admin"
ada.addresses.append(Address(street="Side St 2", town="Bonn"))
[address.town for address in ada.addresses], ada.role
