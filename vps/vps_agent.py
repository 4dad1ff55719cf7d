"""`python -m vps.vps_agent`: the daemon, as the systemd unit starts it."""

from entrypoints.cli import main

if __name__ == "__main__":
    main(["run"])
