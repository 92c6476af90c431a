"""Owns the digests of the figures that pyplot has open: each step asks for them again, and few of them change.

To take a figure apart takes 50 to 200 ms, to pickle it a tenth of that. So the digest is kept with the bytes of the
pickle: from equal bytes an equal figure is loaded.
"""

from __future__ import annotations

import copyreg
import os
import pickle
import sys
import time
from collections import OrderedDict
from io import BytesIO
from itertools import count
from typing import Any

from xxhash import xxh3_128

from zennb.dependencies.dependencies import reached_digest
from zennb.digests.digest import digest_value
from zennb.digests.hooks import has_hooks
from zennb.materializers.previews import pickled_figure
from zennb.packages.origin import origin

__all__ = ["LARGEST", "figure_content"]

LARGEST = 32_000_000
"""Bytes of a figure without a name that are stored."""

_MOST = 200
"""Digests that are kept: those used last."""

_known: OrderedDict[bytes, str] = OrderedDict()
"""Digest of the pickle of a figure → digest of the figure that is loaded from it."""

_unknown = count()
_STARTED = time.time_ns()


def figure_content(figure: Any) -> str:
    """Return the digest of a figure as it comes back from the store: without its window, whose callbacks count.

    One that cannot be pickled, or is too large to be stored, gets a text that is equal to no other, also not to the
    next one of the same figure: it may have changed.
    """
    try:
        data = pickled_figure(figure, largest=LARGEST, table=_without_counts())
        found = None if data is None else _content(data)
    except Exception:  # noqa: BLE001 - whatever parts of it raise that others have made
        found = None
    return found or f"unknown {next(_unknown)} in {os.getpid()} since {_STARTED}"


def _content(data: bytes) -> str:
    key = xxh3_128(data).digest()
    # What a digest function of the user says (`zennb.digest`) is not in the bytes.
    known = None if has_hooks() else _known.get(key)
    if known is not None:
        _known.move_to_end(key)
        return known
    unpickler = _Unpickler(BytesIO(data))
    seen = digest_value(unpickler.load())
    # Nor is the code of the user's classes and functions, which are pickled by name.
    if not seen.code and not seen.files and not unpickler.needs_users_code and not has_hooks():
        _known[key] = seen.digest
        if len(_known) > _MOST:
            _known.popitem(last=False)
    if not seen.code:
        return seen.digest
    return f"{seen.digest} {reached_digest(seen.code, vars(sys.modules['__main__']))}"


class _Unpickler(pickle.Unpickler):
    """Loads a figure, and notes whether it consists of more than what libraries define."""

    needs_users_code = False

    def find_class(self, module: str, name: str) -> Any:
        self.needs_users_code = self.needs_users_code or origin(module).is_users
        return super().find_class(module, name)


def _without_counts() -> dict[type, Any]:
    """Return a dispatch table in which registries of callbacks do not count how often they were pickled.

    Their next number would be in the bytes, and each pickle takes one. It is no part of the digest either.
    """
    registry = getattr(sys.modules.get("matplotlib.cbook"), "CallbackRegistry", None)
    return {**copyreg.dispatch_table, **({} if registry is None else {registry: _registry_state})}


def _registry_state(registry: Any) -> tuple[Any, ...]:
    make, arguments, state, *rest = registry.__reduce_ex__(5)
    return make, arguments, {**state, "_cid_gen": 0}, *rest
