"""Stand-ins for an arm and a leader arm, without servos and without a simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gym_hil.core.errors import DeviceError
from gym_hil.integrations.lerobot.real_arm.connection import Measurement
from gym_hil.robots import ROBOTS


class FakeArm:
    """Goes where it is sent, at most 0.2 rad in a period, and notes everything."""

    def __init__(self, **measured) -> None:
        self.cameras = tuple(measured.get("images", ()))
        self.now = Measurement((0.1, -0.5, 0.4, 1.2, 1.5), 0.2, **measured)
        self.sent: list[tuple[float, ...]] = []
        self.connected, self.broken, self.stuck = 0, "", False

    def connect(self) -> None:
        self._answer()
        self.connected += 1

    def read(self) -> Measurement:
        self._answer()
        return self.now

    def reset_gripper(self) -> None:
        self.grips = getattr(self, "grips", 0) + 1

    def limit_speed(self, speeds) -> None:
        self.speeds = speeds

    def send(self, joints, opening) -> None:
        self._answer()
        self.sent.append(tuple(joints))
        if not self.stuck:
            here = np.array(self.now.joints)
            there = here + np.clip(np.array(joints) - here, -0.2, 0.2)
            self.now = replace(self.now, joints=tuple(there.tolist()), opening=float(opening))

    def close(self) -> None:
        self.connected = 0

    def _answer(self) -> None:
        if self.broken:
            raise DeviceError(self.broken)


class FakeLeader:
    """Stands at other joint positions than the follower, in degrees; its trigger is open."""

    name = "leader"
    is_connected = True

    def __init__(self) -> None:
        self.joints, self.trigger, self.out = np.array([30.0, -20.0, 10.0, 40.0, 80.0]), 90.0, False

    def get_action(self) -> dict[str, float]:
        if self.out:
            raise ConnectionError("no status packet")
        names = ROBOTS["so101"].end_effectors[0].arm.joints
        positions = {f"{name}.pos": float(at) for name, at in zip(names, self.joints, strict=True)}
        return {**positions, "gripper.pos": self.trigger}
