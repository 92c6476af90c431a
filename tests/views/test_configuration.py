from __future__ import annotations

import pytest

from zennb.views.configuration import masked, options


@pytest.mark.parametrize(
    ("option", "value", "shown"),
    [
        ("secret", "env:AWS_SECRET", "•••• (env:AWS_SECRET)"),
        ("anything", "keyring:work/me", "•••• (keyring:work/me)"),
        ("password", "hunter2", "••••"),
        ("api_key", "hunter2", "••••"),
        ("auth-token", "hunter2", "••••"),
        ("aws_secret_access_key", "hunter2", "••••"),
        ("password", "", ""),
        ("tokenizer", "bert", "bert"),
        ("keyspace", "a", "a"),
        ("workers", "4", "4"),
        ("url", "https://me:hunter2@host:9000/x", "https://me:••••@host:9000/x"),
        ("url", "https://host:9000/x@y", "https://host:9000/x@y"),
    ],
)
def test_whatever_may_be_a_secret_is_masked(option: str, value: str, shown: str) -> None:
    assert masked(option, value) == shown


def test_options_read_as_they_were_typed() -> None:
    assert options({"workers": "4", "path": "/tmp/x"}) == ["workers=4", "path=/tmp/x"]
