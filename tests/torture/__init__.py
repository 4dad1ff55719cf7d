"""What tries to break the agent: the full figures, and small ones for the slow suite."""
