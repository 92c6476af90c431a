"""Owns the `local` artifact store: small values in a diskcache database, large ones as files beside it.

diskcache is used for what it is good at, rows that many processes share, and kept from the rest: it never
pickles, never writes or removes a file, never evicts, never retries without end, and never sees an interrupt.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
import uuid
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import diskcache
from diskcache.core import MODE_RAW
from traitlets import Float, Unicode, validate

from zennb.components.artifact_stores.blob_files import BadBlob, BlobFiles
from zennb.components.artifact_stores.lock_holder import holder
from zennb.components.artifact_stores.store_directory import StoreDirectory, publish
from zennb.components.component import ArtifactStore, Reach
from zennb.components.content import flat, is_digest, missing, name_of
from zennb.errors import DamagedArtifact, ForeignStore, InvalidConfiguration, StoreBusy, StoreError
from zennb.serial import Serial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from zennb.components.artifact_stores.blob_files import Part
    from zennb.components.component import Buffer

__all__ = ["LocalArtifactStore"]
