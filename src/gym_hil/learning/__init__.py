"""Learning with a human in the loop: methods, replay buffers, training runs and their evaluation.

Training needs the extra ``train`` (PyTorch and Stable-Baselines3).
"""
