"""Lets the module paths of earlier versions import the modules that replace them.

An import finder looks the paths up in a table. Python asks it only for modules that are not loaded yet.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType

LEGACY = "gym_hil.integrations.legacy"
VERSION_0_1_14 = {
    "gym_hil.controllers": f"{LEGACY}.controllers",
    "gym_hil.envs.panda_arrange_boxes_gym_env": f"{LEGACY}.environments",
    "gym_hil.envs.panda_pick_gym_env": f"{LEGACY}.environments",
    "gym_hil.mujoco_gym_env": f"{LEGACY}.environments",
    "gym_hil.wrappers.factory": f"{LEGACY}.wrappers",
    "gym_hil.wrappers.hil_wrappers": f"{LEGACY}.wrappers",
    "gym_hil.wrappers.intervention_utils": f"{LEGACY}.input_controllers",
    "gym_hil.wrappers.viewer_wrapper": f"{LEGACY}.wrappers",
}
"""Modules of gym-hil 0.1.14, and the modules that define their names now."""
VERSION_0_1_15 = {
    "gym_hil.cli.choices": "gym_hil.cli.option_types",
    "gym_hil.cli.inspecting": "gym_hil.cli.inspect_command",
    "gym_hil.cli.latency": "gym_hil.experiments.latency",
    "gym_hil.cli.listing": "gym_hil.cli.list_command",
    "gym_hil.cli.measuring": "gym_hil.experiments.throughput",
    "gym_hil.devices.pads": "gym_hil.devices.gamepad_sdl",
    "gym_hil.devices.tap": "gym_hil.devices.device_wrapper",
    "gym_hil.devices.virtual_gamepad": "gym_hil.testing.virtual_gamepad",
    "gym_hil.errors": "gym_hil.core.errors",
    "gym_hil.lerobot": "gym_hil.integrations.lerobot",
    "gym_hil.lerobot.world": "gym_hil.integrations.lerobot.shared_simulation",
    "gym_hil.operators": "gym_hil.intervention",
    "gym_hil.operators.attention": "gym_hil.intervention.budget",
    "gym_hil.operators.base": "gym_hil.intervention.operator",
    "gym_hil.operators.expert": "gym_hil.intervention.operator",
    "gym_hil.operators.policies": "gym_hil.intervention.scripted_policies",
    "gym_hil.operators.simulated": "gym_hil.intervention.simulated_human",
    "gym_hil.recording": "gym_hil.datasets",
    "gym_hil.recording.lerobot_writer": "gym_hil.datasets.formats.lerobot",
    "gym_hil.recording.minari_writer": "gym_hil.datasets.formats.minari",
    "gym_hil.recording.page": "gym_hil.datasets.html_report",
    "gym_hil.recording.pictures": "gym_hil.datasets.camera_images",
    "gym_hil.recording.quality": "gym_hil.datasets.validation",
    "gym_hil.recording.seal": "gym_hil.datasets.manifest",
    "gym_hil.recording.store": "gym_hil.datasets.journal",
    "gym_hil.registry": "gym_hil.stacks.ids",
    "gym_hil.robots.layers": "gym_hil.robots.collision",
    "gym_hil.scenes.base": "gym_hil.scenes.scene",
    "gym_hil.scenes.compose": "gym_hil.simulation.composition",
    "gym_hil.schema": "gym_hil.core.schema",
    "gym_hil.sim": "gym_hil.simulation",
    "gym_hil.training": "gym_hil.learning",
    "gym_hil.training.acting": "gym_hil.learning.rollout",
    "gym_hil.training.agent": "gym_hil.learning.sac",
    "gym_hil.training.beside": "gym_hil.learning.async_learner",
    "gym_hil.training.curve": "gym_hil.learning.learning_curve",
    "gym_hil.training.experience": "gym_hil.learning.episode_store",
    "gym_hil.training.files": "gym_hil.core.files",
    "gym_hil.training.imitation": "gym_hil.learning.methods.bc",
    "gym_hil.training.learner": "gym_hil.learning.learner_service",
    "gym_hil.training.pace": "gym_hil.learning.torch_setup",
    "gym_hil.training.pixels": "gym_hil.learning.image_observation",
    "gym_hil.training.sight": "gym_hil.learning.encoders",
    "gym_hil.training.status": "gym_hil.learning.run_status",
    "gym_hil.training.study": "gym_hil.experiments.study",
    "gym_hil.training.study_report": "gym_hil.experiments.study_report",
    "gym_hil.training.study_runs": "gym_hil.experiments.study_runs",
    "gym_hil.viewers.page": "gym_hil.viewers.web.page",
    "gym_hil.viewers.page_access": "gym_hil.viewers.web.access",
    "gym_hil.viewers.page_clients": "gym_hil.viewers.web.clients",
    "gym_hil.viewers.page_messages": "gym_hil.viewers.web.protocol",
    "gym_hil.viewers.page_scene": "gym_hil.viewers.web.scene",
    "gym_hil.viewers.page_server": "gym_hil.viewers.web.server",
    "gym_hil.viewers.screen": "gym_hil.viewers.base",
    "gym_hil.viewers.static": "gym_hil.viewers.web.static",
    "gym_hil.viewers.tally": "gym_hil.viewers.episode_statistics",
    "gym_hil.wrappers.attendance": "gym_hil.viewers.web.wait",
    "gym_hil.wrappers.human_cost": "gym_hil.intervention.human_cost",
    "gym_hil.wrappers.inputs_control": f"{LEGACY}.wrappers",
    "gym_hil.wrappers.intervention": "gym_hil.intervention.takeover",
    "gym_hil.wrappers.pacing": "gym_hil.wrappers.real_time",
    "gym_hil.wrappers.same_step_reset": "gym_hil.wrappers.auto_reset",
    "gym_hil.wrappers.vector": "gym_hil.stacks.vector",
}
"""Modules and packages of version 0.1.15 that have moved. The modules of a moved package move with it."""
ALIASES = VERSION_0_1_14 | VERSION_0_1_15


def current_path(name: str) -> str | None:
    """Return the current path of the module `name` of an earlier version, or None if `name` is not an old path."""
    if name in ALIASES:
        return ALIASES[name]
    package, _, last = name.rpartition(".")
    moved = current_path(package) if package else None
    return f"{moved}.{last}" if moved else None


class _AliasFinder:
    """Finds old module paths. It precedes Python's own finders, which would load a second copy of a module in a
    moved package.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith("gym_hil."):
            return None
        current = current_path(name)
        return ModuleSpec(name, _AliasLoader(current)) if current else None  # type: ignore[arg-type]


class _AliasLoader:
    """Loads the module `current` in place of the requested one."""

    def __init__(self, current: str) -> None:
        self._current = current

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self._current)
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own_spec  # Python has replaced it by that of the alias


def install() -> None:
    """Make old module paths importable. It may be called more than once."""
    if any(isinstance(finder, _AliasFinder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _AliasFinder())
