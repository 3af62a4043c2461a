#!/usr/bin/env bash
# Compiles the kernel path. The object is committed, so that nobody needs clang to
# build; the tests compare it with its source. Debian 12's clang 14 made it.
set -euo pipefail
cd "$(dirname "$0")"
clang -O2 -g -target bpfel -mcpu=v3 -Wall -Werror -I"/usr/include/$(uname -m)-linux-gnu" \
  -fdebug-prefix-map="$PWD"=. -c tcpath.c -o "${1:-tcpath_bpfel.o}"
llvm-strip -g "${1:-tcpath_bpfel.o}"
