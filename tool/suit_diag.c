/* SPDX-License-Identifier: Apache-2.0 */
/* One function a major type; each gets the encoded item. A cursor takes items off their
 * container, so that nothing is read twice in two ways. Depth is bounded, since each
 * byte string may have another one in it. */
#include "suit_diag.h"

#include <inttypes.h>
#include <string.h>

#include "fota/cbor.h"
#include "fota/uuid.h"

#define DEPTH_MAX 24u
#define INDENT    "    "

struct diag {
	FILE *out;
	unsigned depth;
};

static void put_item(struct diag *diag, struct fota_bytes item, enum suit_kind kind);

static unsigned major_of(struct fota_bytes item)
{
	return item.ptr[0] >> 5;
}

static void new_line(const struct diag *diag)
{
	fputc('\n', diag->out);
	for (unsigned i = 0; i < diag->depth; i++) {
		fputs(INDENT, diag->out);
	}
}

static void put_name(const struct diag *diag, const struct suit_name *name)
{
	if (name && name->name[0]) { fprintf(diag->out, "/ %s / ", name->name); }
}

static enum suit_kind kind_of(const struct suit_name *name)
{
	return name ? name->kind : SUIT_KIND_ANY;
}

/* What the number at the head of an item is; numbers have nothing but the head. */
static uint64_t head_value(struct fota_bytes item)
{
	uint64_t value = 0;

	if (item.len == 1) { return item.ptr[0] & 0x1f; }
	for (size_t i = 1; i < item.len; i++) {
		value = value << 8 | item.ptr[i];
	}
	return value;
}

static void put_number(const struct diag *diag, struct fota_bytes item, enum suit_kind kind)
{
	uint64_t value = head_value(item);
	bool is_negative = major_of(item) == 1;
	const char *algorithm = NULL;

	if (is_negative && value == UINT64_MAX) {
		fputs("-18446744073709551616", diag->out);
		return;
	}
	fprintf(diag->out, "%s%" PRIu64, is_negative ? "-" : "", value + is_negative);
	if (kind == SUIT_KIND_ALGORITHM && value < INT64_MAX) {
		algorithm = suit_algorithm_name(is_negative ? -1 - (int64_t)value : (int64_t)value);
	}
	if (algorithm) { fprintf(diag->out, " / \"%s\" /", algorithm); }
}

static void put_hex(const struct diag *diag, struct fota_bytes bytes)
{
	fputs("h'", diag->out);
	for (size_t i = 0; i < bytes.len; i++) {
		fprintf(diag->out, "%02x", bytes.ptr[i]);
	}
	fputc('\'', diag->out);
}

static void put_uuid(const struct diag *diag, struct fota_bytes bytes)
{
	fputs(" / ", diag->out);
	for (size_t i = 0; i < bytes.len; i++) {
		fprintf(diag->out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes.ptr[i]);
	}
	fputs(" /", diag->out);
}

static bool is_cbor(struct fota_bytes bytes)
{
	struct fota_rd rd;

	fota_rd_init(&rd, bytes);
	fota_rd_skip(&rd);
	return fota_rd_finish(&rd) == FOTA_ERR_OK;
}

static void put_bytes(struct diag *diag, struct fota_bytes item, enum suit_kind kind)
{
	struct fota_bytes bytes;
	struct fota_rd rd;

	fota_rd_init(&rd, item);
	bytes = fota_rd_bstr(&rd);
	if (kind > SUIT_KIND_STRUCTURED && diag->depth < DEPTH_MAX && is_cbor(bytes)) {
		fputs("<< ", diag->out);
		put_item(diag, bytes, kind);
		fputs(" >>", diag->out);
		return;
	}
	put_hex(diag, bytes);
	if (kind == SUIT_KIND_UUID && bytes.len == FOTA_UUID_BYTES) { put_uuid(diag, bytes); }
}

/* One that would move the cursor; the short form where JSON has one. */
static void put_control(const struct diag *diag, uint8_t c)
{
	static const char controls[] = "\b\t\n\f\r", letters[] = "btnfr";
	const char *at = c ? strchr(controls, c) : NULL;

	if (at) {
		fprintf(diag->out, "\\%c", letters[at - controls]);
	} else {
		fprintf(diag->out, "\\u%04x", c);
	}
}

/* JSON's escapes, also for C0, DEL and C1 (C2 80 to C2 9F). */
static void put_text(const struct diag *diag, struct fota_bytes item)
{
	struct fota_bytes text;
	struct fota_rd rd;

	fota_rd_init(&rd, item);
	text = fota_rd_text(&rd);
	fputc('"', diag->out);
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];

		if (c == 0xc2 && i + 1 < text.len && text.ptr[i + 1] < 0xa0) {
			put_control(diag, text.ptr[++i]);
		} else if (c < 0x20 || c == 0x7f) {
			put_control(diag, c);
		} else {
			fprintf(diag->out, "%s%c", c == '"' || c == '\\' ? "\\" : "", c);
		}
	}
	fputc('"', diag->out);
}

