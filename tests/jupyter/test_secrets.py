"""A secret in a notebook: it is in no record, no store, no listing and no replayed output, and reuse stays right."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.planted import found_in_files
from zennb import api
from zennb.core.reading.normal_form import normal_digest
from zennb.digests.digest import digest_value

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran

CANARY = "c4nary-7f3a9b21"
TOKEN = "sk-c4nary7f3a9b21c4nary7f3a"


def expect_nowhere(tmp_path: Path, *secrets: str) -> None:
    for secret in secrets:
        assert found_in_files(tmp_path / "home", secret) == [], secret


def shown(ran: Ran) -> str:
    return ran.out + ran.err + json.dumps([each["data"] for each in ran.displays], default=str)


LISTINGS = ["%runs", "%runs show -1", "%artifacts", "%pipeline", "%pipeline status", "%runs logs -1"]

DOORS = {
    "a plain cell's variable": ["api_key = {value!r}", "%%step s\nn = len(api_key)"],
    "a variable read by a function": [
        "password = {value!r}\ndef connect():\n    return len(password)",
        "%%step s\nn = connect()",
    ],
    "a literal in the step": ["%%step s\npassword = {value!r}\nn = len(password)"],
    "an output of a step": [
        "%%step s\napi_key = {value!r}[:3] + {value!r}[3:]",
        "%%step t\nn = len(api_key)",
    ],
    "an argument": ["def f(password):\n    return len(password)", "%%step s\nn = f(password={value!r})"],
    "a constant of a function": [
        "def connect():\n    password = {value!r}\n    return f'connect with {{password}}'",
        "%%step s\nn = len(connect())",
    ],
    "a default of a function": ["def f(password={value!r}):\n    return len(password)", "%%step s\nn = f()"],
    "an attribute of a class": [
        "class Config:\n    api_key = {value!r}",
        "%%step s\nn = len(Config.api_key)",
    ],
    "a dictionary": ["config = {{'url': 'x', 'api_key': {value!r}}}", "%%step s\nn = len(config)"],
    "a dataclass": [
        "from dataclasses import dataclass\n@dataclass\nclass C:\n    password: str\nc = C({value!r})",
        "%%step s\nn = len(c.password)",
    ],
    "a column of a frame": [
        "import pandas as pd\nusers = pd.DataFrame({{'name': ['a'], 'password': [{value!r}]}})",
        "%%step s\nn = len(users)",
    ],
    "an address": ["url = 'https://me:' + {value!r} + '@example.org/x'", "%%step s\nn = len(url)"],
    "text that was made of it": [
        "password = {value!r}",
        "%%step s\nheader = 'X-Auth ' + password\nn = 1",
        "%%step t\nm = len(header)",
    ],
    "what is printed": ["password = {value!r}", "%%step s\nprint('using', password)\nn = 1"],
    "what is displayed": ["password = {value!r}", "%%step s\nn = 1\npassword"],
    "what is displayed in HTML": [
        "password = {value!r}",
        "%%step s\nfrom IPython.display import HTML, display\ndisplay(HTML('<b>' + password + '</b>'))\nn = 1",
    ],
    "a log line": [
        "import logging\npassword = {value!r}",
        "%%step s\nlogging.getLogger('x').warning('key %s', password)\nn = 1",
    ],
    "an environment variable that is set": [
        "%%step s\nimport os\nos.environ['SOME_API_KEY'] = {value!r}\nn = 1",
    ],
    "an environment variable that a plain cell sets": [
        "import os\nos.environ['SOME_API_KEY'] = {value!r}",
        "%%step s\nimport os\nn = len(os.environ['SOME_API_KEY'])",
    ],
    "a magic": ["%env SOME_API_KEY={value}", "%%step s\nimport os\nn = len(os.environ['SOME_API_KEY'])"],
    "a file that a step writes": [
        "password = {value!r}",
        "%%step s\nfrom pathlib import Path\n_ = Path('config.txt').write_text(password)\nn = 1",
    ],
    "a comparison": [
        "given = 'x'",
        "%%step s\nn = int(given == 'y')\nassert not (given == {value!r} and 'password')",
    ],
    "an unreadable cell": ["%%bash\nexport API_KEY={value}\ntrue", "%%step s\nn = 1"],
    "an input that is changed": [
        "settings = {{'api_key': {value!r}}}",
        "%%step s\nsettings['n'] = 1",
        "%%step t\nm = settings['n']",
    ],
}
WITHOUT_A_NAME = {"an address", "a comparison"}


@pytest.mark.parametrize("door", list(DOORS))
def test_a_secret_comes_into_the_home_by_no_door(notebook: Notebook, tmp_path: Path, door: str) -> None:
    value = TOKEN if door == "a comparison" else CANARY
    cells = [text.format(value=value) for text in DOORS[door]]
    notebook.run(*cells)
    for line in LISTINGS:
        assert value not in shown(notebook.cell(line)), line
    assert value not in json.dumps([dict(run.parameters) for run in api.runs()], default=str)
    notebook.restart()
    again = notebook.run(*cells)
    for ran in again:
        if "zennb" in str(ran.displays) and ran.status == "cached":
            assert value not in shown(ran)
    notebook.stop()
    expect_nowhere(tmp_path, value)
    notebook.start()
    assert again[-1].status in {"completed", "cached"}


def test_a_secret_input_is_not_captured_and_its_step_is_reused_until_it_changes(notebook: Notebook) -> None:
    cell = "%%step s\nn = len(api_key)"
    first, second = notebook.run(f"api_key = {CANARY!r}", cell, cell)[1:]
    assert (first.status, second.status) == ("completed", "cached")
    notebook.restart()
    assert notebook.run(f"api_key = {CANARY!r}", cell)[1].status == "cached"
    changed = notebook.run(f"api_key = {CANARY[::-1]!r}", cell)[1]
    assert (changed.status, changed.reason) == ("completed", "input `api_key` changed")
    assert notebook.run(f"api_key = {CANARY!r}", cell)[1].status == "cached"
    assert not [each for each in api.artifacts() if each.name == "api_key"]


def test_a_secret_output_is_bound_but_not_stored_and_its_step_runs_every_time(notebook: Notebook) -> None:
    make, use = f"%%step s\napi_key = {CANARY!r}.upper()\nn = 1", "%%step t\nm = len(api_key)"
    assert [each.status for each in notebook.run(make, use)] == ["completed", "completed"]
    assert notebook.ns["api_key"] == CANARY.upper()
    again = notebook.run(make, use)
    assert [each.status for each in again] == ["completed", "cached"]
    assert again[0].reason == "not cacheable: `api_key` is never stored: it looks secret"
    notebook.restart()
    assert [each.status for each in notebook.run(make, use)] == ["completed", "cached"]
    assert notebook.ns["m"] == len(CANARY)


def test_a_secret_output_that_is_declared_does_not_fail_its_step(notebook: Notebook) -> None:
    (ran,) = notebook.run(f"%%step s -o api_key\napi_key = {CANARY!r}.upper()")
    assert (ran.status, ran.outputs, notebook.ns["api_key"]) == ("completed", [], CANARY.upper())


def test_a_secret_in_code_that_changes_makes_its_step_run_again(notebook: Notebook) -> None:
    def cell(value: str) -> str:
        return f"%%step s\ndef f(password):\n    return len(password)\nn = f(password={value!r})"

    assert [each.status for each in notebook.run(cell(CANARY), cell(CANARY))] == ["completed", "cached"]
    (changed,) = notebook.run(cell("0ther-" + CANARY))
    assert (changed.status, changed.reason) == ("completed", "secret `password` changed")
    assert notebook.ns["n"] == len(CANARY) + 6
    notebook.restart()
    assert notebook.run(cell(CANARY))[0].status == "cached"
    assert notebook.ns["n"] == len(CANARY)


def test_a_name_inside_an_f_string_that_is_masked_still_counts(notebook: Notebook) -> None:
    notebook.run("a, b = 'x', 'yy'")
    first = "%%step s\nn = len(f'https://me:{CANARY}@host/{a}')".replace("{CANARY}", CANARY)
    assert [each.status for each in notebook.run(first, first)] == ["completed", "cached"]
    (other,) = notebook.run(first.replace("{a}", "{b}"))
    assert other.status == "completed"


@pytest.mark.parametrize(
    "text",
    [
        f"password = {CANARY!r}\nraise ValueError('no: ' + password)",
        f"def f():\n    api_key = {CANARY!r}\n    raise ValueError(f'no: {{api_key}}')\nf()",
        f"raise ValueError({TOKEN!r})",
        "raise ValueError(api_key)",
        "import getpass\npassword = ''.join(['c4nary', '-7f3a', '9b21'])\nraise ValueError(password)",
    ],
)
def test_what_a_step_raised_is_recorded_with_its_secrets_masked(
    notebook: Notebook, tmp_path: Path, text: str
) -> None:
    notebook.cell(f"api_key = {CANARY!r}")
    ran = notebook.cell(f"%%step s\n{text}")
    assert isinstance(ran.error, ValueError)
    failure = api.runs()[0].steps[0].record.failure
    assert failure is not None
    assert "••••" in failure.message
    assert "••••" in failure.traceback
    for line in LISTINGS:
        assert not {CANARY, TOKEN} & set(re.findall(r"[\w-]+", shown(notebook.cell(line))))
    notebook.stop()
    expect_nowhere(tmp_path, CANARY, TOKEN)
    notebook.start()


def test_printed_secrets_are_masked_when_they_are_replayed_and_the_rest_is_not(notebook: Notebook) -> None:
    cell = "%%step s\nprint('one', password, 'two')\nn = 1"
    first, again = notebook.run(f"password = {CANARY!r}", cell, cell)[1:]
    assert (first.out, again.out) == (f"one {CANARY} two\n", "one •••• two\n")
    assert again.status == "cached"


def test_the_note_says_where_the_value_still_stands_and_says_it_once(notebook: Notebook) -> None:
    cell = "%%step s\nn = len(api_key)"
    _, first, again = notebook.run(f"api_key = {CANARY!r}", cell, cell)
    said = "the value of `api_key` still stands in cell [1]; read it from os.environ or with getpass"
    assert said in shown(first)
    assert "still stands" not in shown(again)
    (literal,) = notebook.run(f"%%step t\nm = dict(password={CANARY!r})['password'][:0]")
    assert "the value of `password` still stands in step 't'" in shown(literal)


def test_a_secret_from_the_environment_is_not_noted(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", CANARY)
    ran = notebook.run("import os\napi_key = os.environ['SOME_API_KEY']", "%%step s\nn = len(api_key)")[1]
    assert "still stands" not in shown(ran)


def test_a_local_module_s_secret_is_sealed_and_counts(notebook: Notebook, tmp_path: Path) -> None:
    module = tmp_path / "ourlib.py"
    module.write_text(f"API_KEY = {CANARY!r}\ndef size():\n    return len(API_KEY)\n")
    cells = ["import sys\nsys.path.insert(0, '.')\nimport ourlib", "%%step s\nn = ourlib.size()"]
    assert notebook.run(*cells, cells[1])[-1].status == "cached"
    notebook.stop()
    expect_nowhere(tmp_path, CANARY)
    notebook.start()


def test_parameters_of_a_pipeline_run_are_masked_and_count(notebook: Notebook, tmp_path: Path) -> None:
    notebook.run("password = 'none-1'", "%%step s\nn = len(password)")
    notebook.run(f"%pipeline run -p password={CANARY}")
    assert notebook.ns["n"] == len(CANARY)
    assert dict(api.runs()[0].parameters) == {"password": "••••"}
    for line in LISTINGS:
        assert CANARY not in shown(notebook.cell(line)), line
    notebook.stop()
    expect_nowhere(tmp_path, CANARY)
    notebook.start()


def test_nobody_finds_a_secret_by_trying_its_digests(notebook: Notebook, tmp_path: Path) -> None:
    cells = [
        f"password = {CANARY!r}",
        f"def f(password={CANARY!r}):\n    return len(password)",
        f"%%step s\nn = len(password) + f() + len({TOKEN!r})",
    ]
    notebook.run(*cells)
    guesses = {digest_value(CANARY).digest, digest_value(TOKEN).digest}
    guesses |= {normal_digest(ast.parse(text.removeprefix("%%step s\n"))) for text in cells}
    guesses |= {normal_digest(ast.parse(text.removeprefix("%%step s\n")).body) for text in cells}
    guesses |= {normal_digest(ast.parse(cells[1]).body[0])}
    notebook.stop()
    for guess in guesses:
        assert found_in_files(tmp_path / "home", guess) == []
        assert found_in_files(tmp_path / "home", guess[:24]) == []
        assert found_in_files(tmp_path / "home", guess[:12]) == []
    notebook.start()


ORDINARY = """
tokens = ['a1', 'b22222', 'c']
token_count = n_tokens = 3
tokenizer = {'unk_token': '<unk1>', 'pad_token': '[PAD0]', 'vocab': {'a': 1}}
token = 'the'
eos_token = '<|im_end|>'
primary_key, foreign_key, key, keys, public_key = 'user_id1', 'order_id', 'k123456', ['a'], 'pk'
keyboard, monkey, author, authors = 'qwerty', 1, 'me', ['me']
secret_word, password_strength, token_ids, max_tokens = 'apple', 0.3, [1, 2], 512
hidden, credential_count, passes, passed, authenticity = 1, 2, 3, True, 0.5
attention_key, key_dim, num_keys, api_version, session_id_column = 'q12345678', 64, 8, 'v2', 'sid'
"""


def test_ordinary_names_are_stored_shown_and_reused_as_ever(notebook: Notebook) -> None:
    step = f"%%step s\n{ORDINARY}\nprint(tokens, token, key, secret_word)"
    first, again = notebook.run(step, step)
    assert (first.status, again.status) == ("completed", "cached")
    assert first.out == again.out
    assert "••••" not in shown(first) + shown(again)
    assert "••••" not in api.runs()[0].steps[0].record.source
    notebook.restart()
    assert notebook.run(step)[0].status == "cached"
    assert notebook.ns["tokenizer"]["unk_token"] == "<unk1>"


@pytest.mark.parametrize(
    "stack", ["", "%orchestrator register t --flavor=threads\n%stack register s -o t -a default --set"]
)
def test_a_run_hands_secrets_from_step_to_step_and_stores_none(
    notebook: Notebook, tmp_path: Path, stack: str
) -> None:
    cells = ["size = 1", f"%%step a\napi_key = {CANARY!r} * size", "%%step b\nn = len(api_key)"]
    notebook.run(*filter(None, stack.split("\n")), *cells)
    assert notebook.ns["n"] == len(CANARY)
    for size in (2, 3):
        notebook.run(f"size = {size}", "%pipeline run")
        assert notebook.ns["n"] == size * len(CANARY)
        assert notebook.ns["api_key"] == CANARY * size
    del notebook.ns["api_key"]
    notebook.run("%pipeline run")
    assert notebook.ns["api_key"] == CANARY * 3
    assert [step.status for step in api.runs()[0].steps] == ["completed", "cached"]
    notebook.stop()
    expect_nowhere(tmp_path, CANARY)
    notebook.start()


def test_a_later_step_that_binds_the_name_to_something_else_wins(notebook: Notebook) -> None:
    notebook.run(f"%%step a\napi_key = {CANARY!r} + 'x'\nn = 1", "%%step b\nn = len(api_key)\napi_key = None")
    notebook.run("%pipeline run")
    assert (notebook.ns["api_key"], notebook.ns["n"]) == (None, len(CANARY) + 1)


def test_the_current_folder_is_no_secret(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PWD", str(tmp_path))
    cell = "%%step s\nimport os\npwd = os.getcwd()\nprint(pwd)"
    first, again = notebook.run(cell, cell)
    assert (again.status, again.out) == ("cached", first.out)


@pytest.mark.parametrize(
    "value",
    [
        "[word]",
        "{word}",
        "(1, word)",
        "{word: 1}",
        "{'a': {'b': [word]}}",
        "word.encode()",
        "Box(word)",
        "['u:' + word]",
    ],
)
def test_a_secret_that_is_known_is_not_stored_inside_another_value(
    value: str, notebook: Notebook, tmp_path: Path
) -> None:
    secret = "Qx7vKp93LmTz"
    notebook.run(
        f"password = '{secret}'\nclass Box:\n    def __init__(self, inside): self.conf = inside",
        "%%step first\nn = len(password)",
        f"word = password\ngiven = {value}",
        f"%%step inside\nmade = {value}",
        f"%%step last\n_x = 1\n{value}",
        "%%step reads\nkind = type(given).__name__",
    )
    notebook.stop()
    stored = b"".join(each.read_bytes() for each in (tmp_path / "home").rglob("*") if each.is_file())
    assert secret.encode() not in stored.replace(f"password = '{secret}'".encode(), b"")
    notebook.start()


def test_values_without_the_secret_are_stored_as_always(notebook: Notebook) -> None:
    plain = "password = 'Qx7vKp93LmTz'"
    cells = ["%%step first\nn = len(password)", "%%step lists\nmade = ['Qx7', b'x', {'k': 1}]"]
    notebook.run(plain, *cells)
    notebook.restart()
    notebook.run(plain)
    assert [each.status for each in notebook.run(*cells)] == ["cached", "cached"]
