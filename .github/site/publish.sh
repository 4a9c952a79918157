#!/usr/bin/env bash
# Records the run that was measured, brings the site up to date, and pushes both to one branch: the history and the pages.
# The branch has a single commit, so that it does not grow with each run.
#
#   BRANCH   the branch of the history and of the site; made where it does not exist
#   TITLE    the title of the pages
set -euo pipefail
# What git says is looked at.
export LC_ALL=C

root=$PWD
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
origin=$(git remote get-url origin)

git init --quiet "$place"
cd "$place"
git remote add origin "$origin"
# The token that the checkout has kept for this repository, if it kept one.
header=$(git -C "$root" config --get-regexp '^http\..*\.extraheader$' || true)
if [ -n "$header" ]; then
    git config "${header%% *}" "${header#* }"
fi
# Another run may push meanwhile. Then its history is taken, this run is added to it, and nothing of either is lost.
for attempt in 1 2 3 4 5; do
    known=
    if git fetch --quiet --depth=1 origin "+refs/heads/$BRANCH:refs/remotes/origin/$BRANCH" 2>fetch.log; then
        known=$(git rev-parse "refs/remotes/origin/$BRANCH")
        # The branch is replaced as a whole, so it has to be one that this script made.
        if ! git cat-file -e "$known:site.json" 2>/dev/null; then
            echo "the branch $BRANCH has no site.json of \`cargo budget site\`; name another branch, or delete this one" >&2
            exit 2
        fi
        git checkout --quiet --force --detach "$known"
    elif ! grep -q "couldn't find remote ref" fetch.log; then
        cat fetch.log >&2
        exit 3
    fi
    rm -f fetch.log
    export PERF_BUDGET_HISTORY="$place/history.sqlite"
    (cd "$root" && cargo budget history record)
    (cd "$root" && cargo budget site --output "$place" --title "$TITLE")
    git checkout --quiet --orphan "new-$attempt"
    git add --all -- . ':!history.sqlite-*'
    git -c user.name=perf-budget -c user.email=perf-budget@localhost commit --quiet --message "Budgets of $(git -C "$root" rev-parse HEAD)"
    # Only what was fetched is replaced: a push that somebody else made since is refused, and is fetched again.
    if git push --quiet "--force-with-lease=refs/heads/$BRANCH:$known" origin "HEAD:refs/heads/$BRANCH"; then
        exit 0
    fi
    echo "attempt $attempt: another run has pushed to $BRANCH meanwhile"
done
exit 3
