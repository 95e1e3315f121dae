"""What a simulated human can and cannot do, as data: the limits with their units and sources, and the presets."""

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
    """The limits of a simulated human. The defaults are those of a script, which has none.

    Attributes:
        disagreement: takes over when the policy's `disagreement` with the task's expert is larger than this on
            average over `patience_s`, and lets go when it is less than half of it. Infinite: never for this reason.
        patience_s: time over which disagreement is judged (s).
        gates: further reasons to take over, any of which is enough. The human does not let go while one persists.
        reaction_s: mean time from deciding to acting (s). Choosing among the eight direction and gripper keys takes
            about 0.2 s + 0.15 s per bit when untrained, and nearly no more than a simple reaction, 0.2 to 0.25 s,
            when trained (Hick, Q. J. Exp. Psychol. 4, 1952; Hyman, J. Exp. Psychol. 45, 1953).
        reaction_spread: coefficient of variation of the reaction time, which is drawn from a log-normal distribution:
            reaction times are skewed to the right, with a spread of a fifth to a third of their mean (Luce, Response
            Times, 1986).
        min_hold_s: shortest takeover (s).
        max_hold_s: longest takeover before trusting the policy again (s).
        noise: standard deviation of a command on each axis, as a share of the command: the noise of a movement grows
            with its size (Schmidt et al., Psychol. Rev. 86, 1979; Harris and Wolpert, Nature 394, 1998).
        bias: constant error of a command (3, in units of action).
        attention: probability, per step, of watching while the policy acts. People who monitor automation that
            rarely fails miss a part of its failures (Parasuraman, Molloy and Singh, Int. J. Aviat. Psychol. 3, 1993).
        budget_s_per_hour: seconds of acting within any hour of the robot's time (s). Beyond it the policy is left
            alone. The hour goes on from episode to episode.
        mistakes: probability, per step while acting, of a command in a random direction.
        lapses_per_min: how often it looks elsewhere while the policy acts (1/min). People miss more the longer they
            watch something that rarely fails (Mackworth, Q. J. Exp. Psychol. 1, 1948; Parasuraman et al., 1993). The
            rates are chosen.
        lapse_s: mean duration of a lapse, which is drawn from an exponential distribution (s). Chosen.
        hold_on_s: for how long it holds on after there is no reason left to act (s). Chosen: people let go after they
            have seen that the robot is where they want it, and novices wait longer.
        tiring_per_hour: by how much reactions, pauses and errors grow within an hour of the robot's time, as a share;
            detections fall by 10 to 15 % in the first half hour of a watch (Mackworth, 1948).
        learning: exponent of the power law of practice by which the same shrink with the number of episodes in which it
            has acted (Newell and Rosenbloom, in Cognitive Skills and their Acquisition, 1981).
        route: how it prefers to go a long way, a value of `gym_hil.intervention.condition.Route`. People who are new to
            a device move one axis after the other (Zhai and Milgram, CHI 1998).
        changes_route: probability, per episode, of going another way than that. Chosen.
        slips_per_min: how often somebody with a device opens or closes the fingers at the wrong time while acting
            (1/min). Chosen.
        sight_delay_s: how old is what the human at a keyboard sees (s). A movement is corrected by what is seen after
            0.19 to 0.26 s (Keele and Posner, J. Exp. Psychol. 77, 1968).
        acuity: standard deviation of where it sees something in a picture of the web page (pixels); 0 for somebody who
            sees everything exactly, as a script. Trained people set lines flush to a fraction of what separates two
            points (Westheimer, Invest. Ophthalmol. 14, 1975); on a screen this is less than a pixel.
        sight_error_share: the same as a share of the distance from hand to goal; people tell lengths apart by about
            3 % (Teghtsoonian, Psychol. Rev. 78, 1971).
        sight_error_rad: standard deviation of a rotation that it sees, about each axis (rad). Chosen: people set lines
            parallel to within a degree or two.
        press_s: shortest press of a key (s); typists hold keys for about 0.1 s (Dhakal et al., Observations on Typing
            from 136 Million Keystrokes, CHI 2018).
        press_spread: coefficient of variation of the duration of a press; about 0.1 where people produce intervals of
            about a second (Wearden and McShane, Q. J. Exp. Psychol. 40B, 1988).
        pause_s: time between a press and the correction of what it did (s): people correct two or three times per
            second (Craik, Br. J. Psychol. 38, 1947; Miall, Weir and Stein, J. Motor Behav. 25, 1993).
        wrong_key: probability that a press meets another direction's key, or that a lever is pushed along another axis.
            Chosen: typists correct several keystrokes of a hundred (Dhakal et al., 2018).
        bandwidth_hz: corner frequency of the hand at a lever, which follows what the person wants as a critically
            damped system of second order: a neuromuscular lag of 0.1 to 0.2 s (McRuer and Jex, IEEE Trans. Hum.
            Factors Electron. 8, 1967).
        approach_s: time in which a person with a lever would cover the way that is left if the level stayed (s).
            Chosen: with the delays above, a shorter one overshoots.
        tremor: amplitude of the tremor of the hand at a lever, as a share of its full level, which for a leader arm
            is the way of one step. Chosen.
    """

    disagreement: float = 0.7
    patience_s: float = 0.5
    gates: tuple[Gate, ...] = ()
    reaction_s: float = 0.0
    reaction_spread: float = 0.25
    min_hold_s: float = 0.5
    max_hold_s: float = 6.0
    noise: float = 0.0
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
    attention: float = 1.0
    budget_s_per_hour: float = math.inf
    mistakes: float = 0.0
    lapses_per_min: float = 0.0
    lapse_s: float = 1.0
    hold_on_s: float = 0.0
    tiring_per_hour: float = 0.0
    learning: float = 0.0
    route: str = Route.STRAIGHT.value
    changes_route: float = 0.0
    slips_per_min: float = 0.0
    sight_delay_s: float = 0.0
    acuity: float = 0.0
    sight_error_share: float = 0.0
    press_s: float = 0.1
    press_spread: float = 0.0
    pause_s: float = 0.1
    wrong_key: float = 0.0
    sight_error_rad: float = 0.0
    bandwidth_hz: float = 2.0
    approach_s: float = 0.4
    tremor: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no human can be.

        Raises:
            InvalidArgumentError: a value is impossible; the message names it.
        """
        for name in ("attention", "mistakes", "wrong_key", "changes_route"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} is no probability in [0, 1]")
        for name in (
            "disagreement",
            "patience_s",
            "noise",
            "reaction_s",
            "reaction_spread",
            "budget_s_per_hour",
            "sight_delay_s",
            "acuity",
            "sight_error_share",
            "press_spread",
            "pause_s",
            "sight_error_rad",
            "tremor",
            "lapses_per_min",
            "lapse_s",
            "hold_on_s",
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
        """Return the limits of the same human who drives alone: takes over at once and never lets go."""
        return replace(self, disagreement=0.0, patience_s=0.0, max_hold_s=math.inf)


def _waiting(seconds: float) -> tuple[Gate, ...]:
    return (NoProgress(seconds=seconds),)


_AVERAGE = Limits(
    disagreement=math.inf,
    gates=_waiting(1.5),
    reaction_s=0.3,
    max_hold_s=2.5,
    noise=0.1,
    mistakes=0.005,
    attention=0.95,
    sight_delay_s=0.2,
    acuity=0.5,
    sight_error_share=0.03,
    press_spread=0.1,
    pause_s=0.25,
    wrong_key=0.02,
    lapses_per_min=1.0,
    lapse_s=1.5,
    hold_on_s=0.2,
    changes_route=0.2,
    slips_per_min=0.5,
    sight_error_rad=0.01,
    tremor=0.01,
)
PRESETS: Mapping[str, Limits] = {
    "average": _AVERAGE,
    "novice": replace(
        _AVERAGE,
        gates=_waiting(0.8),
        reaction_s=0.45,
        min_hold_s=1.0,
        max_hold_s=4.0,
        noise=0.2,
        mistakes=0.02,
        attention=0.9,
        sight_delay_s=0.25,
        acuity=0.7,
        sight_error_share=0.05,
        press_spread=0.15,
        pause_s=0.4,
        wrong_key=0.05,
        lapses_per_min=2.0,
        lapse_s=2.0,
        hold_on_s=0.5,
        route=Route.ONE_AXIS.value,
        changes_route=0.3,
        slips_per_min=1.0,
        sight_error_rad=0.015,
        approach_s=0.6,
        tremor=0.015,
    ),
    "experienced": replace(
        _AVERAGE,
        gates=_waiting(2.0),
        reaction_s=0.25,
        min_hold_s=1.0,
        noise=0.05,
        mistakes=0.0,
        sight_delay_s=0.15,
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
    "scripted-coach": Limits(disagreement=math.inf, gates=_waiting(2.0), max_hold_s=2.0),
}
"""Simulated humans by name. In a study with 27 operators novices intervened early and experts waited until shortly
before a failure (Jiang et al., Influence of Operator Expertise on Robot Supervision and Intervention, 2026,
arXiv:2601.15069); the times in seconds are chosen for tasks of 10 s. The names that begin with ``scripted`` are no
humans: they have no delay and no noise, and serve as oracles for tests. No preset tires or learns, so that an episode
depends on its seed alone."""
SCRIPT = "scripted"
"""What the names of presets that are scripts begin with."""
DEFAULT_PRESET = "average"
"""The human who helps unless somebody is named."""
EARLIER_PRESETS: Mapping[str, str] = {
    "expert": "scripted",
    "coach": "scripted-coach",
    "keyboard": "average",
}
"""Presets of earlier versions, and what they are called now."""
PRESET_NAMES = (*PRESETS, *EARLIER_PRESETS)
"""Every name that `limits_of` knows."""


def limits_of(preset: str) -> Limits:
    """Return the limits of a preset.

    Args:
        preset: a name in `PRESETS`, or one of an earlier version.

    Raises:
        InvalidArgumentError: there is no such preset; the message names the nearest one.
    """
    require_one_of("preset", preset, PRESET_NAMES)
    return PRESETS[EARLIER_PRESETS.get(preset, preset)]
