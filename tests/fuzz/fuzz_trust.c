/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes texts with trusted keys (PEM). Properties: what fails leaves the keys as they were and
 * says why, in characters that any terminal and any log may have; what is taken are new keys,
 * each once, which can be written and read again. */
#include <string.h>

#include "fuzz.h"
#include "public_key.h"
#include "trust_file.h"

#define KEYS 3

static bool is_printable(const char *text)
{
	while (*text >= ' ' && *text < 127) {
		text++;
	}
	return *text == 0;
}

static void check_again(const struct fota_trusted_key *key)
{
	struct fota_trusted_key read[1];
	struct trust_keys again = { read, 1, 0 };
	struct key_message message;
	char pem[PUBLIC_KEY_PEM_MAX_BYTES];

	fuzz_require(public_key_pem(key, pem), "a key that was taken can be written");
	fuzz_require(trust_pem_load(pem, strlen(pem), "again", &again, &message) == 0 && again.count == 1,
		     "what was written can be read");
	fuzz_require(memcmp(&read[0], key, sizeof(*key)) == 0, "and is the same key");
}

static void check_keys(const struct trust_keys *trust, size_t before)
{
	fuzz_require(trust->count <= trust->cap, "there is room for all keys");
	for (size_t i = before; i < trust->count; i++) {
		for (size_t other = 0; other < i; other++) {
			fuzz_require(memcmp(&trust->keys[i], &trust->keys[other], sizeof(trust->keys[i])) != 0,
				     "a key is taken once");
		}
		check_again(&trust->keys[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fota_trusted_key keys[KEYS] = { { .kid = { 7 } } };
	struct trust_keys trust = { keys, KEYS, 1 };
	struct key_message message = { "" };
	int result = trust_pem_load((const char *)data, len, "keys.pem", &trust, &message);

	fuzz_require(keys[0].kid[0] == 7, "the keys that are there stay");
	if (result == 0) {
		fuzz_require(message.text[0] == 0, "what is taken needs no message");
		check_keys(&trust, 1);
		return 0;
	}
	fuzz_require(trust.count == 1, "what fails leaves the keys as they were");
	fuzz_require(strncmp(message.text, "keys.pem: ", 10) == 0, "what fails says where");
	fuzz_require(is_printable(message.text), "and in printable characters");
	return 0;
}
