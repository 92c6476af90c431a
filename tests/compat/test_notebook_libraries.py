"""Loading nbformat quickly leaves out what takes long, and nothing that anybody sees."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

CODE = """\
import sys
from zennb.compat.notebook_libraries import load_quickly
load_quickly()
import nbclient, nbformat
print([name in sys.modules for name in ("jsonschema", "lark", "rfc3987_syntax")])
from jsonschema import Draft7Validator
address = Draft7Validator({"format": "iri"}, format_checker=Draft7Validator.FORMAT_CHECKER)
print([address.is_valid(text) for text in ("https://zürich.ch/ä", "no address")])
from rfc3987_syntax import parse
print(parse.__name__, "lark" in sys.modules)
"""


@pytest.mark.skipif(find_spec("rfc3987_syntax") is None, reason="jsonschema checks no addresses without it")
def test_no_grammar_is_compiled_before_an_address_is_checked() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "[True, False, False]\n[True, False]\nparse True\n"
