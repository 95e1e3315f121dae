"""The limits of simulated humans, with units and sources, and the presets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gym_hil.core.errors import InvalidArgumentError, require_one_of
from gym_hil.devices.controls import SHORTEST_TAP_S
from gym_hil.intervention.condition import Route
from gym_hil.intervention.gates import Gate, NoProgress


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a simulated human. The defaults describe a script without such limits.

    Attributes:
        disagreement: the human takes over if the mean `disagreement` of the policy with the task's expert over
            `patience_s` exceeds this value, and hands back below half of it. Infinity turns this reason off.
        patience_s: time over which disagreement is averaged (s).
        gates: further reasons to take over, any of which is sufficient. The human does not hand back while
            one persists.
        reaction_s: mean time from a decision to the action (s). Choosing among the eight direction and
            gripper keys takes about 0.2 s + 0.15 s per bit without practice, and little more than a simple reaction,
            0.2 to 0.25 s, with practice (Hick, Q. J. Exp. Psychol. 4, 1952; Hyman, J. Exp. Psychol. 45, 1953).
        reaction_spread: coefficient of variation of the reaction time, which has a log-normal distribution.
            Reaction times are skewed to the right, with a spread of a fifth to a third of their mean (Luce, Response
            Times, 1986).
        min_hold_s: shortest takeover (s).
        max_hold_s: longest takeover before the policy is trusted again (s).
        distrust: relative growth of `min_hold_s`, `max_hold_s` and `release_delay_s` with each earlier takeover of the
            episode; 1 doubles them each time. Operators who have seen automation fail trust it less, and once they
            have changed to manual control they tend to keep it (Lee and Moray, Int. J. Hum.-Comput. Stud. 40, 1994).
            The rate is assumed: after three failures a takeover of a few seconds lasts long enough to finish a task.
        noise: standard deviation of a command on each axis, relative to the command. The noise of a motion is
            proportional to its size (Schmidt et al., Psychol. Rev. 86, 1979; Harris and Wolpert, Nature 394,
            1998).
        bias: constant error of a command (3, in units of the action).
        attention: probability, per step, of watching while the policy acts. People who monitor automation
            that rarely fails miss some of its failures (Parasuraman, Molloy and Singh, Int. J. Aviat. Psychol. 3,
            1993).
        budget_s_per_hour: largest acting time (s) within any hour of robot time, across episodes. The human
            does not take over once it is used up.
        mistakes: probability, per step while acting, of a command in a random direction.
        lapses_per_min: rate of looking away while the policy acts (1/min). People miss more the longer they
            watch something that rarely fails (Mackworth, Q. J. Exp. Psychol. 1, 1948; Parasuraman et al., 1993). The
            rates are assumed.
        lapse_s: mean duration of a lapse, which has an exponential distribution (s). Assumed.
        release_delay_s: time from the last reason to act to handing back (s). Assumed: people hand back after they
            have seen that the robot is where they want it, and novices wait longer.
        tiring_per_hour: relative growth of reaction times, pauses and errors in an hour of robot time.
            Detections decrease by 10 to 15 % in the first half hour of a watch (Mackworth, 1948).
        learning: exponent of the power law of practice by which reaction times, pauses and errors decrease with
            the number of episodes in which the human has acted (Newell and Rosenbloom, in Cognitive Skills and
            their Acquisition, 1981).
        route: preferred route over long distances, a value of `gym_hil.intervention.condition.Route`. People
            who are new to a device move one axis after the other (Zhai and Milgram, CHI 1998).
        changes_route: probability, per episode, of another route. Assumed.
        slips_per_min: rate of moving the gripper at a wrong time while acting with a device (1/min). One to three of
            a thousand actions hit a wrong control (Swain and Guttmann, Handbook of Human Reliability Analysis,
            NUREG/CR-1278, 1983), and people act two or three times per second (see `pause_s`): 0.1 to 0.5 per minute.
        perception_delay_s: delay of perception of a human with a device (s). A motion is corrected by what is seen
            after 0.19 to 0.26 s (Keele and Posner, J. Exp. Psychol. 77, 1968).
        acuity: standard deviation of a perceived position in a picture of the web page (pixels); 0 for exact
            perception, as in scripts. Trained people align lines to a fraction of the distance at which two points are
            separable (Westheimer, Invest. Ophthalmol. 14, 1975); on a screen this is less than a pixel.
        perception_error_ratio: standard deviation of a perceived position relative to the distance between hand
            and goal. People distinguish lengths by about 3 % (Teghtsoonian, Psychol. Rev. 78, 1971).
        perception_error_rad: standard deviation of a perceived rotation about each axis (rad). Assumed: people
            align lines to within a degree or two.
        press_s: shortest press of a key (s). Typists press keys for about 0.1 s (Dhakal et al., Observations
            on Typing from 136 Million Keystrokes, CHI 2018).
        press_spread: coefficient of variation of the duration of a press; about 0.1 if people produce
            intervals of about a second (Wearden and McShane, Q. J. Exp. Psychol. 40B, 1988).
        pause_s: time between a press and its correction (s). People correct two or three times per second
            (Craik, Br. J. Psychol. 38, 1947; Miall, Weir and Stein, J. Motor Behav. 25, 1993).
        wrong_key: probability that a press hits the key of another direction, or that an axis is confused
            with another one. Assumed: typists correct several keystrokes of a hundred (Dhakal et al., 2018).
        bandwidth_hz: corner frequency of the hand on a device with axes, which follows the intended motion
            like a critically damped second-order system. The neuromuscular lag is 0.1 to 0.2 s (McRuer and Jex, IEEE
            Trans. Hum. Factors Electron. 8, 1967).
        approach_s: time in which the remaining distance would be covered at the chosen level of an axis (s).
            Assumed: with the delays above, shorter times overshoot.
        tremor: amplitude of the hand's tremor on a device with axes, relative to the full level, which for a
            leader arm is the motion of one step. Assumed.
    """

    disagreement: float = 0.7
    patience_s: float = 0.5
    gates: tuple[Gate, ...] = ()
    reaction_s: float = 0.0
    reaction_spread: float = 0.25
    min_hold_s: float = 0.5
    max_hold_s: float = 6.0
    distrust: float = 0.0
    noise: float = 0.0
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
    attention: float = 1.0
    budget_s_per_hour: float = math.inf
    mistakes: float = 0.0
    lapses_per_min: float = 0.0
    lapse_s: float = 1.0
    release_delay_s: float = 0.0
    tiring_per_hour: float = 0.0
    learning: float = 0.0
    route: str = Route.STRAIGHT.value
    changes_route: float = 0.0
    slips_per_min: float = 0.0
    perception_delay_s: float = 0.0
    acuity: float = 0.0
    perception_error_ratio: float = 0.0
    press_s: float = 0.1
    press_spread: float = 0.0
    pause_s: float = 0.1
    wrong_key: float = 0.0
    perception_error_rad: float = 0.0
    bandwidth_hz: float = 2.0
    approach_s: float = 0.4
    tremor: float = 0.0

    def __post_init__(self) -> None:
        """Check all values.

        Raises:
            InvalidArgumentError: a value is impossible; the message names it.
        """
        for name in ("attention", "mistakes", "wrong_key", "changes_route"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} must be a probability, in [0, 1]")
        for name in (
            "disagreement",
            "patience_s",
            "distrust",
            "noise",
            "reaction_s",
            "reaction_spread",
            "budget_s_per_hour",
            "perception_delay_s",
            "acuity",
            "perception_error_ratio",
            "press_spread",
            "pause_s",
            "perception_error_rad",
            "tremor",
            "lapses_per_min",
            "lapse_s",
            "release_delay_s",
            "tiring_per_hour",
            "learning",
            "slips_per_min",
        ):
            if not getattr(self, name) >= 0:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} must be at least 0")
        require_one_of("route", self.route, [route.value for route in Route])
        if not self.press_s >= SHORTEST_TAP_S:
            raise InvalidArgumentError(f"press_s={self.press_s!r} must be at least {SHORTEST_TAP_S}")
        for name in ("bandwidth_hz", "approach_s"):
            if not getattr(self, name) > 0:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} must be positive")
        if not 0.0 <= self.min_hold_s <= self.max_hold_s:
            raise InvalidArgumentError(
                f"min_hold_s={self.min_hold_s!r} must be at least 0 and at most max_hold_s={self.max_hold_s!r}"
            )

    def driving(self) -> Limits:
        """Return the limits of the same human in demonstrations: it takes over at once and never hands back."""
        return replace(self, disagreement=0.0, patience_s=0.0, max_hold_s=math.inf)

    def taking_over_after(self, seconds: float) -> Limits:
        """Return the limits of the same human who takes over after another time without progress.

        Args:
            seconds: that time (s).

        Raises:
            InvalidArgumentError: the time is not positive.
        """
        return replace(self, disagreement=math.inf, gates=_no_progress(seconds))


