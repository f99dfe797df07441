/* SPDX-License-Identifier: Apache-2.0 */
/* The names that the SUIT draft gives to the numbers of a manifest, for people. */
#ifndef TOOL_SUIT_NAMES_H
#define TOOL_SUIT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* What an item is, so that its members have names. */
enum suit_kind {
	SUIT_KIND_ANY,
	SUIT_KIND_UUID,
	SUIT_KIND_ALGORITHM,
	SUIT_KIND_STRUCTURED, /* from here on a byte string has CBOR in it */
	SUIT_KIND_ENVELOPE,
	SUIT_KIND_AUTHENTICATION,
	SUIT_KIND_SIGNATURE,
	SUIT_KIND_HEADER,
	SUIT_KIND_DIGEST,
	SUIT_KIND_MANIFEST,
	SUIT_KIND_COMMON,
	SUIT_KIND_COMPONENTS,
	SUIT_KIND_SEQUENCE,
	SUIT_KIND_SEQUENCES,
	SUIT_KIND_PARAMETERS,
	SUIT_KIND_TEXT,
	SUIT_KIND_TEXT_LANGUAGE,
	SUIT_KIND_TEXT_COMPONENT,
};

/* A member of a map by its key, of an array by its index, of a sequence by its command. */
struct suit_name {
	enum suit_kind in;
	int64_t key;
	const char *name;    /* "": it has none */
	enum suit_kind kind; /* of its value */
};

#define SUIT_KEY_EACH INT64_MIN /* every key that has no row of its own */

/* NULL: not known. */
const struct suit_name *suit_name_of(enum suit_kind in, int64_t key);

/* "ES256" or such; NULL: not known. */
const char *suit_algorithm_name(int64_t number);

#endif
