#!/usr/bin/env bash
# Fetches the published files from the VPS, for the page in web/; with --deploy-portal, puts page and files on a web host.
#
#   scripts/sync-vps-stats.sh [--deploy-portal] [--out-dir DIR] [--local-dir DIR] [--vps-host HOST] [--vps-user USER]
#       [--vps-port PORT] [--portal-host HOST] [--portal-user USER] [--portal-port PORT] [--portal-path DIR] [--ssh-config FILE]
#
# shellcheck source=scripts/connection.sh
. "$(dirname "${BASH_SOURCE[0]}")/connection.sh"

options 'OUT_DIR LOCAL_DIR VPS_HOST VPS_USER VPS_PORT PORTAL_HOST PORTAL_USER PORTAL_PORT PORTAL_PATH SSH_CONFIG' \
  'DEPLOY_PORTAL' "$@"
setting OUT_DIR /opt/spelar_eu/web/data
setting LOCAL_DIR "$ROOT/web/data"
find_vps
mkdir -p "$LOCAL_DIR"
LOCAL_DIR=$(cd "$LOCAL_DIR" && pwd)
work=$(mktemp -d "$LOCAL_DIR/.fetched-XXXXXX")
trap 'rm -rf "$work"' EXIT

# A file that is not there yet is said, and is no failure; each is complete before it takes its place.
{ printf 'cd "%s"\n' "$OUT_DIR"; listed output | sed 's/.*/-get "&"/'; } >"$work/batch"
(cd "$work" && tell_how sftp "${SECURE[@]}" -P "$VPS_PORT" -b batch "$VPS_USER@$VPS_HOST" >/dev/null)
fetched=0
for name in $(listed output); do
  [[ -f $work/$name ]] || continue
  mv "$work/$name" "$LOCAL_DIR/$name"
  fetched=$((fetched + 1))
done
((fetched)) || die "no published file in $OUT_DIR: does the agent run?"
echo "$fetched files in $LOCAL_DIR"
[[ -n $DEPLOY_PORTAL ]] || exit 0

setting PORTAL_HOST
setting PORTAL_USER
setting PORTAL_PORT 22
setting PORTAL_PATH
mkdir "$work/page" "$work/page/data"
for name in $(listed output); do [[ ! -f $LOCAL_DIR/$name ]] || cp "$LOCAL_DIR/$name" "$work/page/data/"; done
for path in $(listed code extra); do [[ $path != web/* || ! -e $ROOT/$path ]] || cp -R "$ROOT/$path" "$work/page/"; done
cd "$work/page"
{ printf 'cd "%s"\n' "$PORTAL_PATH"; for name in *; do printf 'put -r "%s"\n' "$name"; done; } >../batch
tell_how sftp "${SECURE[@]}" -P "$PORTAL_PORT" -b ../batch "$PORTAL_USER@$PORTAL_HOST" >/dev/null
echo "the page is in $PORTAL_PATH on $PORTAL_HOST"
