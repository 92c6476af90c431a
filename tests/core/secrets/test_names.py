"""Which values are secret by their names."""

from __future__ import annotations

import pytest

from zennb.core.secrets.names import (
    DOTS,
    Suspicion,
    is_sealed,
    is_secret,
    sealed_digest,
    suspicion,
    unambiguous,
)

ORDINARY = [
    "tokens",
    "token_count",
    "n_tokens",
    "num_tokens",
    "tokenizer",
    "token_ids",
    "max_tokens",
    "token_type",
    "keyboard",
    "primary_key",
    "foreign_key",
    "key",
    "keys",
    "public_key",
    "key_dim",
    "attention_keys",
    "sort_key",
    "author",
    "authors",
    "monkey",
    "turkey",
    "hockey",
    "passes",
    "passed",
    "compass",
    "secretary",
    "secret_word",
    "secret_santa",
    "password_length",
    "password_strength",
    "password_field",
    "credential_count",
    "authenticity",
    "auth_type",
    "api",
    "api_version",
    "access",
    "accessible",
    "private",
    "private_members",
    "account",
    "accounts",
    "session",
    "session_id",
    "X",
    "y",
    "df",
    "model",
    "score",
    "lr",
    "seed",
    "epochs",
    "batch_size",
    "random_state",
    "hidden_size",
    "n_estimators",
]


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_names_hold_no_secrets(name: str) -> None:
    assert suspicion(name) is Suspicion.NONE
    assert not is_secret(name, "hunter2")


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "passwd",
        "pwd",
        "db_password",
        "PGPASSWORD",
        "passphrase",
        "secret",
        "client_secret",
        "clientSecret",
        "secrets",
        "api_key",
        "apikey",
        "apiKey",
        "API_KEY",
        "OPENAI_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "private_key",
        "ssh_key",
        "access_key",
        "credentials",
        "creds",
        "aws-credentials",
        "access_token",
        "hf_token",
        "GITHUB_TOKEN",
        "auth_token",
        "bearer_token",
        "authorization",
        "api_keys",
        "passwords",
    ],
)
def test_names_of_secrets_hold_secrets_whatever_the_text(name: str) -> None:
    assert suspicion(name) is Suspicion.SECRET
    assert is_secret(name, "x")
    assert is_secret(name, b"x")
    assert is_secret(name, ["x"])
    harmless: object
    for harmless in (None, True, 0.5, "", "  ", DOTS, "env:NAME", "keyring:a/b", [], len):
        assert not is_secret(name, harmless), harmless


@pytest.mark.parametrize("name", ["token", "auth", "jwt", "next_token", "eos_token"])
def test_words_of_language_models_hold_secrets_only_if_the_value_looks_like_one(name: str) -> None:
    value: object
    for value in ("hunter2", "8f2a71c0", "correct-horse-battery-staple", ("me", "hunter2")):
        assert is_secret(name, value), value
    for value in (
        "the",
        "internationalisation",
        "<|im_end1|>",
        "[unused1]",
        "##ing22",
        "a b c 1 2 3",
        "gpt4",
        17,
    ):
        assert not is_secret(name, value), value


def test_folders_and_paths_are_no_secrets() -> None:
    paths = {
        "PWD": "/workspace",
        "OLDPWD": "/",
        "pwd": "C:\\work",
        "GOOGLE_APPLICATION_CREDENTIALS": "/home/me/key.json",
    }
    for name, path in {**paths, "api_key": "~/keys/mine", "secret": "./secret.txt"}.items():
        assert not is_secret(name, path), name
    assert is_secret("MYSQL_PWD", "hunter2")
    assert is_secret("pwd", "hunter2")
    assert is_secret("aws_secret_access_key", "/wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    assert is_secret("api_key", "/abcd1234")


def test_numbers_are_secrets_only_under_names_that_leave_no_doubt() -> None:
    assert is_secret("password", 123456)
    assert not is_secret("password", 12)
    assert not is_secret("token", 123456)


def test_of_credentials_the_entries_count_that_look_secret() -> None:
    assert is_secret("credentials", {"user": "bob", "password": "x"})
    assert is_secret("credentials", {"user": "bob", "code": "8f2a71c0"})
    assert not is_secret("credentials", {"user": "bob", "region": "north"})


def test_columns_are_judged_more_strictly_than_variables() -> None:
    assert [
        name for name in ("password", "api_key", "secret", "token", "credentials") if unambiguous(name)
    ] == [
        "password",
        "api_key",
    ]


def test_what_takes_the_place_of_a_digest_says_so() -> None:
    assert is_sealed(sealed_digest("ab"))
    assert not is_sealed("ab")
