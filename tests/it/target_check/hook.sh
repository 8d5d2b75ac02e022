#!/bin/sh
# A program that serves nothing and remembers everything, in files beside it. Its first argument names one rule that it
# breaks; with none it keeps all. Only what a shell has built in, and mkdir, mkfifo, mv, rm.
fault=$1
cd "${0%/*}" || exit 1
IFS= read -r ask

# The text of a member, and a number.
text() { case $ask in *"\"$1\":\""*) value=${ask#*"\"$1\":\""}; echo "${value%%\"*}" ;; esac; }
number() { case $ask in *"\"$1\":"*) value=${ask#*"\"$1\":"}; echo "${value%%[,\}]*}" ;; esac; }
has() { case $ask in *"$1"*) return 0 ;; esac; return 1; }
# Takes a while.
work() { turns=0; while [ $turns -lt 100000 ]; do turns=$((turns + 1)); done; }
put() { echo "$2" > "$1.$$.new" && mv "$1.$$.new" "$1"; }
refuse() { echo "{\"message\": \"$2\"}"; exit "$1"; }

verb=$(text verb) model=$(text model) version=$(text version) fence=$(number fence)
[ "$fault" = other-models ] && model=any
home=state/$model

case $fault:$verb in
  killed:promote) kill -9 $$ ;;
  in-time:promote) mkfifo never.$$ && read -r _ < never.$$ ;;
  output-garbage:*) echo "starting up" ;;
  output-none:observe) exit 0 ;;
  output-endless:observe) head -c 2000000 /dev/zero; exit 0 ;;
  secrets:*) echo "using $SECRET" >&2 ;;
  unknown-members:*) has x-tagship-check && has '"capabilities"' && exit 1 ;;
  unknown-members-order:promote) has x-tagship-check && exit 1 ;;
esac
printf 'was asked to \033[31m%s\n' "$verb" >&2

weights=true counters=false endpoints=false matches=false
case $fault in match*) matches=true ;; unsupported | flip) weights=false ;; counters) counters=true ;; endpoints) endpoints=true ;; esac
if [ "$verb" = capabilities ]; then
  [ "$fault" = capabilities ] && weights='"many"'
  echo "{\"weights\": $weights, \"counters\": $counters, \"endpoints\": $endpoints, \"matches\": $matches}"
  exit 0
fi

mkdir -p "$home"
[ -e "$home/fence" ] || echo 0 > "$home/fence"
versions() { for at in "$home"/v*; do [ -d "$at" ] && echo "${at##*/}"; done; }
matched() { [ -e "$home/match" ] && read -r led < "$home/match" && echo "$led"; }
weight() { read -r got < "$home/$1/weight" && echo "$got"; }

if [ "$verb" = observe ]; then
  # What was ordered shows up one look later.
  if [ -e "$home/late" ]; then rm "$home/late"; else for at in "$home"/v*; do [ -e "$at/next" ] && mv "$at/next" "$at/weight"; done; fi
  arms=
  for at in $(versions); do
    read -r digest < "$home/$at/digest"
    ready=true share=$(weight "$at")
    if [ "$fault" = keeps-bytes ]; then read -r bytes < "$home/$at/bytes"; [ -e "$bytes" ] || ready=false; fi
    [ "$fault" = observe ] && share=110
    [ "$fault" = prepare ] && digest=sha256:0000000000000000000000000000000000000000000000000000000000000000
    arms="$arms${arms:+, }{\"version\": \"$at\", \"digest\": \"$digest\", \"ready\": $ready, \"weight\": $share, \"more\": 1}"
  done
  echo "{\"arms\": [$arms]}"
  exit 0
fi

read -r seen < "$home/fence"
if [ "$fault" != lower-fence ] && [ "$fence" -lt "$seen" ]; then refuse 14 "there was a newer order"; fi
if [ "$fault" = equal-fence ] && [ "$fence" -eq "$seen" ]; then refuse 14 "there was such an order"; fi

