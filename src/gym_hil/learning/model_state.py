"""The learned state of a Stable-Baselines3 SAC model as named arrays, without pickled objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from stable_baselines3 import SAC

_POLICY, _ENTROPY = "policy", "log_ent_coef"


def state_arrays(model: SAC) -> dict[str, NDArray[Any]]:
    """Return the parameters, the state of the optimizers and the entropy coefficient of `model`.

    Returns:
        Arrays by name: ``policy/<parameter>``, ``<optimizer>/<number of the parameter>/<quantity>`` and
        ``log_ent_coef``. The optimizers' settings are not included, because the configuration defines them.
    """
    assert model.log_ent_coef is not None
    arrays = {_ENTROPY: _array(model.log_ent_coef)}
    for name, state in model.get_parameters().items():
        if name == _POLICY:
            arrays |= {f"{name}/{key}": _array(tensor) for key, tensor in state.items()}
            continue
        for number, quantities in state["state"].items():
            arrays |= {f"{name}/{number}/{key}": _array(tensor) for key, tensor in quantities.items()}
    return arrays


def restore_state(model: SAC, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Restore the state of `model` from the result of `state_arrays`.

    Raises:
        ValueError: the arrays belong to a model with a different architecture.
    """
    parameters = model.get_parameters()
    own = _required_shapes(model)
    wrong = [name for name, shape in own.items() if name not in arrays or arrays[name].shape != shape]
    if wrong:
        raise ValueError(f"it belongs to a model with a different architecture: {wrong[0]} differs")
    for name, state in parameters.items():
        tensors = {key: torch.from_numpy(arrays[key].copy()) for key in arrays if key.startswith(f"{name}/")}
        if name == _POLICY:
            parameters[name] = {key.removeprefix(f"{name}/"): tensor for key, tensor in tensors.items()}
            continue
        state["state"] = {}
        for key, tensor in tensors.items():
            _, number, quantity = key.split("/")
            state["state"].setdefault(int(number), {})[quantity] = tensor
    try:
        model.set_parameters(parameters, exact_match=True, device=model.device)
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    assert model.log_ent_coef is not None
    model.log_ent_coef.data = torch.from_numpy(arrays[_ENTROPY].copy()).to(model.device)


def _required_shapes(model: SAC) -> dict[str, tuple[int, ...]]:
    assert model.log_ent_coef is not None
    parameters = {f"{_POLICY}/{key}": tensor for key, tensor in model.policy.state_dict().items()}
    return {name: tuple(t.shape) for name, t in {**parameters, _ENTROPY: model.log_ent_coef}.items()}


def _array(tensor: torch.Tensor) -> NDArray[Any]:
    return tensor.detach().cpu().numpy()
