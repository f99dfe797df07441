/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include "public_key.h"
#include "trust_file.h"

#define PART "trust"

static void log_keys(const struct trust *trust, const struct log *log)
{
	for (size_t i = 0; i < trust->count; i++) {
		char kid[PUBLIC_KEY_KID_TEXT_BYTES];

		public_key_kid_text(trust->keys[i].kid, kid);
		log_line(log, LOG_LEVEL_INFO, PART, "key %s", kid);
	}
}

int trust_open(struct trust *trust, const char *const *files, unsigned file_count, const struct log *log)
{
	struct trust_keys keys = { .keys = trust->keys, .cap = TRUST_KEY_MAX };
	struct key_message message;

	for (unsigned i = 0; i < file_count; i++) {
		if (trust_file_load(files[i], &keys, &message)) {
			log_line(log, LOG_LEVEL_ERROR, PART, "%s", message.text);
			return -1;
		}
	}
	trust->count = keys.count;
	log_keys(trust, log);
	return 0;
}
