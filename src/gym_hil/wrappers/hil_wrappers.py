"""The wrappers by the names that existing users import."""

from gym_hil.wrappers.ee_action import DEFAULT_EE_STEP_SIZE as DEFAULT_EE_STEP_SIZE
from gym_hil.wrappers.ee_action import EEActionWrapper as EEActionWrapper
from gym_hil.wrappers.gripper_penalty import GripperPenaltyWrapper as GripperPenaltyWrapper
from gym_hil.wrappers.inputs_control import InputsControlWrapper as InputsControlWrapper
from gym_hil.wrappers.reset_delay import ResetDelayWrapper as ResetDelayWrapper
