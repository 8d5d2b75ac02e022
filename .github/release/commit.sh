#!/usr/bin/env bash
# The commit that users of the actions get: main's files and, beside the installer, the version and the checksums of its
# archives. Whoever pins that commit pins the programs.
#
# usage: commit.sh VERSION ARCHIVES, in a clone of main that may push; prints the commit
#
# It goes onto the branch releases/vMAJOR, whose history has every released commit, and gets the tag vVERSION. A version
# that is tagged already is left as it is, and refused where its archives are others.
set -euo pipefail
# shellcheck source=.github/release/git.sh
. "$(dirname "$0")/git.sh"
version=$1 archives=$2
branch=releases/v${version%%.*}

checksums=$(cd "$archives" && sha256sum -- *.tar.gz)
git fetch --quiet origin "+refs/tags/v$version:refs/tags/v$version" 2> /dev/null || true
if commit=$(git rev-parse --quiet --verify "refs/tags/v$version^{commit}"); then
  if [ "$(git show "$commit:actions/_run/checksums.txt")" != "$checksums" ]; then
    echo "v$version is tagged with other archives; raise the version" >&2
    exit 1
  fi
  echo "$commit"
  exit 0
fi

parents=(-p HEAD)
if git fetch --quiet origin "+refs/heads/$branch:refs/remotes/origin/$branch" 2> /dev/null; then
  parents=(-p "refs/remotes/origin/$branch" -p HEAD)
fi
# An index of its own: the clone stays as it is.
index=$(mktemp -d)
trap 'rm -rf "$index"' EXIT
export GIT_INDEX_FILE=$index/index
git read-tree HEAD
add() {
  blob=$(printf '%s\n' "$2" | git hash-object -w --stdin)
  git update-index --add --cacheinfo "100644,$blob,actions/_run/$1"
}
add version "$version"
add checksums.txt "$checksums"
commit=$(git commit-tree "${parents[@]}" -m "Release $version" "$(git write-tree)")
git tag --annotate --message "Tagship $version" "v$version" "$commit"
git push --quiet --atomic origin "$commit:refs/heads/$branch" "refs/tags/v$version"
echo "$commit"
