#!/bin/sh
# Builds the modules of this suite.
#
#   examples/local-first/build-modules.sh [DIRECTORY]
#
# It needs the rustup target wasm32-unknown-unknown, and wasm-opt (Debian's package `binaryen`); where one of them is
# missing it says so, and ends with 3.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
output=${1:-$here/modules}
target=wasm32-unknown-unknown
folder=${CARGO_TARGET_DIR:-$here/../../target}

if ! [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
    echo "target $target is not installed: rustup target add $target" >&2
    exit 3
fi
if ! command -v wasm-opt >/dev/null; then
    echo "wasm-opt is not installed: apt-get install binaryen" >&2
    exit 3
fi
mkdir -p "$output"
# Paths of this machine have no place in a module; whatever flags the caller has are for other targets.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS || true
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="--remap-path-prefix=$(cd "$here/../.." && pwd)/="

# build FIELDS NAME [FLAG...]
build() {
    fields=$1 name=$2
    shift 2
    GEN_FIELDS=$fields cargo build --locked --quiet --manifest-path "$here/gen/Cargo.toml" --profile wasm \
        --target "$target" --target-dir "$folder" "$@"
    cp "$folder/$target/wasm/local_first_gen.wasm" "$output/$name.wasm"
}

for fields in 3 5 10 25 50; do
    build $fields fields_$fields
    wasm-opt -Oz --enable-bulk-memory --enable-sign-ext --enable-nontrapping-float-to-int --enable-mutable-globals \
        --enable-reference-types --enable-multivalue "$output/fields_$fields.wasm" -o "$output/optimized_$fields.wasm"
done
build 10 with_text --features text
# The same, but for what the linker sees: no optimization across crates.
CARGO_PROFILE_WASM_LTO=off build 10 without_lto
