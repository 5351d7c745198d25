#!/bin/sh
# Builds the guest programs: Guests/Demo becomes OUTPUT_DIR/demo.wasm, each Guests/Tests/NAME.swift becomes
# OUTPUT_DIR/NAME.wasm. Everything needed is part of the Swift toolchain; SWIFTC may name another compiler than the one
# on the path. A guest is built again only when one of its sources, or this script, is newer.

set -eu

fail() {
  printf 'Guests/build.sh: %s\n' "$1" >&2
  exit 1
}

[ $# -eq 1 ] || fail "expected one argument, the folder for the .wasm files: Guests/build.sh OUTPUT_DIR"

# The folder of the guests, wherever the script is called from.
guests=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "$1" || fail "cannot create the output folder $1"
output=$(CDPATH='' cd -- "$1" && pwd)
objects="$output/.objects"

# Finds a tool of the toolchain: beside the real swiftc (macOS puts a chooser on the path), then on the path.
tool() {
  if [ -x "$toolchain/$1" ]; then
    printf '%s\n' "$toolchain/$1"
  else
    command -v "$1" || fail "$1 was found neither in $toolchain nor on the path; install a toolchain from swift.org"
  fi
}

find_tools() {
  swiftc=${SWIFTC:-swiftc}
  command -v "$swiftc" >/dev/null || fail "$swiftc was not found; install Swift 6.3 or newer from swift.org"
  runtime=$("$swiftc" -print-target-info | sed -n 's/.*"runtimeResourcePath": *"\(.*\)".*/\1/p')
  [ -d "$runtime/embedded/wasm32-unknown-none-wasm" ] \
    || fail "$swiftc has no Embedded Swift library for wasm32; install a toolchain from swift.org, or name it in SWIFTC"
  toolchain=$(CDPATH='' cd -- "$runtime/../../bin" && pwd)
  clang=$(tool clang)
  linker=$(tool wasm-ld)
}

# Whether the file $1 is missing or older than one of the other arguments.
outdated() {
  product=$1
  shift
  [ -f "$product" ] || return 0
  for source in "$@"; do
    [ "$source" -nt "$product" ] && return 0
  done
  return 1
}

# Compiles the allocator and the memory primitives once for all guests.
build_runtime() {
  if outdated "$objects/runtime.o" "$guests/Kit/runtime.c" "$guests/build.sh"; then
    "$clang" --target=wasm32-unknown-none-wasm -std=c11 -ffreestanding -fno-builtin -Wall -Wextra \
      -Oz -mbulk-memory -c "$guests/Kit/runtime.c" -o "$objects/runtime.o.new"
    mv "$objects/runtime.o.new" "$objects/runtime.o"
  fi
}

# Builds the guest $1 from the kit and the sources in the other arguments.
build_guest() {
  name=$1
  shift
  if ! outdated "$output/$name.wasm" "$guests/build.sh" "$guests/Kit/runtime.c" \
    "$guests"/Kit/*.swift "$guests"/Kit/Imports/*.swift "$@"; then
    printf 'guest %s is up to date\n' "$name"
    return
  fi
  # Tools are looked for only when there is something to build.
  if [ -z "${linker:-}" ]; then
    find_tools
    mkdir -p "$objects"
    build_runtime
  fi
  "$swiftc" -target wasm32-unknown-none-wasm -swift-version 6 -wmo -parse-as-library -Osize \
    -enable-experimental-feature Embedded -enable-experimental-feature Extern -module-name "$name" \
    -c "$guests"/Kit/*.swift "$guests"/Kit/Imports/*.swift "$@" -o "$objects/$name.o"
  # Without --allow-undefined: whatever is not declared as an import has to be there. The name section stays, with
  # Swift's own symbols, for profiles and traps; it holds the file's name too, so the file has its name from the start.
  # The stack lies first, so that an overflow traps at address zero.
  "$linker" --no-entry --export=_start --stack-first -z stack-size=131072 --no-demangle \
    "$objects/$name.o" "$objects/runtime.o" -o "$objects/$name.wasm"
  rm -f "$objects/$name.o"
  mv "$objects/$name.wasm" "$output/$name.wasm"
  printf 'guest %s: %s bytes\n' "$name" "$(($(wc -c <"$output/$name.wasm")))"
}

build_guest demo "$guests"/Demo/*.swift
for test in "$guests"/Tests/*.swift; do
  build_guest "$(basename "$test" .swift)" "$guests"/Tests/Support/*.swift "$test"
done
