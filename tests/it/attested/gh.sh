#!/bin/sh
# Stands in for GitHub's client `gh`: what its version 2.102 does with these arguments, but for the cryptography.
# A bundle is genuine where its statement names the sha256 of the file; its certificate lies beside this script.
here=$(dirname "$0")
echo "$@" >> "$here/calls"
refuse() { printf '\nError: %s\n' "$1" >&2; exit 1; }
[ "$1" = attestation ] || refuse "unknown command \"$1\" for \"gh\""
case "$2" in
trusted-root)
    [ ! -e "$here/offline" ] || refuse 'Failed to verify the TUF repository: no such host'
    echo '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}' ;;
verify)
    subject=$3
    shift 3
    while [ $# -gt 0 ]; do
        case "$1" in
        --repo) repo=$2 ;;
        --bundle) bundles=$2 ;;
        --custom-trusted-root) roots=$2 ;;
        --cert-identity-regex) signer=$2 ;;
        --hostname | --format | --jq) ;;
        *) refuse "unknown flag: $1" ;;
        esac
        shift 2
    done
    if [ -z "$repo" ] || [ -z "$signer" ]; then refuse 'nothing is demanded'; fi
    grep -q trustedroot "$roots" || refuse 'there are no roots of trust'
    digest=$(sha256sum < "$subject" 2> /dev/null || shasum -a 256 < "$subject")
    digest=${digest%% *}
    genuine=
    while read -r bundle; do
        payload=$(echo "$bundle" | sed -n 's/.*"payload":"\([^"]*\)".*/\1/p' | base64 -d)
        case "$payload" in *"$digest"*) genuine=yes ;; esac
    done < "$bundles"
    [ -n "$genuine" ] || refuse 'verifying with issuer "sigstore.dev"'
    cat "$here/certificates" ;;
*) refuse "unknown command \"$2\" for \"gh attestation\"" ;;
esac
