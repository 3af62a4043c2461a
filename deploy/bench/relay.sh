#!/usr/bin/env bash
# Measures the relay on each of its paths beside pion/turn as it comes and Debian's coturn, and
# writes the figures into turnsrv/relay/BENCHMARKS.md: deploy/bench/relay.sh [flags of bench relay]
# It takes root (network namespaces) and a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/../.."

file=turnsrv/relay/BENCHMARKS.md
command -v turnserver >/dev/null || apt-get install -y -qq --no-install-recommends coturn >/dev/null
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
go build -o "$work/fieldphone" ./cmd/fieldphone

{
  arguments=$*
  printf 'Measured %s with `deploy/bench/relay.sh %s`.\n' "$(date -u +%Y-%m-%d)" "$arguments"
  # A case has processes of its own, so that none inherits another's memory.
  for case in saturated 30k latency pairs trains tcp allocations storm; do
    # pion/turn takes ports at random, and finds none for a second storm.
    [ "$case" != storm ] || set -- "$@" --rounds 1
    "$work/fieldphone" bench relay --case "$case" --json "$work/$case.json" "$@" >"$work/$case.txt"
    [ "$case" != saturated ] || printf 'Machine: %s; coturn %s.\n' \
      "$(sed -n 's/^ *"machine": "\(.*\)",$/\1/p' "$work/$case.json" | head -1)" "$(turnserver --version | tail -1)"
    printf '\n```\n'
    sed 's/ *$//' "$work/$case.txt" | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
    printf '```\n'
  done
} >"$work/figures.md"

awk -v figures="$work/figures.md" '
  /^<!-- figures/ { print; while ((getline line < figures) > 0) print line; skip = 1 }
  /^<!-- end/ { skip = 0 }
  !skip { print }
' "$file" >"$work/new.md"
cp "$work/new.md" "$file"
