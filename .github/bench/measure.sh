#!/usr/bin/env bash
# Measures one part of the budgets with what build.sh has packed, and keeps the record of this part. A red part is a red
# verdict of the whole, which verdict.sh gives; only a part that has no record fails here.
#
#   PACK       what build.sh wrote. It is unpacked here, in a directory of the same name; where the whole path is the same, nothing
#              is built again
#   BASE       the revision to compare with
#   ARGUMENTS  the arguments that build.sh had
#   PART       the part: 2/4
#   RECORD     the file to write
set -euo pipefail

tar --extract --preserve-permissions --directory=.. --file="$PACK"
[ -f .git/config ] || printf '[core]\n\trepositoryformatversion = 0\n' >.git/config
export PERF_BUDGET_CACHE="$PWD-base"
export PATH="$PWD/target/bench:$PATH"
began=$(date +%s)
code=0
eval "cargo budget check --base \"\$BASE\" --shard \"\$PART\" $ARGUMENTS" 2>&1 | tee "$RECORD.log" || code=$?
echo "part $PART ended with exit code $code"
# A part without its base has skipped what it was to compare. It gets no record, so that the whole is red.
if grep -q "nothing was compared with the base: " "$RECORD.log"; then
    exit 3
fi
# The record is rendered whatever came out; without one this fails, and the verdict says that the part is missing.
cargo budget report --since "$began" --format jsonl --output "$RECORD" || [ -s "$RECORD" ]
