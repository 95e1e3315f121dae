"""Studies of many training runs, and measurements of speed and latency."""
