"""What a step depends on: its inputs, all its code reaches, and the key made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.steps import Notebook, step
from zennb.core.records.records import Artifact
from zennb.digests.digest import digest_value
from zennb.errors import StepRefused

if TYPE_CHECKING:
    from pathlib import Path


def artifact(name: str, value: Any, **fields: Any) -> Artifact:
    found = {
        "digest": digest_value(value).digest,
        "blob": f"blob of {name}",
        "materializer": "json",
        "size": 1,
    }
    return Artifact(name=name, type=type(value).__name__, **{**found, **fields})


def test_inputs_are_what_the_cell_and_the_functions_it_calls_read(notebook: Notebook) -> None:
    notebook.cell("a = [1]\nb = 2\nunread = 3\ndef f(): return b")
    found = notebook.resolve(step("y = [f(), a]"))
    assert set(found.parts.inputs) == {"a", "b"} == found.inputs
    assert found.parts.inputs["a"] == digest_value([1]).digest
    assert set(found.parts.reached) == {"function f"}
    assert found.values == {"a": [1], "b": 2}
    assert found.unclear == ()


def test_the_key_follows_inputs_code_and_options_and_nothing_else(notebook: Notebook) -> None:
    notebook.cell("a = [1]\ndef f(v): return v")
    key = notebook.resolve(step("y = f(a)")).cache_key
    notebook.cell("other = 5\na = [1]\ndef f(v):\n    # a remark\n    return v")
    assert notebook.resolve(step("y = f( a )", "renamed", retries=3, timeout=9.0)).cache_key == key
    for change in ("a = [2]", "a = [1]\ndef f(v): return v + v"):
        notebook.cell(change)
        assert notebook.resolve(step("y = f(a)")).cache_key != key
        notebook.cell("a = [1]\ndef f(v): return v")
    assert notebook.resolve(step("y = f(a)", outputs=("y",))).cache_key != key
    assert notebook.resolve(step("y = f(a)", no_store=("y",))).cache_key != key
    assert notebook.resolve(step("y = f(a)", ignore=("a",))).cache_key != key
    assert notebook.resolve(step("y = f(a)")).cache_key == key


def test_what_comes_from_other_steps_counts_whatever_the_namespace_holds(notebook: Notebook) -> None:
    notebook.cell("a = [1]")
    given = artifact("a", [9])
    found = notebook.resolve(step("y = a"), given={"a": given})
    assert found.artifacts == {"a": given}
    assert found.parts.inputs == {"a": given.digest}
    assert not found.values
    assert not found.digests


def test_a_given_function_that_the_notebook_has_counts_as_code(notebook: Notebook) -> None:
    notebook.cell("def adder(n):\n    def add(v): return v + n\n    return add\nadd = adder(5)")
    made = artifact("add", notebook.namespace["add"])
    found = notebook.resolve(step("y = add(1)"), given={"add": made})
    assert found.cache_key == notebook.resolve(step("y = add(1)")).cache_key
    notebook.cell("add = adder(6)")
    assert notebook.resolve(step("y = add(1)"), given={"add": made}).parts.inputs == {"add": made.digest}


def test_classes_that_a_given_value_needs_are_reached(notebook: Notebook) -> None:
    notebook.cell("class Model: pass")
    plain = artifact("m", [1])
    needing = replace(plain, needs=("Model.Inner", "Absent"))
    assert notebook.resolve(step("y = m"), given={"m": plain}).parts.reached == {}
    assert set(notebook.resolve(step("y = m"), given={"m": needing}).parts.reached) == {"class Model"}


def test_classes_met_inside_inputs_are_followed_to_the_end(notebook: Notebook) -> None:
    notebook.cell("rate = 2\nclass Model:\n    def go(self): return rate\nmodels = [Model()]")
    found = notebook.resolve(step("y = models"))
    assert "class Model" in found.parts.reached
    assert set(found.parts.inputs) == {"models", "rate"}


def test_values_override_variables(notebook: Notebook) -> None:
    notebook.cell("a = 1")
    plain = notebook.resolve(step("y = a"))
    other = notebook.resolve(step("y = a"), overrides={"a": 2})
    assert other.values == {"a": 2}
    assert other.parts.inputs["a"] == digest_value(2).digest
    assert other.cache_key != plain.cache_key


def test_what_shares_state_with_an_input_is_one_too(notebook: Notebook) -> None:
    notebook.cell("a = [1]\nb = [a]\nc = [1]")
    found = notebook.resolve(step("a.append(2)"))
    assert set(found.parts.inputs) == {"a", "b"}
    assert "sharing a, b" in found.parts.reached
    notebook.cell("b = [[1]]")
    alone = notebook.resolve(step("a.append(2)"))
    assert set(alone.parts.inputs) == {"a"}
    assert alone.cache_key != found.cache_key


def test_what_the_step_surely_overwrites_is_no_partner(notebook: Notebook) -> None:
    notebook.cell("a = [1]\nb = [a]")
    assert set(notebook.resolve(step("b = 1\na.append(2)")).parts.inputs) == {"a"}
    assert set(notebook.resolve(step("if a: b = 1\na.append(2)")).parts.inputs) == {"a", "b"}


def test_given_inputs_that_were_stored_together_share_state(notebook: Notebook) -> None:
    a = artifact("a", [1], blob="one", item="a")
    b = artifact("b", [[1]], blob="one", item="b")
    together = notebook.resolve(step("y = [a, b]"), given={"a": a, "b": b})
    assert "sharing a, b" in together.parts.reached
    apart = notebook.resolve(step("y = [a, b]"), given={"a": a, "b": replace(b, blob="two")})
    assert "sharing a, b" not in apart.parts.reached
    assert apart.cache_key != together.cache_key
    alone = replace(a, item=None), replace(b, item=None)
    assert not notebook.resolve(step("y = [a, b]"), given=dict(zip("ab", alone, strict=True))).parts.reached


def test_a_value_without_content_makes_the_key_unclear(notebook: Notebook) -> None:
    notebook.cell("g = (i for i in ())")
    found = notebook.resolve(step("y = list(g)"))
    assert len(found.unclear) == 1
    assert found.unclear[0].startswith("it reads `g`, ")
    assert found.inputs == frozenset()
    assert "g" in found.values


def test_the_lean_key_is_that_of_a_step_which_bound_the_name_itself(notebook: Notebook) -> None:
    text = "for x in xs: best = x\ny = best"
    notebook.cell("xs = [1]")
    first = notebook.resolve(step(text))
    assert first.key_without_maybe_reads == ""
    notebook.cell("best = 1")
    again = notebook.resolve(step(text))
    assert again.key_without_maybe_reads == first.cache_key
    assert again.cache_key != first.cache_key
    assert notebook.resolve(step("y = best")).key_without_maybe_reads == ""


def test_there_is_no_lean_key_when_a_function_reads_the_name_anyway(notebook: Notebook) -> None:
    notebook.cell("xs = [1]\nbest = 1\ndef f(): return best")
    assert notebook.resolve(step("y = f()\nfor x in xs: best = x\ny = best")).key_without_maybe_reads == ""


def test_ignored_inputs_are_given_to_the_step_and_left_out_of_the_key(notebook: Notebook) -> None:
    notebook.cell("a = [1]\nlog = [2]\nview = [log]")
    found = notebook.resolve(step("y = [a, log]", ignore=("log",)))
    assert set(found.parts.inputs) == {"a"}
    assert found.inputs == {"a", "log", "view"}  # what shares state with it is given along
    notebook.cell("log = [3]\nview = 1")
    assert notebook.resolve(step("y = [a, log]", ignore=("log",))).cache_key == found.cache_key
    overridden = notebook.resolve(step("y = [a, log]", ignore=("log",)), overrides={"log": [4]})
    assert overridden.values["log"] == [4]


def test_a_given_input_can_be_ignored(notebook: Notebook) -> None:
    found = notebook.resolve(step("y = a", ignore=("a",)), given={"a": artifact("a", [1], needs=("Model",))})
    assert found.parts.inputs == {}
    assert found.inputs == {"a"}


def test_a_name_given_with_i_is_an_input_once_the_notebook_has_it(notebook: Notebook) -> None:
    with pytest.raises(StepRefused, match=r"`-i x`, but the notebook has no variable `x` yet"):
        notebook.resolve(step("y = 1", inputs=("x",)))
    notebook.cell("x = [1]")
    assert set(notebook.resolve(step("y = 1", inputs=("x",))).parts.inputs) == {"x"}
    assert (
        notebook.resolve(step("y = x", inputs=("x",))).cache_key == notebook.resolve(step("y = x")).cache_key
    )


def test_files_named_by_the_step_count_with_their_content(notebook: Notebook, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("one")
    definition = step("y = 1", depends_on=(str(folder),))
    first = notebook.resolve(definition).cache_key
    assert notebook.resolve(definition).cache_key == first
    (folder / "sub" / "b.txt").write_text("")
    second = notebook.resolve(definition).cache_key
    (folder / "sub" / "b.txt").rename(folder / "b.txt")
    third = notebook.resolve(definition).cache_key
    (folder / "a.txt").write_text("two")
    fourth = notebook.resolve(definition).cache_key
    assert len({first, second, third, fourth}) == 4
    with pytest.raises(StepRefused, match=r"`--depends-on .*absent`, but there is no such file"):
        notebook.resolve(step("y = 1", depends_on=(str(tmp_path / "absent"),)))


def test_instances_of_a_class_that_was_defined_anew_make_another_key(notebook: Notebook) -> None:
    text = "class Model: pass"
    notebook.cell(f"{text}\nm = Model()")
    before = notebook.resolve(step("y = m"))
    notebook.cell(text)
    after = notebook.resolve(step("y = m"))
    assert "earlier class Model" in after.parts.reached
    assert "earlier class Model" not in before.parts.reached
    notebook.cell("m = Model()")
    assert notebook.resolve(step("y = m")).cache_key == before.cache_key


def test_packages_of_code_and_of_values_count_with_their_versions(notebook: Notebook) -> None:
    notebook.cell("import numpy as np\na = np.arange(3)")
    assert "numpy" in notebook.resolve(step("y = a")).parts.packages
    assert "numpy" in notebook.resolve(step("y = np.e")).parts.packages
    assert set(notebook.resolve(step("y = 1")).parts.packages) == {"python"}
    given = artifact("b", [1], packages=("numpy",))
    assert "numpy" in notebook.resolve(step("y = b"), given={"b": given}).parts.packages
