from __future__ import annotations

import math
from typing import Any

from zennb.headless.variable_digests import digests, print_digests, printed


def of(source: str) -> dict[str, str]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(source, namespace)
    return digests(namespace)


def test_equal_content_has_equal_digests_and_other_content_others() -> None:
    source = "xs = [1, {'a': {3, 4}}]\ndef f(n=1): return n + 2\nclass K:\n    def get(self): return 5"
    assert of(source) == of(f"# above\n{source}")
    for before, after in (("3, 4", "3, 5"), ("n + 2", "n + 3"), ("n=1", "n=2"), ("return 5", "return 6")):
        changed = of(source.replace(before, after))
        assert len({name for name in changed if changed[name] != of(source)[name]}) == 1


def test_modules_private_names_and_those_of_ipython_are_left_out() -> None:
    assert digests({"math": math, "_x": 1, "In": [], "Out": {}, "x": 1}).keys() == {"x"}


def test_what_has_no_content_is_its_type_whatever_it_does_when_it_is_looked_at() -> None:
    class Odd:
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

        def __reduce_ex__(self, protocol: Any) -> Any:
            raise RuntimeError

    found = digests({"rows": (n for n in [1]), "odd": Odd()})
    assert found == {"rows": "generator", "odd": "Odd"}


def test_what_is_printed_is_found_among_other_output(capsys: Any) -> None:
    print("some words", end="")
    print_digests({"x": 1})
    assert printed(capsys.readouterr().out + "more\n") == digests({"x": 1})
    assert printed("nothing\n") == printed("zennb-variables: {broken") == {}
