/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the notation of manifests, which shows files from anywhere on a terminal. The first
 * byte says as what the rest is shown. Properties: nothing is printed of what is no item of CBOR; what
 * is printed is text without control characters, and the same each time. */
#include <string.h>

#include "fota/cbor.h"
#include "fuzz.h"
#include "suit_diag.h"

static bool print(struct fota_bytes item, enum suit_kind kind, char **text, size_t *len)
{
	FILE *out = open_memstream(text, len);
	bool is_printed;

	if (!out) { abort(); }
	is_printed = suit_diag_print(out, item, kind);
	(void)fclose(out);
	return is_printed;
}

/* Text in UTF-8, of which C0 and C1 have no part but the end of a line. */
static bool is_harmless(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool is_c1 = c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0;

		if ((c < ' ' && c != '\n') || c == 127 || is_c1) { return false; }
	}
	return fota_cbor_is_text((struct fota_bytes) { (const uint8_t *)text, len });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input in = { data, len };
	enum suit_kind kind = (enum suit_kind)(fuzz_take(&in) % (SUIT_KIND_TEXT_COMPONENT + 1));
	struct fota_bytes item = { in.ptr, in.len };
	char *text = NULL, *again = NULL;
	size_t text_len = 0, again_len = 0;
	bool is_printed = print(item, kind, &text, &text_len);

	fuzz_require(is_printed == (text_len > 0), "what is no item is not shown");
	fuzz_require(is_harmless(text, text_len), "no terminal takes it for a command");
	fuzz_require(print(item, kind, &again, &again_len) == is_printed && again_len == text_len &&
			     memcmp(text, again, text_len) == 0,
		     "it is shown the same each time");
	free(text);
	free(again);
	return 0;
}
