#!/usr/bin/env bash
# Says what is missing before this revision can be released: all of it, before anything is built.
#
#   TAG         the tag that is to be released, such as v0.1.0; nothing where the release is only tried
#   REPOSITORY  the address of this repository
set -euo pipefail

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
if [ -z "$TAG" ]; then
    echo "nothing is released: cargo budget $version is built and packed"
    exit 0
fi
missing=0
needs() {
    echo "::error::$1"
    missing=1
}
[ "$TAG" = "v$version" ] || needs "the tag is $TAG, and Cargo.toml has the version $version: tag v$version"
grep -q "^## \[$version\] - [0-9]" CHANGELOG.md ||
    needs "CHANGELOG.md has no day for $version: write \`## [$version] - YYYY-MM-DD\`"
# `cargo binstall` finds the files of a release by this line.
grep -q "^repository = \"$REPOSITORY\"$" Cargo.toml ||
    needs "[workspace.package] of Cargo.toml does not have \`repository = \"$REPOSITORY\"\`"
grep -q '^repository.workspace = true$' cargo-budget/Cargo.toml ||
    needs "[package] of cargo-budget/Cargo.toml does not have \`repository.workspace = true\`"
exit "$missing"
