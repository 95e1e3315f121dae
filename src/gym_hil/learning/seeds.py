"""Seeds for development and seeds for reports.

Hyperparameters and features are chosen from the results of development runs. Published results that used the
same seeds and start states would be biased. Runs with `DEVELOPMENT_SEEDS` are therefore for development, and
all others for reports. A report run is evaluated from start states at or above `REPORT_STARTS`, which no
development run uses and which differ between runs. Every result file states its purpose.
"""

from __future__ import annotations

from typing import Literal

Purpose = Literal["development", "report"]

DEVELOPMENT_SEEDS = range(10)
"""Seeds of development runs."""
DEVELOPMENT_STARTS = 1_000_000
"""Environment seed of the first start state in the evaluations of development runs."""
TRAINING_STARTS = 10_000_000
"""Environment seed of the first training episode of the run with seed 0."""
REPORT_STARTS = 2_000_000_000
"""Smallest environment seed of the evaluations of report runs."""
EPISODES_PER_RUN = 100_000
"""Number of environment seeds reserved for each run, in training and in the evaluations of report runs."""


def purpose_of_run(seed: int) -> Purpose:
    """Return the purpose of a run with this seed."""
    return "development" if seed in DEVELOPMENT_SEEDS else "report"


def purpose_of_result(seed: int, first_start: int) -> Purpose:
    """Return the purpose of an evaluation.

    Args:
        seed: seed of the run that trained the policy.
        first_start: environment seed of the first evaluation episode.

    Returns:
        ``"report"`` if neither the run nor the start states are for development, else ``"development"``.
    """
    for_report = purpose_of_run(seed) == "report" and first_start >= REPORT_STARTS
    return "report" if for_report else "development"


def training_start(seed: int, number: int) -> int:
    """Return the environment seed of episode `number` of the run with this seed."""
    return TRAINING_STARTS + EPISODES_PER_RUN * seed + number


def evaluation_start(seed: int, *, final: bool) -> int:
    """Return the environment seed of the first episode of an evaluation.

    Args:
        seed: seed of the run.
        final: whether it is the last evaluation. In report runs, its start states differ from those of the
            learning curve.
    """
    if purpose_of_run(seed) == "development":
        return DEVELOPMENT_STARTS
    return REPORT_STARTS + EPISODES_PER_RUN * seed + (0 if final else EPISODES_PER_RUN // 2)
