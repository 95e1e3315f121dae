"""What Hugging Face LeRobot needs from us beyond the ids."""
