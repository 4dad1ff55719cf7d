"""What `make` runs to set things up; nothing here is imported by the agent."""
