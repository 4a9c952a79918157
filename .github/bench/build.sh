#!/usr/bin/env bash
# Builds this revision and its base once, and packs them with the checkout and the command for the jobs that measure. Nothing
# is measured here.
#
#   BASE       the revision to compare with
#   ARGUMENTS  further arguments of `cargo budget check`, the same for every job; quoted as in a shell
#   PACK       the file to write
set -euo pipefail

# The base's checkout is beside this one, since it must not be in this repository; it is packed with it.
export PERF_BUDGET_CACHE="$PWD-base"
mkdir -p target/bench
cp "$(command -v cargo-budget)" target/bench/
eval "cargo budget check --base \"\$BASE\" --no-run $ARGUMENTS"
# The times of files are kept, by which cargo knows that nothing has to be built again. No credentials are packed.
here=$(basename "$PWD")
tar --create --file="$PACK" --directory=.. --exclude="$here/.git/config" --exclude="$here/target/*/incremental" \
    "$here" "$here-base"
