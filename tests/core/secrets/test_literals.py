"""Secrets that are written out in code."""

from __future__ import annotations

import ast

import pytest

from zennb.core.reading.normal_form import normal_digest
from zennb.core.secrets.literals import NO_SECRETS, mask_source, split_secrets

HIDDEN = [
    "password = {}",
    "self.api_key = {}",
    "os.environ['API_KEY'] = {}",
    "a, password = 1, {}",
    "password: str = {}",
    "f(1, password={})",
    "def f(a, password={}): pass",
    "def f(a, *, password={}): pass",
    "config = {{'api_key': {}, 'n': 1}}",
    "password = password or {}",
    "password = {} if x else None",
    "if password == {}: pass",
    "key = os.environ.get('API_KEY', {})",
    "os.environ.setdefault('API_KEY', {})",
    "(password := {})",
    "api_keys = ['x', {}]",
    "password = SecretStr({})",
    "password = {}.strip()",
    "class Config:\n    password = {}",
]


@pytest.mark.parametrize("form", HIDDEN)
def test_a_literal_under_the_name_of_a_secret_is_found_and_masked(form: str) -> None:
    text = form.format("'hunter2'")
    found = split_secrets(ast.parse(text))[1]
    assert "hunter2" in found.values
    shown = mask_source(text)
    assert "hunter2" not in shown
    ast.parse(shown)
    assert mask_source(shown) == shown
    one, other = (split_secrets(ast.parse(form.format(value))) for value in ("'hunter2'", "'other22'"))
    assert normal_digest(one[0]) == normal_digest(other[0])
    assert one[1].content != other[1].content


@pytest.mark.parametrize(
    "text",
    [
        "password = os.environ['PASSWORD']",
        "api_key = getpass('API key: ')",
        "tokens = ['a1b2c3d4']; token_count = 3; key = 'k1234567'",
        "df = df.rename(columns={'user': 'password'})",
        "x = row['password']",
        "password = None",
        "tokenizer = load('bert-base-uncased', revision='a1b2c3d4')",
        "token = 'the'",
        "f'https://{user}:{password}@host'",
        "y = 2 +",
        "%matplotlib inline\nx = 1",
    ],
)
def test_other_code_stays_as_it_is(text: str) -> None:
    assert mask_source(text) == text
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    assert split_secrets(tree) == (tree, NO_SECRETS)


def test_a_token_of_known_form_is_masked_under_any_name() -> None:
    token = "sk-abcd1234abcd1234abcd"
    assert token not in mask_source(f"x = {token!r}  # {token}")
    for text in (f"x = f'{{a}} {token}'", f"x = f'{{a:{token}}}'", f"x = f'{{a!r:>{{w}}}} {token}'"):
        shown = mask_source(text)
        assert token not in shown
        ast.parse(shown)
    assert split_secrets(ast.parse(f"x = {token!r}"))[1].names == ("a token",)


def test_magic_and_shell_lines_are_masked_and_the_rest_of_the_cell_is_read() -> None:
    lines = [
        "%%step load",
        "%env API_KEY=hunter2",
        "!curl --password hunter2 x",
        "files = !ls --token hunter22",
    ]
    text = "\n".join([*lines, "x = 'é'; password = 'ü'"])
    shown = mask_source(text)
    assert "hunter2" not in shown
    assert "ü" not in shown
    assert shown.splitlines()[0] == "%%step load"
    assert mask_source(shown) == shown


def test_text_that_is_no_python_is_masked_line_by_line() -> None:
    assert (
        mask_source("%%bash\nexport API_KEY=hunter2 &&\necho done")
        == "%%bash\nexport API_KEY=•••• &&\necho done"
    )


def test_bytes_stay_bytes_and_strings_of_many_lines_are_one() -> None:
    assert (
        mask_source("secret = b'x'\npassword = '''a\nb'''\ny = 1")
        == "secret = '••••'.encode()\npassword = '••••'\ny = 1"
    )


def test_what_an_f_string_reads_counts_although_it_is_masked() -> None:
    one, other = (split_secrets(ast.parse(f"u = f'https://me:hunter2@host/{{{name}}}'"))[1] for name in "ab")
    assert one.content != other.content
