#!/usr/bin/env bash
# Prints the digest of what `cargo budget` is built from. A release publishes the digest of its own sources, so that its
# program is only taken for the same sources.
#
#   ACTION      where this repository is
set -euo pipefail
cd "$ACTION"

files=$(find Cargo.toml Cargo.lock core src cargo-budget -type f | LC_ALL=C sort)
{
    printf '%s\n' "$files"
    printf '%s\n' "$files" | tr '\n' '\0' | xargs -0 cat
} | git hash-object --stdin
