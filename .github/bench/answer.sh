#!/usr/bin/env bash
# Posts the comment of a run of `bench`. What the run left was made by the code of the pull request, so it is data: it is posted
# and never executed, and its number counts only if that pull request has the commit that was run.
#
#   RESULTS    the directory with `comment.md` and `pull-request`
#   HEAD       the commit that was run, as GitHub says
set -euo pipefail

number=$(head -c 20 "$RESULTS/pull-request" | tr -d '\n')
case "$number" in
*[!0-9]* | '')
    echo "\`pull-request\` is no number; nothing is posted" >&2
    exit 2
    ;;
esac
actual=$(gh api "repos/$GITHUB_REPOSITORY/pulls/$number" --jq .head.sha)
if [ "$actual" != "$HEAD" ]; then
    echo "pull request $number is not at $HEAD; nothing is posted" >&2
    exit 2
fi
# GitHub takes 65 536 characters.
head -c 65000 "$RESULTS/comment.md" | gh pr comment "$number" --repo "$GITHUB_REPOSITORY" --body-file -
