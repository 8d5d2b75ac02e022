#!/usr/bin/env -S bash -p
# Finds the program of an action, verifies it, and becomes it: run.sh VERB [WORD...]
#
# From `binary-dir`, else built on request, else from the tool cache, else from the release whose version and digests lie
# beside this file: who pins the action's commit pins the program. See ../README.md.
#
# `bash -p` reads no BASH_ENV and takes no function from the environment, where an earlier step may have left them.
set -euo pipefail
unset BASH_ENV ENV CDPATH

here=${BASH_SOURCE[0]%/*}
verb=${1:?run.sh needs a verb}
words=("${@:2}")
partial=''

fail() {
  local text=$1
  [ -z "$partial" ] || rm -rf "$partial"
  text=${text//'%'/'%25'}
  text=${text//$'\r'/'%0D'}
  text=${text//$'\n'/'%0A'}
  printf '::error title=tagship::%s\n' "$text" >&2
  if [ -n "${GITHUB_OUTPUT:-}" ]; then
    # Later steps see why, as after any other failure.
    printf 'decision=error\nreason-code=no-program\n' >>"$GITHUB_OUTPUT"
  fi
  exit 3
}

trap '[ -z "$partial" ] || rm -rf "$partial"' EXIT

escape="set \`binary-dir\` to a directory with the programs, or \`build: source\` to build them with cargo"
exe=''
[ "${RUNNER_OS:-$(uname -s)}" != Windows ] || exe='.exe'

# Paths of a Windows runner, as this shell takes them.
native() {
  if [ -n "$exe" ] && command -v cygpath >/dev/null; then cygpath -u "$1"; else printf '%s\n' "$1"; fi
}

# Becomes the program in a directory: the small one of the verb, else `tagship VERB`. No script that it starts finds
# functions of another shell either.
become() {
  local command=("$1/tagship-$verb$exe") line forget=()
  if [ ! -x "${command[0]}" ]; then command=("$1/tagship$exe" "$verb"); fi
  if [ ! -x "${command[0]}" ]; then
    fail "$1 holds neither tagship-$verb$exe nor tagship$exe; unpack the archive of a release there"
  fi
  # Where the kernel tells the environment, no process is started for it.
  if [ -r /proc/self/environ ]; then
    while IFS= read -r -d '' line; do
      case $line in BASH_FUNC_*=*) forget+=(-u "${line%%=*}") ;; esac
    done </proc/self/environ
  else
    while IFS= read -r line; do
      case $line in BASH_FUNC_*=*) forget+=(-u "${line%%=*}") ;; esac
    done < <(env)
  fi
  # Older shells call an empty list unset.
  command+=(${words[@]+"${words[@]}"})
  if [ ${#forget[@]} -gt 0 ]; then command=(env "${forget[@]}" "${command[@]}"); fi
  exec "${command[@]}"
}

target() {
  local os=${RUNNER_OS:-$(uname -s)} arch=${RUNNER_ARCH:-$(uname -m)}
  case $os/$arch in
    Linux/X64 | Linux/x86_64) echo x86_64-unknown-linux-gnu ;;
    Linux/ARM64 | Linux/aarch64) echo aarch64-unknown-linux-gnu ;;
    macOS/X64 | Darwin/x86_64) echo x86_64-apple-darwin ;;
    macOS/ARM64 | Darwin/arm64) echo aarch64-apple-darwin ;;
    Windows/X64) echo x86_64-pc-windows-msvc ;;
    *) fail "there is no tagship for $os on $arch; $escape" ;;
  esac
}

digest_of() {
  local line
  if command -v sha256sum >/dev/null; then line=$(sha256sum <"$1") || return 1; else line=$(shasum -a 256 <"$1") || return 1; fi
  printf '%s\n' "${line%% *}"
}

# Builds from the action's own checkout, on request only.
build() {
  command -v cargo >/dev/null || fail 'build: source needs cargo on the PATH; install Rust in an earlier step'
  local directory
  directory=$(native "${RUNNER_TEMP:-${TMPDIR:-/tmp}}")/tagship-build
  (cd "$here/../.." && CARGO_TARGET_DIR=$directory cargo build --locked --release --package tagship --bins) >&2 ||
    fail 'build: source failed; the log above says why'
  become "$directory/release"
}

# Writes what an address answers to a file, and prints the HTTP status.
download() {
  curl --proto "$protocols" --proto-redir "$protocols" --fail --location --silent --show-error \
    --retry 4 --retry-connrefused --retry-max-time 120 --connect-timeout 20 --max-time 600 \
    --write-out '%{http_code}' --output "$2" -- "$1"
}

if [ -n "${TAGSHIP_BINARY_DIR:-}" ]; then
  if [ -n "$exe" ]; then TAGSHIP_BINARY_DIR=$(native "$TAGSHIP_BINARY_DIR"); fi
  become "$TAGSHIP_BINARY_DIR"
fi
case ${TAGSHIP_BUILD:-} in
  '') ;;
  source) build ;;
  *) fail "input build: \"$TAGSHIP_BUILD\" is unknown; write source, or leave it out" ;;
esac

if [ ! -f "$here/version" ] || [ ! -f "$here/checksums.txt" ]; then
  fail "this ref of the action belongs to no release; use a version like @v1, or $escape"
fi
version=$(tr -d '[:space:]' <"$here/version")
target=$(target) || exit 3
archive=tagship-$version-$target.tar.gz
expected=''
while read -r digest name; do
  if [ "${name#\*}" = "$archive" ]; then expected=$digest; fi
done <"$here/checksums.txt"
if ! [[ $expected =~ ^[0-9a-f]{64}$ ]]; then
  fail "checksums.txt has no digest for $archive, and nothing unverified is run; $escape"
fi

cache=$(native "${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:-${TMPDIR:-/tmp}}}")/tagship/$version-${expected:0:12}/$target
[ ! -f "$cache/.complete" ] || become "$cache"

base=${TAGSHIP_DOWNLOAD_BASE:-https://github.com/tagship/tagship/releases/download}
# Plain HTTP and files are for mirrors; whatever they answer, the digest decides.
case $base in
  https://*) protocols='=https' ;;
  http://*) protocols='=http,https' ;;
  file://*) protocols='=file' ;;
  *) fail "input download-base: \"$base\" is no address; it begins with https://, http:// or file://" ;;
esac
address=${base%/}/v$version/$archive
command -v curl >/dev/null || fail "downloading $archive needs curl on the PATH; $escape"
mkdir -p "${cache%/*}" || fail "write ${cache%/*} failed; the tool cache must be writable"
partial=$(mktemp -d "${cache%/*}/.partial-XXXXXX") ||
  fail "make a directory in ${cache%/*} failed; the tool cache must be writable and have room"
if ! status=$(download "$address" "$partial/archive"); then
  if [ "$protocols" = '=file' ] && [ ! -e "${address#file://}" ]; then status=404; fi
  case $status in
    404) fail "$address does not exist (404); the release may still be in the making; $escape" ;;
    *) fail "download $address: failed (HTTP status $status; what curl said stands above); $escape" ;;
  esac
fi
actual=$(digest_of "$partial/archive") || fail "read the digest of $archive failed; it needs sha256sum or shasum"
if [ "$actual" != "$expected" ]; then
  fail "$address has the sha256 digest $actual instead of $expected; it is not run, and was deleted"
fi
mkdir "$partial/programs" || fail "write $partial failed; the tool cache must have room"
tar -xzf "$partial/archive" -C "$partial/programs" || fail "unpack $archive failed; what tar said stands above"
: >"$partial/programs/.complete" || fail "write $partial failed; the tool cache must have room"
# Of two steps that come at once, one is first, with the same bytes.
if [ ! -e "$cache" ] && mv "$partial/programs" "$cache" 2>/dev/null; then :; fi
if [ ! -f "$cache/.complete" ]; then
  rm -rf "$cache"
  mv "$partial/programs" "$cache" || fail "write $cache failed"
fi
rm -rf "$partial"
partial=''
become "$cache"
