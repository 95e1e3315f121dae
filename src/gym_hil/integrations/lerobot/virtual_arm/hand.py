"""The hand of a person who moves the joints of an arm."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence


class ArmHand:
    """Holds joints at given positions, and moves them at constant speed, one movement after the other.

    Attributes:
        scripted: whether commands of the console move the hand. The operator must not move it then.
    """

    def __init__(self) -> None:
        self.scripted = False
        self._held: dict[int, float] = {}
        self._moves: deque[tuple[dict[int, float], float]] = deque()
        self._left_s = 0.0
        self._then: list[Callable[[], None]] = []

    @property
    def busy(self) -> bool:
        """Whether movements are pending."""
        return bool(self._moves)

    def move(self, targets: Mapping[int, float], seconds: float) -> None:
        """Move joints after all pending movements.

        Args:
            targets: positions (rad) by the number of the joint. Other joints that are held remain held.
            seconds: duration (s).
        """
        if not self._moves:
            self._left_s = seconds
        self._moves.append((dict(targets), seconds))

    def follow(self, targets: Sequence[float], seconds: float) -> None:
        """Cancel pending movements, move all joints to `targets` (rad) within `seconds` (s), and hold them there."""
        self._moves.clear()
        self.move(dict(enumerate(targets)), seconds)

    def then(self, function: Callable[[], None]) -> None:
        """Call `function` once, when the pending movements end or the hand releases the arm."""
        self._then.append(function)

    def release(self) -> None:
        """Release all joints."""
        self._held.clear()
        self._moves.clear()
        self.scripted = False
        self._finish()

    def _finish(self) -> None:
        waiting, self._then = self._then, []
        for function in waiting:
            function()

    def update(self, positions: Sequence[float], dt: float) -> Mapping[int, float]:
        """Continue the movements, and return the desired positions of the held joints (rad) by their numbers.

        Args:
            positions: current positions of the joints (rad).
            dt: time since the last call (s).
        """
        if self._moves:
            targets, _ = self._moves[0]
            fraction = min(1.0, dt / self._left_s) if self._left_s > 0.0 else 1.0
            for number, target in targets.items():
                start = self._held.get(number, positions[number])
                self._held[number] = start + fraction * (target - start)
            self._left_s -= dt
            if fraction == 1.0:
                self._moves.popleft()
                self._left_s = self._moves[0][1] if self._moves else 0.0
                if not self._moves:
                    self._finish()
        return self._held
