#!/bin/sh
# The lab: real browsers calling each other across a network made of namespaces.
# ./run.sh help tells what it can do; README.md tells more.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
repository=$here/../..
command=${1:-run}

missing=
for tool in ip nft bridge ethtool sysctl node npm go certutil turnutils_uclient; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
for browser in "${CHROMIUM:-chromium}" "${FIREFOX:-firefox-esr}"; do
  command -v "$browser" >/dev/null || missing="$missing $browser"
done
if [ -n "$missing" ]; then
  echo "lab: missing:$missing (Debian: apt install iproute2 ethtool nftables procps nodejs npm golang libnss3-tools coturn chromium firefox-esr)" >&2
  exit 1
fi

if [ ! "$here/node_modules/.package-lock.json" -nt "$here/package-lock.json" ]; then
  (cd "$here" && npm ci --silent)
  touch "$here/node_modules/.package-lock.json"
fi

if [ "$(id -u)" -eq 0 ]; then
  exec node "$here/run.mjs" "$@"
fi

# Not root: everything happens in a user namespace of our own, and ends with it.
case $command in
in | direct)
  for lab in "${TMPDIR:-/tmp}"/fplab*; do
    [ -O "$lab" ] || continue
    pid=${lab##*/fplab}
    # shellcheck disable=SC2016 # the inner shell expands these
    exec nsenter --target "${pid%%-*}" --user --mount --preserve-credentials \
      sh -c 'cd "$0" && exec node "$@"' "$PWD" "$here/run.mjs" "$@"
  done
  ;;
esac
go -C "$repository" mod download
# ip netns wants to write below /run; what is there is hidden, nothing of it is changed.
# shellcheck disable=SC2016 # the inner shell expands these
exec unshare --user --map-root-user --net --mount sh -c \
  'mount -t tmpfs lab /run && exec node "$0" "$@"' "$here/run.mjs" "$@"
