#!/usr/bin/env bash
# Says what is missing before this revision can be released: all of it, before anything is built.
#
#   TAG         the tag that is to be released, such as v0.1.0; nothing where the release is only tried, and then what is missing
#               is no error yet
#   REPOSITORY  the address of this repository
set -euo pipefail

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
level=error
missing=0
needs() {
    echo "::$level::$1"
    missing=1
}
if [ -z "$TAG" ]; then
    echo "nothing is released: cargo budget $version is built and packed"
    level=notice
else
    [ "$TAG" = "v$version" ] || needs "the tag is $TAG, and Cargo.toml has the version $version: tag v$version"
fi
grep -q "^## \[$version\] - [0-9]" CHANGELOG.md ||
    needs "CHANGELOG.md has no day for $version: write \`## [$version] - YYYY-MM-DD\`"
# `cargo binstall` finds the files of a release by this line, and crates.io links to it from each package.
grep -q "^repository = \"$REPOSITORY\"$" Cargo.toml ||
    needs "[workspace.package] of Cargo.toml does not have \`repository = \"$REPOSITORY\"\`"
# Each package that is published, also those that are not members of the workspace and inherit nothing of it.
manifests=$(find . -name target -prune -o -name .git -prune -o -name Cargo.toml -print | sed 's|^\./||' | LC_ALL=C sort)
while IFS= read -r manifest; do
    grep -q '^\[package\]$' "$manifest" || continue
    ! grep -q '^publish = false$' "$manifest" || continue
    want="repository = \"$REPOSITORY\""
    if [ "$manifest" = Cargo.toml ] || grep -q '^[a-z-]*\.workspace = true$' "$manifest"; then
        want="repository.workspace = true"
    fi
    grep -qxF "$want" "$manifest" || needs "[package] of $manifest does not have \`$want\`"
done <<<"$manifests"
[ "$level" = notice ] || exit "$missing"
