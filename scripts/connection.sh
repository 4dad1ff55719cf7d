# shellcheck shell=bash
# Sourced by the scripts beside it: their options, where the VPS is, and how it is spoken to. connection.ps1 is the same for Windows.
set -euo pipefail
SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$SCRIPTS")
STAGE=.spelar-upload
# shellcheck disable=SC2034  # ROOT is for those who source this
readonly SCRIPTS ROOT STAGE
export COPYFILE_DISABLE=1 # macOS' tar would add files of its own

die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# options "NAMES THAT TAKE A VALUE" "SWITCHES" ARGUMENTS..: `--vps-host X` sets VPS_HOST=X, `--no-restart` sets NO_RESTART=1.
options() {
  local valued=" $1 " switches=" $2 " name
  for name in $1 $2; do printf -v "$name" %s ''; done
  shift 2
  while (($#)); do
    name=$(tr 'a-z-' 'A-Z_' <<<"${1#--}")
    if [[ $1 == --* && $switches == *" $name "* ]]; then printf -v "$name" %s 1; shift
    elif [[ $1 == --* && $valued == *" $name "* && $# -ge 2 ]]; then printf -v "$name" %s "$2"; shift 2
    else die "unknown option, or one without its value: $1"; fi
  done
}

# setting NAME [DEFAULT]: the option, else vps.local.env, else the default, else what a person answers.
setting() {
  local name=$1 key value
  [[ -z ${!name} ]] || return 0
  if [[ -f $SCRIPTS/vps.local.env ]]; then
    while IFS='=' read -r key value || [[ -n $key ]]; do
      [[ $key != "$name" ]] || printf -v "$name" %s "${value%$'\r'}"
    done <"$SCRIPTS/vps.local.env"
  fi
  [[ -n ${!name} || $# -lt 2 ]] || printf -v "$name" %s "$2"
  [[ -n ${!name} || $# -eq 2 ]] || { [[ ! -t 0 ]] || read -rp "$name: " "${name?}"; }
  [[ -n ${!name} || $# -eq 2 ]] || die "$name is needed: --$(tr 'A-Z_' 'a-z-' <<<"$name"), or scripts/vps.local.env (see its .example)"
}

listed() { # listed KIND..: the paths of these kinds in files.txt, in its order
  local kind path
  while read -r kind path; do
    if [[ " $* " == *" $kind "* ]]; then printf '%s\n' "$path"; fi
  done <"$SCRIPTS/files.txt"
}

# Who is at the other end must prove it: the first time, a person compares the key.
readonly ADVICE="
No connection. If the host's key is not known or has changed (see above), get it from somebody who can tell, such as the
provider's console:   ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
compare it with       ssh-keyscan -t ed25519 -p PORT HOST | ssh-keygen -lf -
and when they are equal   ssh-keyscan -t ed25519 -p PORT HOST >> ~/.ssh/known_hosts
If the login is refused: ssh-add FILE lends your key, and the server must know it (~/.ssh/authorized_keys)."

tell_how() { # run a program of ssh's; say what helps when there is no connection
  local code=0
  "$@" || code=$?
  [[ $code != 255 ]] || printf '%s\n' "$ADVICE" >&2
  return "$code"
}

secure() { # the options of ssh, scp and sftp alike
  SECURE=(-o BatchMode=yes -o StrictHostKeyChecking=yes)
  setting SSH_CONFIG ''
  [[ -z $SSH_CONFIG ]] || SECURE=(-F "$SSH_CONFIG" "${SECURE[@]}")
}

find_vps() {
  setting VPS_HOST
  setting VPS_USER
  setting VPS_PORT 22
  secure
}

on_vps() { tell_how ssh "${SECURE[@]}" -p "$VPS_PORT" "$VPS_USER@$VPS_HOST" "$1"; }

# as_root FILE NAME COMMAND: send FILE to a directory of one's own, run COMMAND as root there, remove the directory.
as_root() {
  local sudo='' code=0
  [[ $VPS_USER == root ]] || sudo='sudo '
  on_vps "umask 077 && rm -rf $STAGE && mkdir $STAGE"
  tell_how scp -q "${SECURE[@]}" -P "$VPS_PORT" "$1" "$VPS_USER@$VPS_HOST:$STAGE/$2"
  on_vps "cd $STAGE && ${3//SUDO /$sudo}; code=\$?; cd && ${sudo}rm -rf $STAGE; exit \$code" || code=$?
  return "$code"
}
