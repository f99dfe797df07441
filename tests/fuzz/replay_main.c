/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzzer over its committed corpus once, for compilers without libFuzzer.
 *
 * Usage: fuzz_NAME DIRECTORY */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* A copy of exactly its size, so that a sanitizer sees a read behind its end. */
static int run_file(const char *path)
{
	static uint8_t room[INPUT_MAX_BYTES];
	FILE *f = fopen(path, "rb");
	uint8_t *input;
	size_t len;

	if (!f) {
		perror(path);
		return 1;
	}
	len = fread(room, 1, sizeof(room), f);
	(void)fclose(f);
	input = malloc(len > 0 ? len : 1);
	if (!input) { return 1; }
	for (size_t i = 0; i < len; i++) {
		input[i] = room[i];
	}
	(void)LLVMFuzzerTestOneInput(input, len);
	free(input);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **entries;
	char path[4096];
	int failed = 0;
	int count = argc == 2 ? scandir(argv[1], &entries, is_visible, alphasort) : -1;

	if (count <= 0) {
		fprintf(stderr, "usage: %s DIRECTORY (with at least one input)\n", argv[0]);
		return 2;
	}
	for (int i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
		failed |= run_file(path);
		free(entries[i]);
	}
	free(entries);
	printf("%d inputs\n", count);
	return failed;
}
