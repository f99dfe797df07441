/* SPDX-License-Identifier: Apache-2.0 */
/* draft-ietf-suit-manifest-37 section 11 (tables of its registries) and the notation of
 * its examples; COSE: RFC 9052 and 9053. Members that this project does not use are here
 * too: `package show` prints manifests of others. */
#include "suit_names.h"

#include <stddef.h>

#define KIND(name) SUIT_KIND_##name

static const struct suit_name names[] = {
	{ KIND(ENVELOPE), 2, "authentication-wrapper", KIND(AUTHENTICATION) },
	{ KIND(ENVELOPE), 3, "manifest", KIND(MANIFEST) },
	{ KIND(ENVELOPE), 16, "payload-fetch", KIND(SEQUENCE) },
	{ KIND(ENVELOPE), 20, "install", KIND(SEQUENCE) },
	{ KIND(ENVELOPE), 23, "text", KIND(TEXT) },

	{ KIND(AUTHENTICATION), 0, "digest:", KIND(DIGEST) },
	{ KIND(AUTHENTICATION), SUIT_KEY_EACH, "signature:", KIND(SIGNATURE) },
	{ KIND(SIGNATURE), 0, "protected", KIND(HEADER) },
	{ KIND(SIGNATURE), 1, "unprotected", KIND(HEADER) },
	{ KIND(SIGNATURE), 2, "payload", KIND(ANY) },
	{ KIND(SIGNATURE), 3, "signature", KIND(ANY) },
	{ KIND(HEADER), 1, "alg", KIND(ALGORITHM) },
	{ KIND(HEADER), 2, "crit", KIND(ANY) },
	{ KIND(HEADER), 4, "kid", KIND(ANY) },
	{ KIND(DIGEST), 0, "algorithm-id", KIND(ALGORITHM) },
	{ KIND(DIGEST), 1, "digest-bytes", KIND(ANY) },

	{ KIND(MANIFEST), 1, "manifest-version", KIND(ANY) },
	{ KIND(MANIFEST), 2, "manifest-sequence-number", KIND(ANY) },
	{ KIND(MANIFEST), 3, "common", KIND(COMMON) },
	{ KIND(MANIFEST), 4, "reference-uri", KIND(ANY) },
	{ KIND(MANIFEST), 7, "validate", KIND(SEQUENCE) },
	{ KIND(MANIFEST), 8, "load", KIND(SEQUENCE) },
	{ KIND(MANIFEST), 9, "invoke", KIND(SEQUENCE) },
	{ KIND(MANIFEST), 16, "payload-fetch", KIND(SEQUENCE) },
	{ KIND(MANIFEST), 20, "install", KIND(SEQUENCE) },
	{ KIND(MANIFEST), 23, "text", KIND(TEXT) },
	{ KIND(COMMON), 2, "components", KIND(COMPONENTS) },
	{ KIND(COMMON), 4, "shared-sequence", KIND(SEQUENCE) },
	{ KIND(COMPONENTS), SUIT_KEY_EACH, "", KIND(ANY) },

	{ KIND(SEQUENCE), 1, "condition-vendor-identifier", KIND(ANY) },
	{ KIND(SEQUENCE), 2, "condition-class-identifier", KIND(ANY) },
	{ KIND(SEQUENCE), 3, "condition-image-match", KIND(ANY) },
	{ KIND(SEQUENCE), 5, "condition-component-slot", KIND(ANY) },
	{ KIND(SEQUENCE), 6, "condition-check-content", KIND(ANY) },
	{ KIND(SEQUENCE), 12, "directive-set-component-index", KIND(ANY) },
	{ KIND(SEQUENCE), 14, "condition-abort", KIND(ANY) },
	{ KIND(SEQUENCE), 15, "directive-try-each", KIND(SEQUENCES) },
	{ KIND(SEQUENCE), 18, "directive-write", KIND(ANY) },
	{ KIND(SEQUENCE), 20, "directive-override-parameters", KIND(PARAMETERS) },
	{ KIND(SEQUENCE), 21, "directive-fetch", KIND(ANY) },
	{ KIND(SEQUENCE), 22, "directive-copy", KIND(ANY) },
	{ KIND(SEQUENCE), 23, "directive-invoke", KIND(ANY) },
	{ KIND(SEQUENCE), 24, "condition-device-identifier", KIND(ANY) },
	{ KIND(SEQUENCE), 31, "directive-swap", KIND(ANY) },
	{ KIND(SEQUENCE), 32, "directive-run-sequence", KIND(SEQUENCE) },
	{ KIND(SEQUENCES), SUIT_KEY_EACH, "", KIND(SEQUENCE) },

	{ KIND(PARAMETERS), 1, "vendor-id", KIND(UUID) },
	{ KIND(PARAMETERS), 2, "class-id", KIND(UUID) },
	{ KIND(PARAMETERS), 3, "image-digest", KIND(DIGEST) },
	{ KIND(PARAMETERS), 5, "component-slot", KIND(ANY) },
	{ KIND(PARAMETERS), 12, "strict-order", KIND(ANY) },
	{ KIND(PARAMETERS), 13, "soft-failure", KIND(ANY) },
	{ KIND(PARAMETERS), 14, "image-size", KIND(ANY) },
	{ KIND(PARAMETERS), 18, "content", KIND(ANY) },
	{ KIND(PARAMETERS), 21, "uri", KIND(ANY) },
	{ KIND(PARAMETERS), 22, "source-component", KIND(ANY) },
	{ KIND(PARAMETERS), 23, "invoke-args", KIND(ANY) },
	{ KIND(PARAMETERS), 24, "device-id", KIND(UUID) },
	{ KIND(PARAMETERS), 25, "fetch-arguments", KIND(ANY) },

	{ KIND(TEXT), SUIT_KEY_EACH, "", KIND(TEXT_LANGUAGE) },
	{ KIND(TEXT_LANGUAGE), 1, "manifest-description", KIND(ANY) },
	{ KIND(TEXT_LANGUAGE), 2, "update-description", KIND(ANY) },
	{ KIND(TEXT_LANGUAGE), 3, "manifest-json-source", KIND(ANY) },
	{ KIND(TEXT_LANGUAGE), 4, "manifest-yaml-source", KIND(ANY) },
	{ KIND(TEXT_LANGUAGE), SUIT_KEY_EACH, "", KIND(TEXT_COMPONENT) },
	{ KIND(TEXT_COMPONENT), 1, "vendor-name", KIND(ANY) },
	{ KIND(TEXT_COMPONENT), 2, "model-name", KIND(ANY) },
	{ KIND(TEXT_COMPONENT), 3, "vendor-domain", KIND(ANY) },
	{ KIND(TEXT_COMPONENT), 4, "model-info", KIND(ANY) },
	{ KIND(TEXT_COMPONENT), 5, "component-description", KIND(ANY) },
	{ KIND(TEXT_COMPONENT), 6, "component-version", KIND(ANY) },
	{ KIND(TEXT_COMPONENT), 7, "version-required", KIND(ANY) },
};

static const struct {
	int64_t number;
	const char *name;
} algorithms[] = {
	{ -7, "ES256" },     { -8, "EdDSA" },     { -9, "ESP256" },  { -16, "sha256" }, { -19, "Ed25519" },
	{ -35, "ES384" },    { -36, "ES512" },    { -43, "sha384" }, { -44, "sha512" }, { -46, "HSS-LMS" },
	{ -18, "shake128" }, { -45, "shake256" }, { 5, "HMAC256" },
};

const struct suit_name *suit_name_of(enum suit_kind in, int64_t key)
{
	const struct suit_name *each = NULL;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (names[i].in != in) { continue; }
		if (names[i].key == key) { return &names[i]; }
		if (names[i].key == SUIT_KEY_EACH) { each = &names[i]; }
	}
	return each;
}

const char *suit_algorithm_name(int64_t number)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
		if (algorithms[i].number == number) { return algorithms[i].name; }
	}
	return NULL;
}