/* The next item of `rd` as a number that names things; SUIT_KEY_EACH if it is none. */
static int64_t key_of(struct fota_bytes item)
{
	struct fota_rd rd;
	int64_t key;

	fota_rd_init(&rd, item);
	key = fota_rd_int(&rd);
	return fota_rd_finish(&rd) ? SUIT_KEY_EACH : key;
}

/* A severed member of the manifest is a digest in the place of the byte string. */
static enum suit_kind member_kind(enum suit_kind in, const struct suit_name *name, struct fota_bytes value)
{
	bool is_severed =
		in == SUIT_KIND_MANIFEST && value.len && major_of(value) == 4 && kind_of(name) > SUIT_KIND_STRUCTURED;

	return is_severed ? SUIT_KIND_DIGEST : kind_of(name);
}

static void put_map(struct diag *diag, struct fota_bytes item, enum suit_kind kind)
{
	struct fota_rd_map map;
	struct fota_bytes value;
	struct fota_rd rd;
	int64_t number;
	bool is_first = true;

	fota_rd_init(&rd, item);
	fota_rd_map(&rd, &map);
	fputc('{', diag->out);
	diag->depth++;
	while (fota_rd_key(&rd, &map, &number)) {
		const struct suit_name *name = suit_name_of(kind, key_of(map.last_key));

		if (!is_first) { fputc(',', diag->out); }
		is_first = false;
		new_line(diag);
		put_name(diag, name);
		put_item(diag, map.last_key, SUIT_KIND_ANY);
		fputc(':', diag->out);
		value = fota_rd_item(&rd);
		put_item(diag, value, member_kind(kind, name, value));
	}
	diag->depth--;
	if (!is_first) { new_line(diag); }
	fputc('}', diag->out);
}

/* A list whose items have no names, on one line. */
static void put_plain_list(struct diag *diag, struct fota_rd *rd, uint64_t count)
{
	fputc('[', diag->out);
	for (uint64_t i = 0; i < count; i++) {
		if (i > 0) { fputs(", ", diag->out); }
		put_item(diag, fota_rd_item(rd), SUIT_KIND_ANY);
	}
	fputc(']', diag->out);
}

/* One item a line; in a sequence a command and its argument. */
static void put_named_list(struct diag *diag, struct fota_rd *rd, uint64_t count, enum suit_kind kind)
{
	bool is_sequence = kind == SUIT_KIND_SEQUENCE;

	fputc('[', diag->out);
	diag->depth++;
	for (uint64_t i = 0; i < count; i++) {
		struct fota_bytes item = fota_rd_item(rd);
		const struct suit_name *name = suit_name_of(kind, is_sequence ? key_of(item) : (int64_t)i);

		new_line(diag);
		put_name(diag, name);
		put_item(diag, item, is_sequence ? SUIT_KIND_ANY : kind_of(name));
		if (is_sequence && i + 1 < count) {
			fputc(',', diag->out);
			put_item(diag, fota_rd_item(rd), kind_of(name));
			i++;
		}
		if (i + 1 < count) { fputc(',', diag->out); }
	}
	diag->depth--;
	if (count > 0) { new_line(diag); }
	fputc(']', diag->out);
}

static void put_list(struct diag *diag, struct fota_bytes item, enum suit_kind kind)
{
	struct fota_rd rd;
	uint64_t count;

	fota_rd_init(&rd, item);
	count = fota_rd_array(&rd);
	if (kind > SUIT_KIND_STRUCTURED) {
		put_named_list(diag, &rd, count, kind);
	} else {
		put_plain_list(diag, &rd, count);
	}
}

static void put_tag(struct diag *diag, struct fota_bytes item, enum suit_kind kind)
{
	struct fota_rd rd;

	fota_rd_init(&rd, item);
	fprintf(diag->out, "%" PRIu64 "(", fota_rd_tag(&rd));
	put_item(diag, fota_rd_item(&rd), kind);
	fputc(')', diag->out);
}

static void put_simple(const struct diag *diag, struct fota_bytes item)
{
	static const char *const words[] = { "false", "true", "null / nil /" };

	fputs(words[item.ptr[0] & 3], diag->out); /* f4, f5, f6: there are no others */
}

static void put_item(struct diag *diag, struct fota_bytes item, enum suit_kind kind)
{
	if (item.len == 0) { return; }
	switch (major_of(item)) {
	case 0:
	case 1:
		put_number(diag, item, kind);
		break;
	case 2:
		put_bytes(diag, item, kind);
		break;
	case 3:
		put_text(diag, item);
		break;
	case 4:
		put_list(diag, item, kind);
		break;
	case 5:
		put_map(diag, item, kind);
		break;
	case 6:
		put_tag(diag, item, kind);
		break;
	default:
		put_simple(diag, item);
		break;
	}
}

bool suit_diag_print(FILE *out, struct fota_bytes item, enum suit_kind kind)
{
	struct diag diag = { .out = out };

	if (!is_cbor(item)) { return false; }
	put_item(&diag, item, kind);
	fputc('\n', out);
	return true;
}
