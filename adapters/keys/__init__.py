"""API keys, for `spelar check-keys` alone: where they lie, how they sign, and what each may do. The daemon reads none."""
