#!/bin/sh
# Packs a program into a container image of one layer, without any container tool: an OCI layout in a tar archive, as
# `podman load` and `skopeo copy oci-archive:` read it.
#
#   image.sh OUTPUT PROGRAM [PATH...]
#
# In the layer are the program at its own path, every shared library that it is linked with, and whatever other paths
# are named, with what those are linked with: all that it takes to run, no distribution around it. Left out, as the
# slim images of Python do: tests, caches of bytecode, and what is for building.
set -eu

output=$1
program=$2
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
blobs=$work/image/blobs/sha256
mkdir -p "$root" "$blobs"

find -L "$@" -type d \( -name __pycache__ -o -name test -o -name tests -o -name idlelib -o -name lib2to3 \
    -o -name ensurepip -o -name '*-packages' -o -name 'config-*' \) -prune -o -type f ! -name '*.a' -print >"$work/files"
# The loader itself says what is linked; it refuses what is no program, and names nothing for one without libraries.
grep -E '/bin/|\.so|^'"$program"'$' "$work/files" | xargs -d '\n' ldd 2>/dev/null |
    sed -n 's#.*[[:space:]]\(/[^ ]*\) (0x.*#\1#p' | sort -u >"$work/libraries"
sort -u "$work/files" "$work/libraries" | sed 's#^/##' >"$work/contents"
tar --create --file="$work/files.tar" --directory=/ --dereference --hard-dereference --files-from="$work/contents"
tar --extract --file="$work/files.tar" --directory="$root" --no-same-owner
# Nobody ships symbols; what is no program is refused by strip, and stays as it is.
command -v strip >/dev/null || { echo "strip is not installed: install binutils" >&2; exit 3; }
find "$root" -type f \( -perm -u+x -o -name '*.so*' \) -exec strip {} + 2>/dev/null || true

# Names a file by its digest, as the layout has it; says the digest.
blob() {
    digest=$(sha256sum "$1" | cut -d' ' -f1)
    mv "$1" "$blobs/$digest"
    echo "$digest"
}
tar -C "$root" --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --file="$work/layer" .
unpacked=$(sha256sum "$work/layer" | cut -d' ' -f1)
gzip -n "$work/layer"
layer=$(blob "$work/layer.gz")
cat >"$work/config" <<END
{"architecture":"amd64","os":"linux","config":{"Entrypoint":["$program"]},"rootfs":{"type":"layers","diff_ids":["sha256:$unpacked"]}}
END
size() { wc -c <"$blobs/$1" | tr -d ' '; }
config=$(blob "$work/config")
types=application/vnd.oci.image
cat >"$work/manifest" <<END
{"schemaVersion":2,"mediaType":"$types.manifest.v1+json","config":{"mediaType":"$types.config.v1+json","digest":"sha256:$config","size":$(size "$config")},"layers":[{"mediaType":"$types.layer.v1.tar+gzip","digest":"sha256:$layer","size":$(size "$layer")}]}
END
manifest=$(blob "$work/manifest")
cat >"$work/image/index.json" <<END
{"schemaVersion":2,"manifests":[{"mediaType":"$types.manifest.v1+json","digest":"sha256:$manifest","size":$(size "$manifest"),"annotations":{"org.opencontainers.image.ref.name":"latest"}}]}
END
echo '{"imageLayoutVersion":"1.0.0"}' >"$work/image/oci-layout"
tar -C "$work/image" --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --file="$work/archive" .
# Whole or not there at all, whoever else makes it at the same time.
mkdir -p "$(dirname "$output")"
mv "$work/archive" "$output.$$"
mv "$output.$$" "$output"
