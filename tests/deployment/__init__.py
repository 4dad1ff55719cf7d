"""What runs on the server and what brings it there: the install, the unit, the scripts."""
