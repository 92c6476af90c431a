from __future__ import annotations

from typing import Any

import pytest

from zennb.components.artifact_stores.remote.loop_calls import NoAnswerError
from zennb.components.artifact_stores.remote.reasons import remote_reason
from zennb.errors import MissingExtra, StoreBusy, StoreError, StoreReadOnly


class _HttpError(Exception):
    """As gcsfs raises it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class _AzureError(Exception):
    """As Azure's libraries raise it."""

    def __init__(self, error_code: str, status_code: int) -> None:
        super().__init__(f"{error_code}\nRequestId: 1\nTime: now")
        self.error_code, self.status_code = error_code, status_code


class EndpointConnectionError(Exception):
    """As botocore raises it."""


class DefaultCredentialsError(Exception):
    """As Google's libraries raise it."""


def reason(error: Exception, **more: Any) -> Any:
    return remote_reason(error, name="team", url="s3://b/x", options="`key`", **more)


@pytest.mark.parametrize(
    ("error", "writes", "kind", "first"),
    [
        (
            NoAnswerError("no answer for 70 seconds"),
            False,
            StoreBusy,
            "gives no answer: no answer for 70 seconds",
        ),
        (_HttpError(401, "Invalid Credentials"), False, StoreError, "does not accept the credentials"),
        (_HttpError(403, "Forbidden"), True, StoreReadOnly, "may not be written to"),
        (_HttpError(403, "Forbidden"), False, StoreError, "may not be read"),
        (OSError("Forbidden: b/o\nada may not"), True, StoreReadOnly, "may not be written to"),
        (_AzureError("ContainerNotFound", 404), True, StoreError, "has no bucket"),
        (_AzureError("AuthenticationFailed", 403), True, StoreError, "does not accept the credentials"),
        (_AzureError("AuthorizationPermissionMismatch", 403), True, StoreReadOnly, "may not be written to"),
        (EndpointConnectionError("no route"), False, StoreError, "cannot reach s3://b/x"),
        (ConnectionRefusedError(111, "Connection refused"), False, StoreError, "cannot reach s3://b/x"),
        (DefaultCredentialsError("none found"), False, StoreError, "has no credentials for s3://b/x"),
        (ImportError("Install sshfs"), False, MissingExtra, "needs a library"),
        (FileNotFoundError("b/nope/o"), True, StoreError, "has no bucket"),
        (RuntimeError("odd"), True, StoreError, "failed at s3://b/x"),
    ],
)
def test_what_libraries_raise_becomes_one_sentence(
    error: Exception, writes: bool, kind: type[Exception], first: str
) -> None:
    found = reason(error, writes=writes)
    message = str(found)
    assert type(found) is kind
    assert first in message.split(". ", maxsplit=1)[0]
    assert "\n" not in message


def test_a_cause_counts_like_the_error_itself() -> None:
    error = OSError(5, "something")
    error.__cause__ = EndpointConnectionError("no route")
    assert "cannot reach" in reason(error).message


def test_an_error_of_ours_stays_as_it_is() -> None:
    error = StoreError("so it is")
    assert reason(error) is error


@pytest.mark.parametrize(
    "text", ["https://a.blob/x?sv=1&sig=abc%2Bdef&se=2", "GET https://b/x?X-Amz-Signature=abc%2Bdef"]
)
def test_signatures_of_addresses_are_masked(text: str) -> None:
    assert "abc%2Bdef" not in reason(RuntimeError(text)).message
