"""HG-DAgger: imitation of demonstrations and interventions (Kelly et al. 2019, arXiv:1810.02890).

The policy acts, a human takes over when it makes a mistake, and the policy is also trained to imitate these
interventions.
"""

from __future__ import annotations

from gym_hil.learning.methods.bc import BehaviourCloning


class HgDagger(BehaviourCloning):
    """Imitation of demonstrations and interventions."""

    description = "imitation of demonstrations and interventions"
    needs_demonstrations = False
    acts_online = True


HG_DAGGER = HgDagger()
