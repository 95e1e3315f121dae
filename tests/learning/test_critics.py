"""Critics that are computed together have the values and the gradients of separate networks of PyTorch."""

from __future__ import annotations

import copy

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import FlattenExtractor
from torch import nn

from gym_hil.learning.adam import PlainAdam
from gym_hil.learning.critics import CriticEnsemble

STATES = spaces.Box(-np.inf, np.inf, (5,), np.float32)
ACTIONS = spaces.Box(-1.0, 1.0, (3,), np.float32)


def critics(count: int) -> CriticEnsemble:
    torch.manual_seed(count)
    ensemble = CriticEnsemble(
        STATES, ACTIONS, net_arch=[16, 8], features_extractor=FlattenExtractor(STATES), features_dim=5,
        n_critics=count,
    )  # fmt: skip
    with torch.no_grad():  # shifts are 0 before training
        ensemble.weights += 0.1 * torch.randn_like(ensemble.weights)
    return ensemble


def separate(ensemble: CriticEnsemble) -> list[nn.Sequential]:
    """Return the networks of an ensemble as modules of PyTorch."""
    layers, (head, head_offset) = ensemble._split(ensemble.weights.detach())
    networks = []
    for number in range(len(head)):
        modules: list[nn.Module] = []
        for layer in layers:
            linear, norm = nn.Linear(*layer.matrix.shape[1:], bias=False), nn.LayerNorm(layer.matrix.shape[2])
            linear.weight.data.copy_(layer.matrix[number].T)
            norm.bias.data.copy_(layer.shift[number, 0])
            modules += [linear, norm, nn.ReLU()]
        last = nn.Linear(head.shape[1], 1)
        last.weight.data.copy_(head[number].T)
        last.bias.data.copy_(head_offset[number, 0])
        networks.append(nn.Sequential(*modules, last))
    return networks


@pytest.mark.parametrize("count", [2, 10])
@pytest.mark.parametrize("weighted", [False, True])
def test_values_and_gradients_are_those_of_autograd(count, weighted):
    ensemble = critics(count)
    networks = separate(ensemble)
    features, actions = torch.randn(7, 5, requires_grad=True), torch.rand(7, 3, requires_grad=True)
    targets = torch.randn(7, 1)
    weight = torch.rand(7, 1) if weighted else 1.0 / 7
    inputs = torch.cat((features, actions), dim=1)
    values = torch.stack([network(inputs) for network in networks])
    expected_loss = (weight * (values - targets) ** 2).sum()
    by_inputs = torch.autograd.grad(values.mean(), (features, actions), retain_graph=True)
    found = ensemble.values(features, actions)
    assert torch.allclose(found, values, atol=1e-5)
    for value, expected in zip(
        torch.autograd.grad(found.mean(), (features, actions)), by_inputs, strict=True
    ):
        assert torch.allclose(value, expected, atol=1e-6)
    expected_loss.backward()
    loss, gradient = ensemble.fit(features, actions, targets, weight)
    assert torch.allclose(loss, expected_loss, rtol=1e-5)
    assert torch.allclose(gradient, features.grad, atol=1e-5)
    layers, (head, head_offset) = ensemble._split(ensemble.weights.grad)
    for number, network in enumerate(networks):
        pairs = [(head[number].T, network[-1].weight.grad), (head_offset[number, 0], network[-1].bias.grad)]
        for layer, linear, norm in zip(layers, network[::3], network[1::3], strict=False):
            pairs.append((layer.matrix[number].T, linear.weight.grad))
            pairs.append((layer.shift[number, 0], norm.bias.grad))
        for gradient, expected in pairs:
            assert torch.allclose(gradient, expected, atol=1e-5)


def test_copies_and_loaded_weights_are_independent():
    one, two = critics(2), critics(3)
    batch = torch.randn(4, 5), torch.rand(4, 3)
    before = one.values(*batch)
    copied = copy.deepcopy(one)
    with torch.no_grad():
        copied.weights.zero_()
    assert torch.equal(one.values(*batch), before) and not copied.values(*batch).any()
    copied.load_state_dict(one.state_dict())
    assert torch.equal(copied.values(*batch), before)
    assert copied.double().values(*(part.double() for part in batch)).dtype == torch.float64
    with pytest.raises(RuntimeError, match="size mismatch"):
        two.load_state_dict(one.state_dict())


def test_adam_gives_the_same_steps_as_pytorch_and_restores_its_state():
    torch.manual_seed(0)
    weight, reference_weight = (nn.Parameter(torch.ones(50)) for _ in range(2))
    plain, pytorch_adam = PlainAdam([weight], lr=0.01), torch.optim.Adam([reference_weight], lr=0.01)
    for number in range(20):
        weight.grad = reference_weight.grad = torch.randn(50)
        plain.step()
        pytorch_adam.step()
        assert torch.allclose(weight, reference_weight, atol=1e-6), number
    plain.load_state_dict({**plain.state_dict(), "state": copy.deepcopy(pytorch_adam.state_dict()["state"])})
    weight.grad = reference_weight.grad = torch.randn(50)
    plain.step()
    pytorch_adam.step()
    assert torch.allclose(weight, reference_weight, atol=1e-6)
