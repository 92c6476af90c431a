"""Secrets inside values."""

from __future__ import annotations

import base64
from collections import namedtuple
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest

from zennb.core.secrets.values import holds_secret, secrets_in

TOKEN = "sk-abcd1234abcd1234abcd"


@dataclass(slots=True)
class Slotted:
    user: str
    password: str = field(default="hunter2")


Pair = namedtuple("Pair", ["user", "password"])  # noqa: PYI024 - as people write it


class SecretStr:
    def get_secret_value(self) -> str:
        return "hunter2"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", "hunter2"),
        ("x", TOKEN),
        ("x", f"https://me:hunter2@host/{TOKEN}"),
        ("x", {"a": {"api_key": "hunter2"}}),
        ("x", [1, {"password": "hunter2"}]),
        ("x", SimpleNamespace(password="hunter2")),
        ("x", Slotted("me")),
        ("x", Pair("me", "hunter2")),
        ("x", SecretStr()),
        ("x", pd.DataFrame({"user": ["a"], "password": ["hunter2"]})),
        ("x", pd.Series(["hunter2"], name="password")),
        ("x", pl.DataFrame({"user": ["a"], "api_key": ["hunter2"]})),
    ],
)
def test_a_secret_is_found_where_its_name_or_form_says_so(name: str, value: object) -> None:
    assert holds_secret(name, value)
    assert any("hunter2" in each or TOKEN in each for each in secrets_in(name, value))


def test_values_without_secrets_are_left_alone() -> None:
    cycle: list[object] = ["a"]
    cycle.append(cycle)
    for value in (
        None, True, 3, "text", "x" * 100_000, ["a1b2c3d4"] * 1_000, {"token_ids": [1, 2]}, cycle,
        np.array(["a1b2c3d4"]),
        pd.DataFrame({"token": ["a1b2c3d4"], "secret": ["x"], "n": [1]}), pd.DataFrame({0: ["a"]}), pd.Series([1]), len,
        SimpleNamespace(tokenizer="bert1234"), Slotted("me", ""),
    ):  # fmt: skip
        assert not holds_secret("x", value), value
    for value in (np.zeros(3), pd.DataFrame({"a": ["b"]}), len, None, True):
        assert not holds_secret("password", value)


def within(levels: int, value: object) -> object:
    for _ in range(levels):
        value = [value]
    return value


def closure() -> object:
    password = "hunter2"

    def connect() -> str:
        return password

    return connect


SECRET = {"password": "hunter2"}


@pytest.mark.parametrize(
    ("name", "value", "is_found"),
    [
        ("x", "hunter2", False),
        ("x", base64.b64encode(TOKEN.encode()).decode(), False),
        ("x", TOKEN[6:], False),
        ("x", np.array(["hunter2", TOKEN]), False),
        ("password", np.array(["hunter2"]), False),
        ("x", closure(), False),
        ("x", pd.DataFrame({"note": [TOKEN], "user": ["hunter2"]}), False),
        ("x", within(4, SECRET), True),
        ("x", within(5, SECRET), False),
        ("x", [*["a"] * 49, SECRET], True),
        ("x", [*["a"] * 50, SECRET], False),
        ("x", pd.DataFrame({"password": [None] * 49 + ["hunter2"]}), True),
        ("x", pd.DataFrame({"password": [None] * 50 + ["hunter2"]}), False),
        ("x", {"last": SECRET, **{f"k{n}": "a" for n in range(300)}}, True),
        ("x", {"last": SECRET, **{f"k{n}": "a" for n in range(500)}}, False),
    ],
    ids=lambda value: str(value)[:30],
)
def test_the_search_ends_where_the_page_on_security_says(name: str, value: object, is_found: bool) -> None:
    assert holds_secret(name, value) == is_found


def test_a_token_that_names_what_a_library_makes_is_no_secret() -> None:
    token = "3296eede67c44c41ab57c911b20d5ae2"
    frame = type("FromPandas", (), {"__module__": "dask.dataframe.io"})()
    frame._token, frame.options = token, {"path": "x"}
    assert not holds_secret("d", frame)
    frame.password = token
    assert holds_secret("d", frame)
    own = type("Client", (), {"__module__": "mine"})()
    own._token = token
    assert holds_secret("d", own)
