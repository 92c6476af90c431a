"""Masking secrets in texts."""

from __future__ import annotations

import pytest

from zennb.core.secrets.names import DOTS
from zennb.core.secrets.texts import (
    KnownSecrets,
    has_token,
    mask_command,
    mask_json,
    mask_text,
    may_hold_secrets,
)

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"
TOKENS = [
    "sk-proj-abcdEFGH1234ijklMNOP5678",
    "sk-abcdefghijklmnopqrstuvwx",
    "sk_live_abcdefghij1234567890",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijklmnop",
    "glpat-abcdefghij1234567890",
    "AKIAIOSFODNN7EXAMPLE",
    "xoxb-123456789012-abcdefghijkl",
    "xoxp-123456789012-abcdefghijkl",
    "hf_abcdefghijklmnopqrstuvwxyz",
    "AIzaSyA-abcdefghijklmnopqrstuvwxyz12345",
    JWT,
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMIIEow",
]


@pytest.mark.parametrize("token", TOKENS)
def test_tokens_of_known_forms_are_masked_wherever_they_stand(token: str) -> None:
    assert has_token(f"failed with {token}")
    assert mask_text(f"failed ({token}") == f"failed ({DOTS}"
    assert not has_token(mask_text(token))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdef.123456-xyz", f"Authorization: Bearer {DOTS}"),
        ("postgresql+psycopg://me:hunter2@db:5432/x", f"postgresql+psycopg://me:{DOTS}@db:5432/x"),
        ("Server=db;User Id=me;Password=hunter2;", f"Server=db;User Id=me;Password={DOTS};"),
        ("AccountName=a;AccountKey=abcd1234==;", f"AccountName=a;AccountKey={DOTS};"),
        ("Config(user='me', password='hunter two', n=3)", f"Config(user='me', password='{DOTS}', n=3)"),
        ('{"api_key": "abc", "n": 3}', f'{{"api_key": "{DOTS}", "n": 3}}'),
        ("os.environ['API_KEY'] = 'abc'", f"os.environ['API_KEY'] = '{DOTS}'"),
        ("GET /x?api_key=abc123&n=3", f"GET /x?api_key={DOTS}&n=3"),
        ("password: hunter2", f"password: {DOTS}"),
    ],
)
def test_values_beside_names_of_secrets_are_masked(text: str, shown: str) -> None:
    assert mask_text(text) == shown
    assert mask_text(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "loss: 0.123, tokens: 512, key=k12345, n_tokens=17, token_count: 20",
        "Bearer authentication is required; Basic understanding of tokens",
        "see https://example.org/a:b@c and http://host:8080/x",
        "password: required",
        "the password is wrong",
        "missing keyword argument 'api_key'",
        "scikit-learn-contrib, task-1234567890abcdefgh, risk-adjusted-return-2024-01",
        "url = f'https://{user}:{password}@host'",
        "sk-learn-package",
        "def f(password=None, token=os.environ['TOKEN1']): pass",
        "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')",
        "12ab " * 50,
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert mask_text(text) == text


def test_commands_are_masked_by_their_options_and_variables() -> None:
    for text in (
        "!curl --password hunter2 x", "%%sql --password=hunter2", "%env API_KEY=hunter2", "%env API_KEY hunter2",
        "!export TOKEN=hunter2", "!curl https://me:hunter2@x",
    ):  # fmt: skip
        assert "hunter2" not in mask_command(text)
    for text in ("!tool --tokenizer bert --keys a", "%env OMP_NUM_THREADS=4", "!x --password $PASSWORD"):
        assert mask_command(text) == text


def test_known_values_are_masked_in_every_form_they_take() -> None:
    known = KnownSecrets()
    known.note(["it's <a> s3cret/", "swordfish", "123456", "short", "password", "        "])
    assert known.mask("x it's <a> s3cret/ y") == f"x {DOTS} y"
    assert known.mask("?q=it%27s%20%3Ca%3E%20s3cret%2F") == f"?q={DOTS}"
    assert known.mask("<b>it&#x27;s &lt;a&gt; s3cret/</b>") == f"<b>{DOTS}</b>"
    assert known.mask("swordfish swordfishes 123456 91234567") == f"{DOTS} swordfishes {DOTS} 91234567"
    assert known.mask("short password") == "short password"
    assert known.is_in(b"\xff it's <a> s3cret/")
    assert not known.is_in(b"nothing")


@pytest.mark.parametrize(
    "value",
    ["MyPassword123", "hunter2secret", "hunter2token", "my_password", "mypassword", "SECRET_KEY_2024"],
)
def test_a_secret_that_reads_like_the_name_of_one_is_masked(value: str) -> None:
    known = KnownSecrets()
    known.note([value])
    assert known.mask_known(f"it is {value}!") == f"it is {DOTS}!"


@pytest.mark.parametrize(
    "name", ["password", "api_key", "access_token", "OPENAI_API_KEY", "HF_TOKEN", "apiKey"]
)
def test_the_mere_name_of_a_secret_is_not_masked_everywhere(name: str) -> None:
    known = KnownSecrets()
    known.note([name])
    assert known.mask_known(f"os.environ['{name}']") == f"os.environ['{name}']"


def test_a_text_counts_as_a_secret_when_it_holds_one_that_cannot_be_there_by_chance() -> None:
    known = KnownSecrets()
    known.note(["swordfish", "hunter2"])
    assert "swordfish" in known
    assert "https://x/?k=hunter2" in known
    assert "about a swordfish" not in known
    assert known.mask("about a swordfish") == f"about a {DOTS}"


def test_of_very_many_known_values_the_oldest_are_forgotten() -> None:
    known = KnownSecrets()
    known.note(f"value-number-{n}" for n in range(1_500))
    assert known.mask("value-number-1499") == DOTS
    assert known.mask("value-number-3") == "value-number-3"


def test_json_is_masked_by_its_keys_and_texts() -> None:
    known = KnownSecrets()
    known.note(["hunter2222"])
    data = {"password": "x", "text": ["a hunter2222", 3, None, {"n": TOKENS[0]}], "tokens": "a1b2c3d4"}
    assert mask_json(data, known) == {
        "password": DOTS,
        "text": [f"a {DOTS}", 3, None, {"n": DOTS}],
        "tokens": "a1b2c3d4",
    }


@pytest.mark.parametrize(
    "text",
    ["a" * 300_000, "a:" * 100_000, "password=" * 30_000, "://" * 80_000, "eyJ" * 80_000, "-- " * 90_000],
)
def test_masking_takes_time_in_proportion_to_the_text(text: str) -> None:
    assert isinstance(mask_command("token " + text), str)


def test_whatever_is_recognized_is_seen_at_the_first_look() -> None:
    names = "password passwd passphrase passcode pwd secret credentials creds apikey api_key authorization jwt bearer"
    for name in [*names.split(), "auth", "privatekey", "ssh_key", "hf_token", "authtoken"]:
        assert may_hold_secrets(f"{name} = 'x'"), name
        assert may_hold_secrets(f"{name.upper()} = 'x'"), name
    for token in TOKENS:
        assert may_hold_secrets(token), token
    assert not may_hold_secrets("rows = load('data.csv')")


def test_a_picture_is_left_as_it_is_and_what_only_begins_like_one_is_not() -> None:
    picture = (
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgAKIAAAUAAXpeqz8AKIAABCDEFGHIJKLMNOPQR8="
    )
    known = KnownSecrets(["AKIAABCDEFGHIJKLMNOPQR8"])
    assert mask_json({"data": picture}, known) == {"data": picture}
    assert mask_json({"data": picture}) == {"data": picture}
    for text in (picture[1:], f"{picture} AKIAABCDEFGHIJKLMNOPQR8", f"AKIAABCDEFGHIJKLMNOPQR8{picture}"):
        assert mask_json({"data": text}, known)["data"] != text


def test_a_long_script_hides_no_secret_beside_it_or_in_it() -> None:
    script = "function key(a){return a.token=1}" * 10_000
    shown = f"<div>password='hunter2x'</div><script>{script}</script><p>token = 'hunter3x'</p>"
    masked = mask_text(shown)
    assert "hunter" not in masked
    assert script in masked
    assert mask_text(shown) == masked
    inside = f"<script>{script};var password='hunter4x'</script>"
    assert "hunter4x" not in mask_text(inside)
    assert mask_text(inside.replace("hunter4x", "{name}")) == inside.replace("hunter4x", "{name}")
