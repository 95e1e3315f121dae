"""Learning with a human in the loop: SAC from demonstrations, interventions and experience.

Needs the extra ``train`` (PyTorch and Stable-Baselines3).
"""
