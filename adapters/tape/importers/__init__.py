"""Other people's recordings as frames of the venues' answers, which the real adapters then read like any answer."""
