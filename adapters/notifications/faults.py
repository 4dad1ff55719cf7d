"""What can be wrong with who is to be told."""


class AddressesInvalid(Exception):
    """Nobody can be told at one of the addresses in NOTIFY_URLS; the text says which, and quotes none."""
