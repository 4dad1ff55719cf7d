"""Adapters: what turns the outside world into the domain's values, and back."""