def _no_progress(seconds: float) -> tuple[Gate, ...]:
    return (NoProgress(seconds=seconds),)


_AVERAGE = Limits(
    disagreement=math.inf,
    gates=_no_progress(1.5),
    reaction_s=0.3,
    max_hold_s=2.5,
    distrust=1.0,
    noise=0.1,
    mistakes=0.005,
    attention=0.95,
    perception_delay_s=0.2,
    acuity=0.5,
    perception_error_ratio=0.03,
    press_spread=0.1,
    pause_s=0.25,
    wrong_key=0.02,
    lapses_per_min=1.0,
    lapse_s=1.5,
    release_delay_s=0.2,
    changes_route=0.2,
    slips_per_min=0.2,
    perception_error_rad=0.01,
    tremor=0.01,
)
PRESETS: Mapping[str, Limits] = {
    "average": _AVERAGE,
    "novice": replace(
        _AVERAGE,
        gates=_no_progress(0.8),
        reaction_s=0.45,
        min_hold_s=1.0,
        max_hold_s=4.0,
        noise=0.2,
        mistakes=0.02,
        attention=0.9,
        perception_delay_s=0.25,
        acuity=0.7,
        perception_error_ratio=0.05,
        press_spread=0.15,
        pause_s=0.4,
        wrong_key=0.05,
        lapses_per_min=2.0,
        lapse_s=2.0,
        release_delay_s=0.5,
        route=Route.ONE_AXIS.value,
        changes_route=0.3,
        slips_per_min=0.5,
        perception_error_rad=0.015,
        approach_s=0.6,
        tremor=0.015,
    ),
    "experienced": replace(
        _AVERAGE,
        gates=_no_progress(2.0),
        reaction_s=0.25,
        min_hold_s=1.0,
        noise=0.05,
        mistakes=0.0,
        perception_delay_s=0.15,
        acuity=0.3,
        press_spread=0.06,
        pause_s=0.2,
        wrong_key=0.005,
        lapses_per_min=0.5,
        lapse_s=1.0,
        changes_route=0.1,
        slips_per_min=0.1,
    ),
    "inattentive": replace(_AVERAGE, attention=0.15, min_hold_s=1.0, lapses_per_min=2.0, lapse_s=3.0),
    "scripted": Limits(),
    "scripted-coach": Limits(disagreement=math.inf, gates=_no_progress(2.0), max_hold_s=2.0),
}
"""Simulated humans by name. In a study with 27 operators, novices intervened early and experts waited until
shortly before a failure (Jiang et al., Influence of Operator Expertise on Robot Supervision and Intervention,
2026, arXiv:2601.15069); the times in seconds are assumed for tasks of 10 s. Names that begin with
``scripted`` are not humans: they have no delay and no noise, and serve as upper bounds in tests. Fatigue and
practice are off in all presets, so that an episode depends only on its seed."""
SCRIPT = "scripted"
"""Prefix of the names of presets that are scripts."""
DEFAULT_PRESET = "average"
"""The preset that is used unless another one is given."""
EARLIER_PRESETS: Mapping[str, str] = {
    "expert": "scripted",
    "coach": "scripted-coach",
    "keyboard": "average",
}
"""Names of presets in earlier versions, and their present names."""
PRESET_NAMES = (*PRESETS, *EARLIER_PRESETS)
"""All names that `get_limits` accepts."""


def get_limits(preset: str) -> Limits:
    """Return the limits of a preset.

    Args:
        preset: a name in `PRESETS`, or one of an earlier version.

    Raises:
        InvalidArgumentError: there is no such preset; the message names the nearest one.
    """
    require_one_of("preset", preset, PRESET_NAMES)
    return PRESETS[EARLIER_PRESETS.get(preset, preset)]
