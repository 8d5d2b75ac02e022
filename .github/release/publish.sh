#!/usr/bin/env bash
# Publishes the draft of a tag, then moves the plain tags vMAJOR and vMAJOR.MINOR to its commit. They have no release, so
# that they may move where releases are immutable. A prerelease moves none.
#
# usage: publish.sh VERSION COMMIT, in a clone that may push
set -euo pipefail
# shellcheck source=.github/release/api.sh
. "$(dirname "$0")/api.sh"
# shellcheck source=.github/release/git.sh
. "$(dirname "$0")/git.sh"
version=$1 commit=$2

prerelease=false
case $version in *-*) prerelease=true ;; esac
release=$(release_of "v$version")
if [ -z "$release" ]; then
  echo "v$version has no draft; run draft.sh first" >&2
  exit 1
fi
if [ "$(jq .draft <<< "$release")" = true ]; then
  jq --null-input --argjson prerelease "$prerelease" '{ draft: false, prerelease: $prerelease }' \
    | api PATCH "/releases/$(jq .id <<< "$release")" --json @- > /dev/null
fi
if [ "$prerelease" = true ]; then
  exit 0
fi
minor=${version%.*}
git push --quiet --force origin "$commit:refs/tags/v${version%%.*}" "$commit:refs/tags/v$minor"
