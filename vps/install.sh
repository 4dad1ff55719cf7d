#!/usr/bin/env bash
# Puts spelar on a Debian server, or brings it up to date. Run it as root, as often as you like:
#
#   bash vps/install.sh              all of it: packages, user, directories, code, virtual environment, configuration, unit
#   bash vps/install.sh --code-only  lay out the code in /opt/spelar_eu; what runs goes on as it is
#   bash vps/install.sh --env FILE   use FILE as /etc/spelar-agent.env, if the service can use it, and restart
#
# What somebody edited stays as it is, and so does the state. Interrupted at any point, the next run finishes the work.
set -euo pipefail
umask 022

readonly CODE=/opt/spelar_eu ETC=/etc/spelar_eu ENV_FILE=/etc/spelar-agent.env STATE=/var/lib/spelar OUT_DIR=/opt/spelar_eu/web/data
readonly UNIT=spelar-agent.service SERVICE_USER=spelar COMMAND=/usr/local/bin/spelar
readonly PACKAGES=(python3 python3-venv ca-certificates)
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly SOURCE

say() { printf '%s\n' "$*"; }
die() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

# systemctl, or SPELAR_SYSTEMCTL instead of it, or where no systemd runs what it would have been told.
system() {
  if [[ -n ${SPELAR_SYSTEMCTL:-} ]]; then "$SPELAR_SYSTEMCTL" "$@"
  elif [[ -d /run/systemd/system ]]; then systemctl "$@"
  else say "would run: systemctl $*"; fi
}

# A person may start it as often as they like: the unit's limit is for what starts by itself.
restart() {
  system reset-failed "$UNIT" 2>/dev/null || true
  system restart "$UNIT"
}

# The entries of scripts/files.txt of these kinds, those that are there; what must be there and is not ends the script.
entries() {
  local kind path
  while read -r kind path; do
    [[ $kind == code && ! -e $SOURCE/$path ]] && die "$SOURCE/$path is missing: upload again"
    if [[ ( $kind == code || $kind == extra ) && -e $SOURCE/$path ]]; then say "$path"; fi
  done <"$SOURCE/scripts/files.txt"
}

require_debian() {
  local ID='' VERSION_ID=''
  [[ $EUID == 0 ]] || die "must be run as root (sudo bash $0)"
  # shellcheck source=/dev/null
  [[ ! -r /etc/os-release ]] || . /etc/os-release
  [[ $ID == debian && ${VERSION_ID:-99} -ge 12 ]] || die "needs Debian 12 or newer; this is ${ID:-unknown} ${VERSION_ID:-}"
}

