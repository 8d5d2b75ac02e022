#!/bin/sh
# Builds kube-apiserver from the source package `kubernetes` of this system's own distribution, with the compiler that
# this distribution built it with, and unpacks etcd beside it. Nothing is installed.
#
# usage: kube_apiserver.sh DIRECTORY, which then holds `kube-apiserver` and `etcd`. Exit 3: this system's packages
# do not carry what is needed.
set -eu
directory=$1
GO=golang-1.19
mkdir -p "$directory/packages/lists/partial" "$directory/packages/cache/archives/partial"
directory=$(cd "$directory" && pwd)
[ -x "$directory/kube-apiserver" ] && [ -x "$directory/etcd" ] && exit 0

# The system's own sources, and their source packages too, in lists of our own: the system's stay as they are.
# shellcheck disable=SC2016  # apt replaces $(SITE) and the others, not the shell
apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u |
  awk '$2 ~ /^[a-z]+(-updates|-security)?$/ && $3 == "main" { print "deb", $0; print "deb-src", $0 }' \
  >"$directory/packages/sources.list"
cat >"$directory/packages/apt.conf" <<CONF
Dir::Etc::sourcelist "$directory/packages/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$directory/packages/lists";
Dir::Cache "$directory/packages/cache";
APT::Sandbox::User "";
CONF
export APT_CONFIG="$directory/packages/apt.conf"
apt-get update -q
cd "$directory/packages"
if ! apt-get download -q "$GO-go" "$GO-src" golang-github-modern-go-reflect2-dev etcd-server ||
  ! apt-get source -q --download-only kubernetes; then
  echo "the packages of this system carry no $GO, etcd-server or source of kubernetes" >&2
  exit 3
fi
for package in ./*.deb; do
  dpkg-deb --extract "$package" "$directory/packages/system"
done

# Debian's source for clients alone (from trixie on) has no server in it.
tree="$directory/packages/go/src/k8s.io/kubernetes"
rm -rf "$tree"
mkdir -p "$tree"
tar --extract --file kubernetes_*.orig.tar.* --strip-components 1 --directory "$tree"
if [ ! -d "$tree/cmd/kube-apiserver" ]; then
  echo "the source package kubernetes of this system holds no kube-apiserver" >&2
  exit 3
fi
# The source brings a reflect2 of its own that reads wild memory when this compiler has built it.
reflect2=github.com/modern-go/reflect2
rm -rf "$tree/vendor/$reflect2"
cp -R "$directory/packages/system/usr/share/gocode/src/$reflect2" "$tree/vendor/$reflect2"
# And a validation that takes the empty text for none when this compiler has built it, so that `group: ""` is refused.
validation=vendor/k8s.io/kube-openapi/pkg/validation/validate/type.go
sed -i 's/if data == nil || reflect.DeepEqual(reflect.Zero(reflect.TypeOf(data)), reflect.ValueOf(data)) {/if data == nil {/' "$tree/$validation"
version=v$(echo kubernetes_*.dsc | sed 's/.*really//; s/^kubernetes_//; s/-.*//')
export GOROOT="$directory/packages/system/usr/lib/go-${GO#golang-}" GOPATH="$directory/packages/go"
export GOCACHE="$directory/packages/go-cache" GO111MODULE=off CGO_ENABLED=0
export PATH="$GOROOT/bin:$PATH"
cd "$tree"
# The descriptions of the built-in kinds, which every build of Kubernetes generates first.
go build -o "$directory/packages/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
described=$(grep -rl --include='*.go' '+k8s:openapi-gen=' staging/src/k8s.io pkg cmd |
  grep -v -e /testdata/ -e /code-generator/ -e /sample-apiserver/ | xargs -n1 dirname | sort -u |
  sed 's,^staging/src/,vendor/,; s,^,k8s.io/kubernetes/,' | paste -sd,)
nice "$directory/packages/openapi-gen" -i "$described" -p k8s.io/kubernetes/pkg/generated/openapi \
  -O zz_generated.openapi -h hack/boilerplate/boilerplate.generatego.txt \
  -r "$directory/packages/violations.txt" --output-base "$GOPATH/src"
# Without the clouds' own volumes and without optimizing it is built in a third of the time.
nice go build -tags providerless -gcflags 'all=-N -l' \
  -ldflags "-s -w -X k8s.io/kubernetes/vendor/k8s.io/component-base/version.gitVersion=$version" \
  -o "$directory/kube-apiserver" ./cmd/kube-apiserver
cp "$directory/packages/system/usr/bin/etcd" "$directory/etcd"
rm -rf "$directory/packages"
