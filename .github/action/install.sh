#!/usr/bin/env bash
# Installs `cargo budget` as it is in this revision: from the cache, if action.yml found it there; else the program of
# the release that was made from the same sources; else it is built here.
#
#   ACTION      where this repository is
#   BINARIES    where the cache is kept
#   SOURCES     the digest of this revision's sources, by sources.sh
#   RELEASES    the address below which each release has its files
#   SYSTEM      the system of the runner: Linux, macOS or Windows
#   PROCESSOR   its architecture: X64 or ARM64
set -euo pipefail

# Programs for Linux are those with musl, which run on any distribution.
program=cargo-budget
case "$SYSTEM $PROCESSOR" in
"Linux X64") target=x86_64-unknown-linux-musl ;;
"Linux ARM64") target=aarch64-unknown-linux-musl ;;
"macOS X64") target=x86_64-apple-darwin ;;
"macOS ARM64") target=aarch64-apple-darwin ;;
"Windows X64") target=x86_64-pc-windows-msvc program=cargo-budget.exe ;;
"Windows ARM64") target=aarch64-pc-windows-msvc program=cargo-budget.exe ;;
*) target= ;;
esac
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$ACTION/Cargo.toml" | head -n 1)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

download() {
    curl --fail --silent --show-error --location --retry 2 --connect-timeout 10 --max-time 120 \
        --output "$place/$1" "$RELEASES/v$version/$1"
}

checksum() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# Takes the program of the release, or says why it does not. `set -e` has no effect in here, so each step is checked.
prebuilt() {
    local archive="cargo-budget-$target.tar.gz" want
    if [ -z "$target" ]; then
        echo "releases have no program for $SYSTEM on $PROCESSOR"
        return 1
    fi
    if ! download sources.txt; then
        echo "there is no release v$version to take it from"
        return 1
    fi
    if [ "$(cat "$place/sources.txt")" != "$SOURCES" ]; then
        echo "the release v$version was made from other sources than this revision"
        return 1
    fi
    download SHA256SUMS && download "$archive" || return 1
    want=$(sed -n "s/  $archive\$//p" "$place/SHA256SUMS")
    if [ -z "$want" ] || [ "$(checksum "$place/$archive")" != "$want" ]; then
        echo "::warning::$archive of the release v$version is not what its SHA256SUMS says"
        return 1
    fi
    tar -xzf "$place/$archive" -C "$place" "$program" || return 1
    if ! "$place/$program" --version; then
        echo "the program of the release does not run on this machine"
        return 1
    fi
    mkdir -p "$BINARIES/bin" && cp "$place/$program" "$BINARIES/bin/$program"
}

# Whether the cache has a program that runs here. One that was built on a newer system may want a newer C library.
cached() {
    [ -x "$BINARIES/bin/$program" ] || return 1
    "$BINARIES/bin/$program" --version && return
    echo "the program in the cache does not run on this machine"
    # Cargo would take what it installed there before to be installed.
    rm -rf "$BINARIES"
    return 1
}

if cached; then
    echo "cargo budget $version is in the cache"
elif prebuilt; then
    echo "cargo budget $version is that of the release"
else
    echo "so cargo budget $version is built"
    cargo install --locked --path "$ACTION/cargo-budget" --root "$BINARIES"
fi
echo "$BINARIES/bin" >>"$GITHUB_PATH"
