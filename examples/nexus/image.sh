#!/bin/sh
# image.sh PROGRAM IMAGE: a container image, as `docker save` writes one, of a program and the libraries that it is linked
# with, and nothing else. No container engine is needed. The same program gives the same bytes. `docker load`, `podman load`
# and skopeo (`docker-archive:`) read it.
set -eu
program=$1 image=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/tree"
strip -o "$work/tree/nexus" "$program"
# The loader and the libraries, by the paths at which the program looks for them; a static program has none.
for library in $(ldd "$program" | grep -o '/[^ ]*' || true); do
    mkdir -p "$work/tree$(dirname "$library")"
    cp -L "$library" "$work/tree$library"
done
chmod -R u=rwX,go=rX "$work/tree"

archive() { # FILE DIRECTORY
    tar --create --file "$1" --directory "$2" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=ustar .
}
archive "$work/layer.tar" "$work/tree"
layer=$(sha256sum "$work/layer.tar" | cut -d ' ' -f 1)
mkdir "$work/image"
mv "$work/layer.tar" "$work/image/$layer.tar"
case $(uname -m) in x86_64) machine=amd64 ;; aarch64) machine=arm64 ;; *) machine=$(uname -m) ;; esac
cat >"$work/config" <<END
{"architecture":"$machine","os":"linux","config":{"Entrypoint":["/nexus"]},"rootfs":{"type":"layers","diff_ids":["sha256:$layer"]}}
END
config=$(sha256sum "$work/config" | cut -d ' ' -f 1)
mv "$work/config" "$work/image/$config.json"
cat >"$work/image/manifest.json" <<END
[{"Config":"$config.json","RepoTags":["nexus:latest"],"Layers":["$layer.tar"]}]
END
mkdir -p "$(dirname "$image")"
archive "$work/image.tar" "$work/image"
# As old as the program, by which one knows what it was made of; and whole from the first moment.
touch -r "$program" "$work/image.tar"
cp -p "$work/image.tar" "$image.$$"
mv "$image.$$" "$image"
