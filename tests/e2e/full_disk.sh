#!/bin/sh
# Every verb that writes, on a file system that is really full, then on one that is read-only.
#
# usage: full_disk.sh TAGSHIP FIXTURES DIRECTORY, as the superuser of a mount namespace of its own
set -eu
tagship=$1 fixtures=$2/models/churn/v1 directory=$3
export TOKEN=a-token-of-this-script GIT_TERMINAL_PROMPT=0 LC_ALL=C
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com

mkdir -p "$directory/disk"
mount -t tmpfs -o size=8m tmpfs "$directory/disk"
git init --quiet --bare --initial-branch main "$directory/origin.git"
git clone --quiet "$directory/origin.git" "$directory/disk/clone" 2>/dev/null
cd "$directory/disk/clone"
mkdir -p models reports
cp "$fixtures/model.onnx" models/
cp "$fixtures/reports/junit.xml" "$fixtures/metrics.json" reports/
printf '.tagship/\n' > .gitignore
cat > tagship.yml <<'YAML'
version: 1
models:
  churn:
    artifact: models/model.onnx
    reports: { junit: ["reports/*.xml"], metrics: reports/metrics.json }
    gate: { rules: [{ name: floor, expr: metrics.accuracy >= 0.5 }] }
    environments:
      production:
        target: { local: { url: "http://127.0.0.1:9", admin-url: "http://127.0.0.1:9", token-env: TOKEN } }
YAML
git add --all
git commit --quiet --message 'Add the model'
git push --quiet origin HEAD:main
mkdir -p .tagship/forge/pull-requests
printf '{"head":"%s"}' "$(git rev-parse HEAD)" > .tagship/forge/pull-requests/7.json

fail() { printf 'full_disk: %s\n' "$1" >&2; [ ! -s "$directory/said" ] || cat "$directory/said" >&2; exit 1; }

# runs CODE VERB...: the verb ends with that code.
runs() {
  wanted=$1; shift
  code=0; "$tagship" "$@" > "$directory/said" 2>&1 || code=$?
  [ "$code" = "$wanted" ] || fail "tagship $* ended with $code, not $wanted"
}

state() { find . -type f ! -path './ballast' -exec cksum {} + | sort; git -C "$directory/origin.git" for-each-ref; }

# refuses WORDS REMEDY VERB...: the verb ends with 3, says both, and changes nothing here or at the origin.
refuses() {
  words=$1 remedy=$2; shift 2
  state > "$directory/before"
  runs 3 "$@"
  grep -q "$words" "$directory/said" || fail "tagship $* does not say: $words"
  grep -q "$remedy" "$directory/said" || fail "tagship $* does not say what to do: $remedy"
  state > "$directory/after"
  cmp -s "$directory/before" "$directory/after" || { diff "$directory/before" "$directory/after" >&2 || true; fail "tagship $* left something"; }
  printf 'ok: %s: tagship %s\n' "$words" "$*"
}

# A write ends in the middle where a few bytes are left, so the ballast takes all of them.
full() {
  dd if=/dev/zero of=ballast bs=4096 2>/dev/null || true
  refuses 'No space left on device' 'free some space' "$@"
  rm ballast
}

for verb in validate gate release; do full "$verb"; runs 0 "$verb"; done
full comment; runs 0 comment
full pull churn@v0.1.0 --output out; runs 0 pull churn@v0.1.0 --output out
cmp -s out/model.onnx models/model.onnx || fail 'pulled other bytes'
# Nothing answers at the target, so the rollout stays under way.
full rollout --once; runs 6 rollout --once

mount -o remount,ro "$directory/disk"
for verb in validate comment; do refuses 'Read-only file system' 'writable' "$verb"; done
refuses 'Read-only file system' 'writable' pull churn@v0.1.0 --output other
refuses 'Read-only file system' 'writable' rollout --once
