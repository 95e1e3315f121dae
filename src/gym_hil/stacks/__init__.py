"""Environment ids, configurations, and the builder of environments with all layers."""
