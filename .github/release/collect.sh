#!/usr/bin/env bash
# Adds to the archives of a release their checksums and the digest of the sources. An archive that is missing, or that
# nobody expects, is an error: no release is half of one.
#
#   FILES       the directory with the archives
set -euo pipefail

targets=(
    aarch64-apple-darwin
    aarch64-pc-windows-msvc
    aarch64-unknown-linux-gnu
    aarch64-unknown-linux-musl
    x86_64-apple-darwin
    x86_64-pc-windows-msvc
    x86_64-unknown-linux-gnu
    x86_64-unknown-linux-musl
)
want=$(printf 'cargo-budget-%s.tar.gz\n' "${targets[@]}")
have=$(cd "$FILES" && find . -type f | sed 's|^\./||' | LC_ALL=C sort)
if [ "$want" != "$have" ]; then
    echo "::error::these archives are missing (<), or nobody expects them (>)"
    diff <(echo "$want") <(echo "$have") || true
    exit 1
fi
(cd "$FILES" && sha256sum -- *.tar.gz >SHA256SUMS)
ACTION=. .github/action/sources.sh >"$FILES/sources.txt"
cat "$FILES/SHA256SUMS" "$FILES/sources.txt"
