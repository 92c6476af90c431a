from __future__ import annotations

import pytest

from zennb.core.records.models import ModelName, ModelVersion, parse_model_name
from zennb.errors import UsageError


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("classifier", ModelName("classifier")),
        ("classifier@latest", ModelName("classifier")),
        ("classifier@champion", ModelName("classifier", alias="champion")),
        ("classifier@3", ModelName("classifier", version=3)),
        ("classifier@v3", ModelName("classifier", version=3)),
        ("classifier@V03", ModelName("classifier", version=3)),
        ("my model@a.b-c_d", ModelName("my model", alias="a.b-c_d")),
    ],
)
def test_a_name_says_which_version_is_meant(text: str, wanted: ModelName) -> None:
    assert parse_model_name(text) == wanted


@pytest.mark.parametrize(
    "text", ["@champion", "classifier@", "classifier@3b", "classifier@-x", "classifier@a b", "a@b@"]
)
def test_a_name_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_model_name(text)


def test_a_tag_is_asked_for_by_its_key_or_with_its_text() -> None:
    made = ModelVersion(
        name="a", version=1, artifact="m", artifact_version=1, digest="", tags={"stage": "test", "flag": ""}
    )
    asked = {
        each: made.has_tag(each) for each in ("stage", "stage=test", "stage=live", "flag", "other", None)
    }
    assert asked == {
        "stage": True,
        "stage=test": True,
        "stage=live": False,
        "flag": True,
        "other": False,
        None: True,
    }
