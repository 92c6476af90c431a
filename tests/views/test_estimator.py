"""Models as scikit-learn draws them, from their summaries."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from zennb.materializers.summary import summarise
from zennb.views.estimator import estimator
from zennb.views.preview import preview

PREPARE = ColumnTransformer([("number", StandardScaler(), ["age"]), ("rest", "passthrough", ["city"])])
VOTE = VotingRegressor([("ridge", Ridge(alpha=0.5)), ("plain", Ridge())])
MODEL = Pipeline([("prepare", PREPARE), ("vote", VOTE)])


def test_a_model_is_shown_with_its_parts_and_what_differs_from_the_defaults() -> None:
    assert preview(summarise(GridSearchCV(MODEL, {"vote__ridge__alpha": [1]}, cv=3))).text == (
        "GridSearchCV(cv=3, param_grid=<dict of 1 items>)\n"
        "  estimator: Pipeline()\n"
        "    prepare: ColumnTransformer()\n"
        "      number ['age']: StandardScaler()\n"
        "      rest ['city']: passthrough\n"
        "    vote: VotingRegressor()\n"
        "      ridge: Ridge(alpha=0.5)\n"
        "      plain: Ridge()"
    )


def test_what_works_side_by_side_is_drawn_side_by_side() -> None:
    html = preview(summarise(MODEL)).html
    assert html.count("display:flex") == 2  # the pipeline itself goes from top to bottom
    assert html.index("ColumnTransformer") < html.index("StandardScaler") < html.index("VotingRegressor")
    assert html.count("<details") == 1  # only one has parameters to tell
    assert "<script" not in html
    assert "<style" not in html


def test_what_a_model_has_learned_stands_below_it() -> None:
    fitted = Ridge(alpha=3).fit([[1.0], [2.0]], [1.0, 2.0])
    text = preview(summarise(fitted)).text
    assert text.startswith("Ridge(alpha=3)\n")
    assert "n_features_in_  1" in text
    assert "  alpha " not in text


def test_large_models_are_cut() -> None:
    deep: object = Ridge()
    for at in range(20):
        deep = Pipeline([(f"s{at}", deep)])
    assert preview(summarise(deep)).text.count("\n") < 12
    wide = VotingRegressor([(f"m{at}", Ridge()) for at in range(500)])
    assert preview(summarise(wide)).text.count("Ridge") == 40


class Silent(BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """Does not say which parameters it has."""

    def __init__(self, *_given: object) -> None:
        self.learned_ = 3


def test_a_model_that_does_not_tell_its_parameters_is_shown_like_other_objects() -> None:
    assert "learned_  3" in preview(summarise(Silent())).text


def test_odd_forms_are_left_out() -> None:
    assert estimator({"parts": "x", "parameters": 1}).text == "()"
    assert estimator({"name": "Ridge", "parts": [["a", "b"], 7], "parameters": [3, ["a"]]}).text == "Ridge()"
