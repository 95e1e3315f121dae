"""Archives of named arrays and JSON values in one ``.npz`` file.

Reading an archive never executes code from the file, because pickled objects are refused.
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
        facts: a value that JSON can represent; None for no value.
        arrays: arrays of numbers by name. The name ``"facts"`` is reserved.
        compress: whether to compress the content, which takes longer.
    """
    packed = io.BytesIO()
    save = np.savez_compressed if compress else np.savez
    entry = {} if facts is None else {_FACTS: np.array(json.dumps(facts))}
    save(packed, **entry, **arrays)  # type: ignore[arg-type]
    return packed.getvalue()


def unpack(content: bytes) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Return the JSON value and the arrays of an archive.

    Args:
        content: the result of `pack`, or an ``.npz`` file without a JSON value, for which None is returned.

    Raises:
        ValueError: the content is not an archive, is damaged, or contains pickled objects. The checksums of
            the ZIP format detect every changed byte of an array.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            if any(entry.comment for entry in archive.zip.infolist()):
                raise ValueError("its directory is damaged")  # a wrong length hides the next entries
            arrays = {name: archive[name] for name in archive.files}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("it contains something other than arrays")
        facts = arrays.pop(_FACTS, None)
        return None if facts is None else json.loads(str(facts)), arrays
    except Exception as error:  # NumPy and zipfile raise many types of errors for a damaged header
        raise ValueError(f"it is damaged or not an archive of arrays: {error!r}") from error
