/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of unsolicited results: a byte string of entries, each a head byte
 * (class in the top bit, length below) and its text. Entries of their own length
 * fit four times as many result codes into the RAM as fixed ones would, which had to be
 * as long as the longest progress line.
 *
 * When an entry does not fit, progress lines go, the oldest first; results that
 * are in the queue stay. A session owes its port at most three results, and a port
 * cannot start the next session while it holds them back, so that they always fit. */
#include "at/at_priv.h"

#define HEAD_PROGRESS 0x80u
#define HEAD_LEN      0x7fu

_Static_assert(AT_URC_TEXT_BYTES <= HEAD_LEN, "the length is in seven bits");
_Static_assert(AT_URC_MAX * 16u <= AT_URC_BYTES, "sixteen result codes fit");

static size_t entry_bytes(const struct at_server *at, size_t off)
{
	return 1 + (at->urc[off] & HEAD_LEN);
}

static void remove_entry(struct at_server *at, size_t off)
{
	size_t len = entry_bytes(at, off);

	memmove(at->urc + off, at->urc + off + len, at->urc_len - off - len);
	at->urc_len = (uint16_t)(at->urc_len - len);
	at->urc_count--;
}

/* False if there is no progress line to throw out. */
static bool remove_progress(struct at_server *at)
{
	for (size_t off = 0; off < at->urc_len; off += entry_bytes(at, off)) {
		if (at->urc[off] & HEAD_PROGRESS) {
			remove_entry(at, off);
			at->stats.lost_urc_count++;
			return true;
		}
	}
	return false;
}

static bool has_room(const struct at_server *at, size_t text_len)
{
	return at->urc_count < AT_URC_MAX && 1 + text_len <= AT_URC_BYTES - at->urc_len;
}

static void append(struct at_server *at, enum at_urc_class urc_class, struct fota_bytes text)
{
	uint8_t *entry = at->urc + at->urc_len;

	entry[0] = (uint8_t)(text.len | (urc_class == AT_URC_PROGRESS ? HEAD_PROGRESS : 0));
	memcpy(entry + 1, text.ptr, text.len);
	at->urc_len = (uint16_t)(at->urc_len + 1 + text.len);
	at->urc_count++;
}

/* Sends what waits. The caller knows that the moment is right. */
void at_urc_flush(struct at_server *at)
{
	while (at->urc_count > 0) {
		if (!at->values[AT_VALUE_Q]) {
			at_out_words(at, (struct fota_bytes) { at->urc + 1, at->urc[0] & HEAD_LEN });
		}
		remove_entry(at, 0);
	}
}

bool at_urc(struct at_server *at, enum at_urc_class urc_class, struct fota_bytes text)
{
	bool is_fit = text.len > 0 && text.len <= AT_URC_TEXT_BYTES;

	while (is_fit && !has_room(at, text.len)) {
		is_fit = remove_progress(at);
	}
	if (!is_fit) {
		at->stats.lost_urc_count++;
		return false;
	}
	append(at, urc_class, text);
	if (at_is_idle(at)) { at_urc_flush(at); }
	return true;
}
