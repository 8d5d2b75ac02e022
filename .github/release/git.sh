#!/usr/bin/env bash
# Lets git use the run's token on the server of the run, where the checkout left no credential. Read by the other scripts.
#
# The header travels in the environment: arguments of a program can be read by everyone on the machine.
set -euo pipefail

export GIT_CONFIG_COUNT=1
export GIT_CONFIG_KEY_0=http.$GITHUB_SERVER_URL/.extraheader
GIT_CONFIG_VALUE_0="Authorization: basic $(printf 'x-access-token:%s' "$GITHUB_TOKEN" | base64 --wrap=0)"
export GIT_CONFIG_VALUE_0
export GIT_AUTHOR_NAME=tagship GIT_AUTHOR_EMAIL=tagship@users.noreply.github.com
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
