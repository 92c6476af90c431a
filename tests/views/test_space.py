"""What usage and prunes look like: sizes with bars, sentences that say what happens, and what to type next."""

from __future__ import annotations

from dataclasses import replace

from tests.views.named import pruned_named, usage_named
from zennb.core.records.space import PrunePlan
from zennb.views.space import groups, pruned, store_line, usage


def test_a_store_is_one_sentence() -> None:
    (store,) = usage_named("x").stores
    assert store_line(store) == (
        "artifact store 'x': 5 B in 1 blob, 50% of its limit of 10 B; 2 B only in old versions; "
        "1 B that no record names"
    )
    plain = replace(store, limit=None, old=0, unreferenced=0, blobs=2)
    assert store_line(plain) == "artifact store 'x': 5 B in 2 blobs"


def test_bars_show_parts_of_the_whole() -> None:
    table = groups("by step", "step", usage_named("x").steps, 10)
    assert "██████······" in table.text
    assert "width:50%" in table.html
    assert 'aria-hidden="true"' in table.html


def test_many_groups_are_cut_and_the_title_says_of_how_many() -> None:
    many = usage_named("x").steps * 30
    assert groups("by step", "step", many, 10, most=4).text.startswith("by step (4 of 30)")


def test_nothing_reused_is_said_in_words() -> None:
    assert "reuse has saved nothing so far" in usage(replace(usage_named("x"), reused=0)).text
    assert "reuse has saved 3.0 s so far (1 reused step)" in usage(usage_named("x")).text


def test_a_dry_run_says_what_to_type_and_a_real_one_what_follows() -> None:
    dry = pruned_named("x")
    text = pruned(dry, again="zennb artifacts prune --keep 3 --yes").text
    assert "1 blob, 5 B would be deleted, of 10 B; 5 B would stay" in text
    assert "`zennb artifacts prune --keep 3 --yes` does it" in text
    assert "2 B stay: x." in text
    assert "x, x2 and 1 more" in text
    done = pruned(replace(dry, deleted=dry.plan.blobs), again="").text
    assert "1 blob, 5 B deleted. The records stay and say so" in done
    assert "1 blob stayed, since a kernel has used it just now" in done
    empty = replace(dry, plan=PrunePlan(blobs=(), total=10, spared={}), later=0)
    assert pruned(empty, again="").text == "artifact store 'x': there is nothing to delete; it holds 10 B."
