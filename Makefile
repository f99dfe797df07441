# SPDX-License-Identifier: Apache-2.0
# A thin front to Meson and the scripts; `make help` lists what there is.
.PHONY: help build run check bench size soak format clean

help:
	@echo "make run      start platform and virtual module, upgrade once, stay until Ctrl-C"
	@echo "              (ONCE=1: end after the upgrade with its exit status)"
	@echo "make check    build everything and run all tests"
	@echo "make bench    measure, as ratios to nginx, curl and others"
	@echo "make size     what the library costs on a microcontroller"
	@echo "make soak     the long campaigns: hours of fuzzing, many kills"
	@echo "make build    build the programs into build/release"
	@echo "make format   lay out the C files with clang-format"
	@echo "make clean    remove what was built and the data of make run"

build/release/build.ninja:
	@scripts/setup build
	@meson setup --buildtype=release build/release >/dev/null

build: build/release/build.ninja
	@ninja -C build/release

run:
	@scripts/setup build run
	@ONCE=$(ONCE) scripts/run

check:
	@scripts/setup build run check
	@scripts/check

bench: build/release/build.ninja
	@scripts/setup build run bench
	@ninja -C build/release
	@scripts/bench

size:
	@scripts/setup check
	@scripts/size

soak:
	@scripts/setup build run check
	@SOAK=1 scripts/check

format:
	@scripts/setup check
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build run-data
