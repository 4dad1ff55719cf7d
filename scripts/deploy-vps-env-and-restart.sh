#!/usr/bin/env bash
# Puts a file of settings into force on the VPS and restarts the agent. A file that it cannot use changes nothing.
#
#   scripts/deploy-vps-env-and-restart.sh [--env-file FILE] [--vps-host HOST] [--vps-user USER] [--vps-port PORT] [--ssh-config FILE]
#
# shellcheck source=scripts/connection.sh
. "$(dirname "${BASH_SOURCE[0]}")/connection.sh"

options 'ENV_FILE VPS_HOST VPS_USER VPS_PORT SSH_CONFIG' '' "$@"
setting ENV_FILE "$ROOT/vps/systemd/spelar-agent.env"
[[ -f $ENV_FILE ]] || die "$ENV_FILE is missing: copy vps/systemd/spelar-agent.env.example to it and edit it"
if [[ -x $ROOT/.venv/bin/spelar ]]; then "$ROOT/.venv/bin/spelar" --env-file "$ENV_FILE" check --scope settings
else echo "not checked here (no .venv); the VPS checks it before it is used"; fi
find_vps
as_root "$ENV_FILE" agent.env 'SUDO bash /opt/spelar_eu/vps/install.sh --env agent.env'