changed=10
move() { # version share
  rm -f "$home/$1/next"
  [ "$(weight "$1")" = "$2" ] && return
  changed=0
  case $fault in exit-codes) put "$home/$1/next" "$2"; : > "$home/late" ;; pending) put "$home/$1/next" "$2"; changed=11; : > "$home/late" ;;
    *) put "$home/$1/weight" "$2" ;; esac
}
all() { for at in $(versions); do [ "$at" = "$1" ] || move "$at" 0; done; [ -z "$1" ] || move "$1" 100; }
loaded() { [ "$fault" = not-loaded ] || [ -d "$home/$1" ] || refuse 15 "$1 is not loaded"; [ -d "$home/$1" ] || exit 0; }

case $verb in
  prepare)
    digest=$(text digest)
    if [ -d "$home/$version" ]; then
      read -r there < "$home/$version/digest"
      [ "$there" = "$digest" ] || [ "$fault" = conflict ] || refuse 12 "$version has other bytes"
    else
      mkdir "$home/new.$$" && echo 0 > "$home/new.$$/weight" && echo "$digest" > "$home/new.$$/digest"
      text bytes > "$home/new.$$/bytes"
      [ "$fault" = no-traffic ] && echo 5 > "$home/new.$$/weight"
      mv "$home/new.$$" "$home/$version" && changed=0
    fi
    [ "$fault" = conflict ] && put "$home/$version/digest" "$digest" ;;
  set-weight)
    [ "$weights" = true ] || [ "$fault" = unsupported ] || refuse 13 "shares are all or nothing"
    loaded "$version"
    share=$(number weight)
    for at in $(versions); do
      [ "$at" = "$version" ] || [ "$fault" = set-weight ] || move "$at" $((100 - share))
    done
    [ "$fault" = repeatable ] && share=$(($(weight "$version") + share)) && [ "$share" -gt 100 ] && share=100
    move "$version" "$share" ;;
  promote)
    loaded "$version"
    # It believes that everything was done as soon as it was noted.
    if [ "$fault" = interrupted ]; then
      noted=
      [ -e "$home/noted" ] && read -r noted < "$home/noted"
      [ "$noted" = "$version $fence" ] && exit 10
      put "$home/noted" "$version $fence"
      put "$home/fence" "$fence"
      for at in $(versions); do put "$home/$at/weight" 1; done
      work
    fi
    # It has one file for what every run notes.
    if [ "$fault" = at-once ]; then : > "$home/shared"; work; rm "$home/shared" || exit 1; fi
    rm -f "$home/match"
    if [ "$fault" = promote ]; then move "$version" 90; else all "$version"; fi ;;
  rollback)
    version=$(text to)
    [ -z "$version" ] && [ "$fault" = rollback-to-nothing ] && exit 1
    [ -z "$version" ] || loaded "$version"
    # It only knows the way back from a share.
    if [ "$fault" = rollback ] && [ -n "$version" ] && [ "$(weight "$version")" = 0 ]; then exit 1; fi
    [ "$fault" = match-back ] || rm -f "$home/match"
    all "$version" ;;
  cleanup)
    [ "$(matched)" != "$version" ] || [ "$fault" = match-cleanup ] || refuse 12 "$version has requests"
    if [ -d "$home/$version" ]; then
      [ "$(weight "$version")" = 0 ] || [ "$fault" = cleanup-in-use ] || refuse 12 "$version has traffic"
      [ "$fault" = cleanup ] || rm -r "${home:?}/$version"
      changed=0
    elif [ "$fault" = cleanup-twice ]; then exit 15; fi ;;
  route)
    [ "$fault" = route ] && exit 13
    if has '"match":'; then
      [ "$matches" = true ] || refuse 13 "headers are not matched here"
      [ -d "$home/$version" ] || [ "$fault" = match-nobody ] || refuse 15 "$version is not loaded"
      [ "$fault" != match-weight ] || put "$home/$version/weight" 50
      [ "$(matched)" = "$version" ] || { put "$home/match" "$version"; changed=0; }
    elif [ -e "$home/match" ]; then rm "$home/match"; changed=0; fi ;;
  *) [ "$fault" = unknown-verb ] && exit 0; refuse 13 "$verb is not known here" ;;
esac
[ "$fault" = fence-forgotten ] && [ "$changed" = 10 ] || put "$home/fence" "$fence"
[ "$fault" = always-before ] && exit 10
exit "$changed"
