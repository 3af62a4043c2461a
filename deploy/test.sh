#!/usr/bin/env bash
# The one test command: deploy/test.sh [go|web|services|desktop|android|lab]...
# Without a stage it runs all of them. It installs what a fresh Debian machine lacks.
set -euo pipefail
cd "$(dirname "$0")/.."

golangci_version=v2.15.0
export PATH="$PATH:$(go env GOPATH)/bin"
export DEBIAN_FRONTEND=noninteractive

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

# need COMMAND=PACKAGE...: installs the Debian packages whose command is missing.
need() {
  local missing=() pair
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "install ${missing[*]}"
  local sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# need_promtool: takes promtool out of Debian's package prometheus, which is not installed,
# since it would start a daemon.
need_promtool() {
  command -v promtool >/dev/null && return
  local cache="${XDG_CACHE_HOME:-$HOME/.cache}/fieldphone-test"
  if [ ! -x "$cache/promtool" ]; then
    say "fetch promtool"
    local dir
    dir=$(mktemp -d)
    chmod 755 "$dir"
    apt-get update -qq 2>/dev/null || sudo apt-get update -qq
    (cd "$dir" && apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb .)
    mkdir -p "$cache"
    mv "$dir/usr/bin/promtool" "$cache/promtool"
    rm -r "$dir"
  fi
  export PATH="$PATH:$cache"
}

stage_go() {
  need ip=iproute2
  say "go: lint"
  if [ "$(golangci-lint version --short 2>/dev/null)" != "${golangci_version#v}" ]; then
    go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$golangci_version"
  fi
  golangci-lint run --allow-parallel-runners ./...
  golangci-lint run --allow-parallel-runners --build-tags services ./rtc/presence/... ./httpapi/sqlstore/... ./httpapi/firewall ./turnsrv/... ./cmd/fieldphone/...
  golangci-lint run --allow-parallel-runners --build-tags desktop ./cmd/fieldphone/...
  go mod tidy -diff
  say "go: vet, also for the other systems"
  go vet ./...
  GOOS=darwin GOARCH=arm64 go vet ./...
  GOOS=windows GOARCH=amd64 go vet ./...
  GOOS=linux GOARCH=arm64 go build -o /dev/null ./cmd/fieldphone
  say "go: test"
  go test -race -timeout 20m ./...
}

stage_web() {
  need node=nodejs npm=npm
  say "web: install, check, test, build"
  (cd web && npm ci --no-audit --no-fund --loglevel=error && npm run lint && npm test && npm run build)
  local changed
  changed=$(git status --porcelain -- web/dist)
  if [ -n "$changed" ]; then
    printf 'web/dist does not match its sources; commit the new build:\n%s\n' "$changed"
    return 1
  fi
}

stage_services() {
  need redis-server=redis-server mariadbd=mariadb-server turnutils_uclient=coturn
  need_promtool
  need nft=nftables iptables=iptables ip=iproute2 perl=perl unshare=util-linux
  say "services: presence on Redis, accounts on MariaDB, metrics and alerts as Prometheus reads them, firewalls"
  go test -race -timeout 10m -tags services ./rtc/presence/... ./httpapi/sqlstore/... ./httpapi/firewall
  go test -race -timeout 10m -tags services -run 'Promtool|KilledMariaDB' ./cmd/fieldphone
  say "services: the kernel path's object is what its source gives"
  need clang=clang llvm-strip=llvm
  [ -e /usr/include/bpf/bpf_helpers.h ] || need bpf_helpers.h=libbpf-dev
  local object
  object=$(mktemp)
  turnsrv/relay/generate.sh "$object"
  cmp "$object" turnsrv/relay/tcpath_bpfel.o
  rm "$object"
  say "services: the relay on each of its paths, also with coturn's clients"
  go test -race -timeout 10m -tags services -parallel 6 -run Foreign ./turnsrv
  go test -timeout 10m -tags services -parallel 6 -skip PathsAgree ./turnsrv -path kernel
  go test -timeout 10m -skip PathsAgree ./turnsrv -path plain
}

stage_desktop() {
  need node=nodejs npm=npm chromium=chromium xvfb-run=xvfb xauth=xauth openssl=openssl
  say "desktop: fieldphone open in a real Chromium, the Electron and Cordova shells"
  xvfb-run -a go test -race -timeout 5m -tags desktop -run Chromium ./cmd/fieldphone
  (cd deploy/electron && npm test)
  (cd deploy/cordova && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error && npm test)
}

stage_android() {
  say "android: build the app twice, check it, test its logic"
  deploy/android/test.sh
}

stage_lab() {
  need node=nodejs npm=npm chromium=chromium firefox-esr=firefox-esr ip=iproute2 bridge=iproute2 ethtool=ethtool sysctl=procps nft=nftables conntrack=conntrack certutil=libnss3-tools turnutils_uclient=coturn
  say "lab: real browsers on several subnets"
  deploy/lab/run.sh
}

stages=("$@")
[ ${#stages[@]} -gt 0 ] || stages=(go web services desktop android lab)
for stage in "${stages[@]}"; do
  case "$stage" in
    go | web | services | desktop | android | lab) ;;
    *)
      echo "usage: deploy/test.sh [go|web|services|desktop|android|lab]..." >&2
      exit 2
      ;;
  esac
done
began=$SECONDS
for stage in "${stages[@]}"; do
  at=$SECONDS
  "stage_$stage"
  say "$stage passed in $((SECONDS - at)) s"
done
say "all passed in $((SECONDS - began)) s"
