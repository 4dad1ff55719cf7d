#!/usr/bin/env bash
# Uploads the code to the VPS and installs it there; settings and state stay as they are.
#
#   scripts/upload-to-vps.sh [--no-restart] [--vps-host HOST] [--vps-user USER] [--vps-port PORT] [--ssh-config FILE]
#
# --no-restart: lay out the code only; what runs goes on as it is until the next install.
# shellcheck source=scripts/connection.sh
. "$(dirname "${BASH_SOURCE[0]}")/connection.sh"

options 'VPS_HOST VPS_USER VPS_PORT SSH_CONFIG' 'NO_RESTART' "$@"
find_vps
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missing=()
for path in $(listed code); do [[ -e $ROOT/$path ]] || missing+=("$path"); done
((${#missing[@]} == 0)) || die "missing here: ${missing[*]}"
listed code extra | while read -r path; do [[ ! -e $ROOT/$path ]] || printf '%s\n' "$path"; done >"$work/paths"
tar -C "$ROOT" --exclude=__pycache__ -czf "$work/code.tgz" -T "$work/paths"
as_root "$work/code.tgz" code.tgz \
  "mkdir code && tar -xzf code.tgz -C code && SUDO bash code/vps/install.sh${NO_RESTART:+ --code-only}"
