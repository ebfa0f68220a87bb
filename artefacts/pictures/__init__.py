"""What pictures and videos say of themselves: the camera, the time, whether a place is given."""
