"""A simulated arm that programs reach as they reach a real one: servos on a serial port, cameras on a socket."""
