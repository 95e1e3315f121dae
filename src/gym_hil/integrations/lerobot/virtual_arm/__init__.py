"""A simulated arm with the interfaces of a real one: servos at a serial port and cameras at a socket."""
