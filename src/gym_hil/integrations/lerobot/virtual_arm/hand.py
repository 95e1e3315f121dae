"""The hand of a person who moves the joints of an arm."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence


class Hand:
    """Holds joints where it was told to, and moves them there at constant speed, one movement after the other.

    Attributes:
        scripted: whether commands move it, so that the operator must not.
    """

    def __init__(self) -> None:
        self.scripted = False
        self._held: dict[int, float] = {}
        self._moves: deque[tuple[dict[int, float], float]] = deque()
        self._left_s = 0.0
        self._then: list[Callable[[], None]] = []

    @property
    def busy(self) -> bool:
        """Whether there is a movement left to do."""
        return bool(self._moves)

    def move(self, targets: Mapping[int, float], seconds: float) -> None:
        """Move joints after what there is left to do.

        Args:
            targets: where to (rad), by the number of the joint. Other joints stay held if they are.
            seconds: how long it takes.
        """
        if not self._moves:
            self._left_s = seconds
        self._moves.append((dict(targets), seconds))

    def follow(self, targets: Sequence[float], seconds: float) -> None:
        """Move all joints to `targets` (rad) from now on, and forget what there was left to do."""
        self._moves.clear()
        self.move(dict(enumerate(targets)), seconds)

    def then(self, function: Callable[[], None]) -> None:
        """Call `function` once there is nothing left to do, or when the hand lets go."""
        self._then.append(function)

    def release(self) -> None:
        """Let go."""
        self._held.clear()
        self._moves.clear()
        self.scripted = False
        self._finish()

    def _finish(self) -> None:
        waiting, self._then = self._then, []
        for function in waiting:
            function()

    def update(self, positions: Sequence[float], dt: float) -> Mapping[int, float]:
        """Return where it wants the joints that it holds (rad), by their numbers.

        Args:
            positions: where the joints are (rad).
            dt: seconds since the last call.
        """
        if self._moves:
            targets, _ = self._moves[0]
            share = min(1.0, dt / self._left_s) if self._left_s > 0.0 else 1.0
            for number, target in targets.items():
                start = self._held.get(number, positions[number])
                self._held[number] = start + share * (target - start)
            self._left_s -= dt
            if share == 1.0:
                self._moves.popleft()
                self._left_s = self._moves[0][1] if self._moves else 0.0
                if not self._moves:
                    self._finish()
        return self._held
