"""The pure core: values, laws and rules of the agent. It calls no clock, file, network, random or log."""
