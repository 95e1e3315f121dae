"""The positions of the named parts of a vector, such as an observation or an action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class Layout(Mapping[str, slice]):
    """The slices of the named parts of a vector: ``vector[..., layout["tcp_pos"]]``.

    Args:
        sizes: the length of each part, in order.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = dict(sizes)
        self.size = 0
        self._slices: dict[str, slice] = {}
        for name, size in self.sizes.items():
            self._slices[name] = slice(self.size, self.size + size)
            self.size += size

    def __getitem__(self, name: str) -> slice:
        """Return the slice of a part."""
        return self._slices[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the parts."""
        return iter(self._slices)

    def __len__(self) -> int:
        """Return the number of parts."""
        return len(self._slices)
