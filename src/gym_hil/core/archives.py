"""Named arrays and facts in one file: NumPy's ``.npz`` with JSON in it.

Reading one never runs code that somebody put into the file: pickled objects are refused.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FACTS = "facts"


def pack(facts: Any, arrays: Mapping[str, NDArray[Any]], *, compress: bool = False) -> bytes:
    """Return the content of an archive.

    Args:
        facts: anything that JSON can express; None for none.
        arrays: arrays of numbers by name; the name ``"facts"`` is taken.
        compress: make the file smaller, which takes longer.
    """
    packed = io.BytesIO()
    save = np.savez_compressed if compress else np.savez
    told = {} if facts is None else {_FACTS: np.array(json.dumps(facts))}
    save(packed, **told, **arrays)  # type: ignore[arg-type]
    return packed.getvalue()


def unpack(content: bytes) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Return the facts and the arrays of an archive.

    Args:
        content: what `pack` returned, or an ``.npz`` file without facts, whose facts are None.

    Raises:
        ValueError: the content is something else, is damaged, or holds pickled objects. The checksums of the
            ZIP format find every changed byte of an array.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            if any(entry.comment for entry in archive.zip.infolist()):
                raise ValueError("its list of contents is damaged")  # a wrong length hides the next entries
            arrays = {name: archive[name] for name in archive.files}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("it holds something other than arrays")
        facts = arrays.pop(_FACTS, None)
        return None if facts is None else json.loads(str(facts)), arrays
    except Exception as error:  # a damaged header leads NumPy and zipfile to errors of a dozen types
        raise ValueError(f"it is damaged or no archive of arrays: {error!r}") from error
