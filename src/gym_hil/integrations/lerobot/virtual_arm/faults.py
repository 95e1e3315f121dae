"""Faults of an arm for tests.

A fault is written ``[ARM.]KIND[:DETAIL][,NUMBER][@START[-END]]``, such as ``lost:0.02``, ``late:0.1,40``,
``stiff:elbow_flex,1.5``, ``unplug@5-8`` and ``leader.checksum:0.01``. Times are seconds since the first packet.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from gym_hil.core.errors import InvalidArgumentError, require_one_of

ANSWER_FAULTS = {"lost": 0.0, "late": 40.0, "checksum": 0.0}
"""Kinds of faults that affect the answers of servos, with their default numbers. The detail is the share of affected
answers. The number of ``late`` is the delay (ms)."""
JOINT_FAULTS = {"overload": 10.0, "stiff": 1.5, "overheat": 80.0}
"""Kinds of faults that affect a joint, with their default numbers. The detail is the joint. The number of ``overload``
(a jammed joint) and of ``stiff`` is the friction (N m); that of ``overheat`` is the ambient temperature (deg C)."""
KINDS = (*ANSWER_FAULTS, *JOINT_FAULTS, "unplug")
FORM = re.compile(
    r"(?:(?P<arm>\w+)\.)?(?P<kind>[a-z]+)(?::(?P<detail>[\w.]+))?(?:,(?P<number>[\d.]+))?"
    r"(?:@(?P<start>[\d.]+)(?:-(?P<end>[\d.]+))?)?"
)


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        arm: name of the arm.
        kind: one of `KINDS`.
        joint: the affected joint; empty for kinds that do not affect a joint.
        share: share of affected answers, in [0, 1], for kinds that affect answers.
        number: friction (N m), delay (ms) or temperature (deg C), see `ANSWER_FAULTS` and `JOINT_FAULTS`.
        start: beginning (s since the first packet).
        end: end (s since the first packet).
    """

    arm: str
    kind: str
    joint: str = ""
    share: float = 0.0
    number: float = 0.0
    start: float = 0.0
    end: float = math.inf


def parse_fault(text: str, arms: tuple[str, ...], joints: tuple[str, ...]) -> Fault:
    """Return the fault that a text describes.

    Args:
        text: the text, in the form given in the module's documentation.
        arms: names of the arms; the first one is the default.
        joints: names of the joints.

    Raises:
        InvalidArgumentError: the text has another form or contains an unknown name.
    """
    form = FORM.fullmatch(text)
    if form is None:
        raise InvalidArgumentError(f"fault={text!r} must look like stiff:elbow_flex,1.5 or lost:0.02@5-8")
    arm, kind, detail = form["arm"] or arms[0], form["kind"], form["detail"]
    require_one_of("arm", arm, arms)
    require_one_of("fault", kind, KINDS)
    joint, share = "", 0.0
    if kind in JOINT_FAULTS:
        require_one_of(f"joint of {kind}", detail, joints)
        joint = detail
    elif kind in ANSWER_FAULTS:
        try:
            share = float(detail)
        except (TypeError, ValueError):
            share = -1.0
        if not 0.0 <= share <= 1.0:
            raise InvalidArgumentError(
                f"fault={text!r} needs a share of answers from 0 to 1, such as {kind}:0.02"
            )
    default = {**ANSWER_FAULTS, **JOINT_FAULTS}.get(kind, 0.0)
    return Fault(
        arm,
        kind,
        joint,
        share,
        default if form["number"] is None else float(form["number"]),
        float(form["start"] or 0.0),
        float(form["end"] or math.inf),
    )


class AnswerFaults:
    """Applies faults to the answers of one arm.

    Args:
        faults: faults that affect answers.
        seed: seed of the choice of affected answers.
    """

    def __init__(self, faults: tuple[Fault, ...], seed: int = 0) -> None:
        self._faults = faults
        self._rng = np.random.default_rng(seed)

    def apply(self, answers: list[bytes], now: float) -> list[tuple[float, bytes]]:
        """Return the answers that arrive, each with its delay (s).

        Args:
            answers: the answers of the servos.
            now: time since the first packet (s).
        """
        arriving = []
        for answer in answers:
            delay, lost = 0.0, False
            for fault in self._faults:
                if not fault.start <= now < fault.end or self._rng.random() >= fault.share:
                    continue
                if fault.kind == "late":
                    delay += fault.number / 1000.0
                elif fault.kind == "checksum":
                    answer = answer[:-1] + bytes([answer[-1] ^ 0xFF])
                lost |= fault.kind == "lost"
            if not lost:
                arriving.append((delay, answer))
        return arriving
