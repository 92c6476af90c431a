"""A server with the API of S3, in this process: it notes requests, and fails or waits where a test says."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["BUCKET", "Answer", "BucketServer", "Request", "refusal", "skip_without_s3", "wait_for"]

BUCKET = "team"

_ERROR = """<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>{code}</Code><Message>{message}</Message><RequestId>1</RequestId></Error>"""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request: `PUT /team/x/ab/abc?partNumber=2`."""

    method: str
    path: str
    query: str = ""
    condition: str = ""

    @property
    def is_part(self) -> bool:
        return "partNumber=" in self.query


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: str
    body: bytes


def refusal(status: str, code: str, message: str = "refused by the test") -> Answer:
    """Return an error as S3 sends it."""
    return Answer(status=status, body=_ERROR.format(code=code, message=message).encode())


@dataclass
class BucketServer:
    """Moto, behind a layer that looks at each request.

    Attributes:
        requests: all of them, in order.
        fault: called with each request; what it returns, if anything, is sent instead of what moto would.
    """

    requests: list[Request] = field(default_factory=list)
    fault: Callable[[Request], Answer | None] = lambda _: None

    def __post_init__(self) -> None:
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server

        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would log each request
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.address = f"http://127.0.0.1:{self._server.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @cached_property
    def client(self) -> Any:
        """A client of botocore, which knows nothing of fsspec."""
        import botocore.session

        return botocore.session.get_session().create_client(
            "s3",
            endpoint_url=self.address,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def clear(self) -> None:
        """Empty the bucket and forget what was asked."""
        self.fault = lambda _: None
        client = self.client
        if BUCKET not in {each["Name"] for each in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=BUCKET)
        keys = [{"Key": key} for key in self.keys()]
        if keys:
            client.delete_objects(Bucket=BUCKET, Delete={"Objects": keys, "Quiet": True})
        for each in self.unfinished():
            client.abort_multipart_upload(Bucket=BUCKET, Key=each["Key"], UploadId=each["UploadId"])
        self.requests.clear()

    def keys(self) -> list[str]:
        """Return the names of all objects."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def unfinished(self) -> list[dict[str, Any]]:
        """Return the uploads in parts that were begun and neither completed nor aborted."""
        found: list[dict[str, Any]] = self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return found

    def counted(self) -> Counter[str]:
        """Return how often each method was called since the last `clear`, for objects."""
        return Counter(each.method for each in self.requests)

    def close(self) -> None:
        self._server.shutdown()

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        seen = Request(
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"],
            query=environ.get("QUERY_STRING", ""),
            condition=environ.get("HTTP_IF_NONE_MATCH", ""),
        )
        self.requests.append(seen)
        answer = self.fault(seen)
        if answer is None:
            found: Iterable[bytes] = self._moto(environ, start)
            return found
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start(answer.status, [("Content-Type", "application/xml"), ("Content-Length", str(len(answer.body)))])
        return [] if seen.method == "HEAD" else [answer.body]


def skip_without_s3() -> None:
    """Skip a module whose tests need the libraries of S3."""
    if find_spec("s3fs") is None or find_spec("moto") is None:
        pytest.skip("the tests of S3 need s3fs and moto: make test-stores", allow_module_level=True)


def wait_for(condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.05)
