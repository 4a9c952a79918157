#!/usr/bin/env bash
# Packs the program for one target, by the name and in the form that `cargo binstall` and taiki-e/install-action expect:
# the program is at the root of the archive.
#
#   TARGET      the target that it was built for
#   PROGRAM     the program
#   OUTPUT      the directory for the archive
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp "$PROGRAM" LICENSE-APACHE LICENSE-MIT cargo-budget/README.md "$place"
mkdir -p "$OUTPUT"
tar -czf "$OUTPUT/cargo-budget-$TARGET.tar.gz" -C "$place" \
    "$(basename "$PROGRAM")" LICENSE-APACHE LICENSE-MIT README.md