install_packages() {
  local name missing=()
  for name in "${PACKAGES[@]}"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
  done
  if ((${#missing[@]})); then
    say "installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "needs Python 3.11 or newer; this is $(python3 -V)"
}

make_user() {
  id -u "$SERVICE_USER" >/dev/null 2>&1 ||
    useradd --system --user-group --home-dir "$STATE" --no-create-home --shell /usr/sbin/nologin "$SERVICE_USER"
}

make_directories() {
  install -d -o root -g root -m 0755 "$CODE" "$CODE/web" "$CODE/.venvs"
  install -d -o "$SERVICE_USER" -g "$SERVICE_USER" -m 0755 "$OUT_DIR"
  install -d -o "$SERVICE_USER" -g "$SERVICE_USER" -m 0750 "$STATE"
  install -d -o root -g "$SERVICE_USER" -m 0750 "$ETC"
  install -d -o root -g root -m 0700 "$ETC/credentials" "$ETC/credentials/kraken" "$ETC/credentials/polymarket"
}

# Complete beside the old code first, then a rename for each entry that changed. Nothing runs from here but the next install.
place_code() {
  local entry list incoming=$CODE/.incoming outgoing=$CODE/.outgoing
  [[ $SOURCE != "$CODE" ]] || return 0
  list=$(entries)
  rm -rf "$incoming" "$outgoing"
  mkdir "$incoming" "$outgoing"
  say "$list" | tar -C "$SOURCE" --exclude=__pycache__ -cf - -T - | tar -C "$incoming" --no-same-owner -xf -
  find "$incoming" -type d -exec chmod 0755 {} + -o -type f -exec chmod 0644 {} +
  while read -r entry; do
    diff -rq -x __pycache__ "$incoming/$entry" "$CODE/$entry" >/dev/null 2>&1 && continue
    mkdir -p "$CODE/$(dirname "$entry")" "$outgoing/$(dirname "$entry")"
    [[ ! -e $CODE/$entry ]] || mv -T "$CODE/$entry" "$outgoing/$entry"
    mv -T "$incoming/$entry" "$CODE/$entry"
    say "new: $CODE/$entry"
  done <<<"$list"
  rm -rf "$incoming" "$outgoing"
}

# One environment for each state of the code, complete before the link is set to it: the service never sees half of one.
build_environment() {
  local list name venv
  list=$(entries)
  name=$( (python3 -V && say "$list" | tar -C "$SOURCE" --exclude=__pycache__ --sort=name --mtime=@0 --owner=0 --group=0 \
    --mode=0 -cf - -T -) | sha256sum | cut -c 1-12)
  venv=$CODE/.venvs/$name
  if [[ ! -e $venv/complete ]]; then
    say "building $venv"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
      -r "$SOURCE/requirements.lock" -r "$SOURCE/requirements-build.lock"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-index --no-build-isolation "$SOURCE"
    "$venv/bin/spelar" --help >/dev/null
    touch "$venv/complete"
  fi
  [[ -L $CODE/.venv || ! -e $CODE/.venv ]] || mv -T "$CODE/.venv" "$CODE/.venvs/replaced"
  if [[ $(readlink "$CODE/.venv") != ".venvs/$name" ]]; then
    ln -sfn ".venvs/$name" "$CODE/.venv.new"
    mv -T "$CODE/.venv.new" "$CODE/.venv"
  fi
}

remove_old_environments() {
  find "$CODE/.venvs" -mindepth 1 -maxdepth 1 ! -name "$(basename "$(readlink "$CODE/.venv")")" -exec rm -rf {} +
}

back_up() { cp -p "$1" "$1.$(date -u +%Y%m%dT%H%M%SZ).bak"; }

# lay FILE PLACE: a copy that the service may read, whole or not at all.
lay() {
  install -o root -g "$SERVICE_USER" -m 0640 "$1" "$2.new"
  mv -T "$2.new" "$2"
}

# A new example beside the file in force, never instead of it.
place_configuration() {
  local example=$SOURCE/vps/systemd/spelar-agent.env.example
  if [[ ! -e $ENV_FILE ]]; then
    lay "$example" "$ENV_FILE"
  elif ! cmp -s "$example" "$ENV_FILE.dist"; then
    back_up "$ENV_FILE"
    say "$ENV_FILE stays as it is (with a backup); see what is new: diff $ENV_FILE $ENV_FILE.dist"
  fi
  cmp -s "$example" "$ENV_FILE.dist" || lay "$example" "$ENV_FILE.dist"
  [[ -e $ETC/market_map.json ]] || lay "$SOURCE/vps/market_map.example.json" "$ETC/market_map.json"
  guard_secrets
}

# The service's user may read them and nobody else may; the keys are root's, and systemd hands them out.
guard_secrets() {
  local file
  for file in "$ENV_FILE"* "$ETC/market_map.json" "$ETC/pm_draw_baseline.csv"; do
    [[ ! -f $file ]] || { chown "root:$SERVICE_USER" "$file" && chmod 0640 "$file"; }
  done
  find "$ETC/credentials" -type f -exec chown root:root {} + -exec chmod 0600 {} +
}

place_unit() {
  cmp -s "$SOURCE/vps/systemd/$UNIT" "/etc/systemd/system/$UNIT" ||
    install -D -m 0644 "$SOURCE/vps/systemd/$UNIT" "/etc/systemd/system/$UNIT"
  cmp -s "$SOURCE/vps/spelar" "$COMMAND" || install -D -m 0755 "$SOURCE/vps/spelar" "$COMMAND"
  system daemon-reload
  system enable --quiet "$UNIT"
}

tell_what_next() {
  say "
installed. What next:
  spelar check                             is everything as it should be?
  nano $ENV_FILE             the settings, then: systemctl restart $UNIT
  nano $ETC/market_map.json     the markets, then the same
  journalctl -u $UNIT -f      what it says"
}

install_all() {
  require_debian
  install_packages
  make_user
  make_directories
  alone
  place_code
  place_configuration
  build_environment
  place_unit
  restart || die "$UNIT does not start: journalctl -u $UNIT -n 50"
  remove_old_environments
  tell_what_next
}

code_only() {
  require_debian
  install -d -o root -g root -m 0755 "$CODE" "$CODE/web"
  alone
  place_code
  say "the code is in $CODE; what runs was not touched. To use it: bash $CODE/vps/install.sh"
}

# A file that the service cannot use never replaces one that it can.
use_env() {
  local incoming=$ENV_FILE.incoming
  require_debian
  [[ -x $CODE/.venv/bin/spelar && -e $ENV_FILE ]] || die "spelar is not installed yet: run install.sh without options first"
  alone
  rm -f "$incoming"
  install -o root -g "$SERVICE_USER" -m 0640 /dev/null "$incoming"
  sed -e '1s/^\xEF\xBB\xBF//' -e 's/\r$//' -- "$1" >"$incoming"
  (cd "$STATE" && runuser -u "$SERVICE_USER" -- "$CODE/.venv/bin/spelar" --env-file "$incoming" check --scope files) ||
    { rm -f "$incoming"; die "$1 cannot be used; $ENV_FILE stays as it was"; }
  cmp -s "$incoming" "$ENV_FILE" || back_up "$ENV_FILE"
  cp -p "$ENV_FILE" "$ENV_FILE.before"
  mv -T "$incoming" "$ENV_FILE"
  if ! restart; then
    mv -T "$ENV_FILE.before" "$ENV_FILE"
    restart || true
    die "$UNIT does not start with $1 (journalctl -u $UNIT -n 50); $ENV_FILE is again what it was"
  fi
  rm "$ENV_FILE.before"
  say "$ENV_FILE is in force"
}

# Two at once would tread on each other.
alone() {
  exec 9<"$CODE"
  flock -n 9 || die "another install.sh is at work"
}

main() {
  case ${1:-} in
    '') install_all ;;
    --code-only) code_only ;;
    --env) [[ -f ${2:-} ]] || die "--env needs a file"; use_env "$2" ;;
    *) die "unknown option $1" ;;
  esac
}

main "$@"
