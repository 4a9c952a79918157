#!/usr/bin/env bash
# Builds this revision and its base once, and packs them with the checkout and the command for the jobs that measure. Nothing
# is measured here.
#
#   BASE       the revision to compare with
#   ARGUMENTS  further arguments of `cargo budget check`, the same for every job; quoted as in a shell
#   PACK       the file to write
set -euo pipefail

# The base's checkout and what was built of it are below the workspace, so that they are packed with it.
export PERF_BUDGET_CACHE="$PWD/target/bench/cache"
mkdir -p target/bench/bin
cp "$(command -v cargo-budget)" target/bench/bin/
# A list of the tests needs all that a measurement needs, and measures nothing.
eval "cargo budget check --base \"\$BASE\" $ARGUMENTS -- --list"
# The times of files are kept, by which cargo knows that nothing has to be built again. No credentials are packed.
tar --create --file="$PACK" --exclude=./.git/config --exclude=./target/*/incremental .
