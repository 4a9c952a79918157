#!/usr/bin/env bash
# Installs `cargo budget` as it is in this revision, unless action.yml found it in the cache.
#
#   ACTION      where this repository is
#   BINARIES    where the cache is kept
set -euo pipefail

if [ ! -x "$BINARIES/bin/cargo-budget" ] && [ ! -x "$BINARIES/bin/cargo-budget.exe" ]; then
    cargo install --locked --path "$ACTION/cargo-budget" --root "$BINARIES"
fi
echo "$BINARIES/bin" >>"$GITHUB_PATH"
