/* SPDX-License-Identifier: Apache-2.0 */
/* One row a command and one row a parameter. The commands were checked by fota_suit_get,
 * nesting too, so that sequences in sequences may be printed by calling on. */
#include "suit_words.h"

#include <inttypes.h>

#include "fota/cbor.h"
#include "fota/uuid.h"

#define INDENT "    "

enum argument {
	ARGUMENT_POLICY, /* what to report; not told */
	ARGUMENT_ITEM,   /* told behind the words */
	ARGUMENT_PARAMETERS,
	ARGUMENT_SEQUENCE,
	ARGUMENT_SEQUENCES,
};

static const struct {
	uint64_t command;
	const char *words;
	enum argument argument;
} commands[] = {
	{ 1, "Goes on only on a module of this vendor", ARGUMENT_POLICY },
	{ 2, "Goes on only on a module of this class (model)", ARGUMENT_POLICY },
	{ 3, "Goes on only if the image has this digest and size", ARGUMENT_POLICY },
	{ 5, "Goes on only if the image is to go into this slot", ARGUMENT_POLICY },
	{ 6, "Goes on only if the content is this", ARGUMENT_POLICY },
	{ 12, "Turns to component", ARGUMENT_ITEM },
	{ 14, "Gives up", ARGUMENT_POLICY },
	{ 15, "Tries one way after the other until one works:", ARGUMENT_SEQUENCES },
	{ 18, "Writes the content (not carried out by this service)", ARGUMENT_POLICY },
	{ 20, "From here on:", ARGUMENT_PARAMETERS },
	{ 21, "Fetches the image", ARGUMENT_POLICY },
	{ 22, "Copies from another component (not carried out by this service)", ARGUMENT_POLICY },
	{ 23, "Starts the image (left to the boot loader)", ARGUMENT_POLICY },
	{ 24, "Goes on only on this very device", ARGUMENT_POLICY },
	{ 31, "Swaps with another component (not carried out by this service)", ARGUMENT_POLICY },
	{ 32, "Runs these commands:", ARGUMENT_SEQUENCE },
};

enum value { VALUE_UUID, VALUE_DIGEST, VALUE_BYTES, VALUE_NUMBER, VALUE_FLAG, VALUE_TEXT };

static const struct {
	int64_t parameter;
	const char *words;
	enum value value;
} parameters[] = {
	{ 1, "the vendor is", VALUE_UUID },
	{ 2, "the class is", VALUE_UUID },
	{ 3, "the digest is", VALUE_DIGEST },
	{ 5, "the slot is", VALUE_NUMBER },
	{ 12, "the order is strict:", VALUE_FLAG },
	{ 13, "a failure may be survived:", VALUE_FLAG },
	{ 14, "the size in bytes is", VALUE_NUMBER },
	{ 18, "the content is", VALUE_BYTES },
	{ 21, "the image is at", VALUE_TEXT },
	{ 22, "the source is component", VALUE_NUMBER },
	{ 23, "the arguments are", VALUE_BYTES },
	{ 24, "the device is", VALUE_UUID },
	{ 25, "the fetch has the arguments", VALUE_BYTES },
};

static const char *const headings[] = {
	[FOTA_SUIT_SHARED] = "Before each of the following",
	[FOTA_SUIT_PAYLOAD_FETCH] = "To get the image",
	[FOTA_SUIT_INSTALL] = "To install",
	[FOTA_SUIT_VALIDATE] = "To check what is installed",
	[FOTA_SUIT_LOAD] = "To load (not carried out by this service)",
	[FOTA_SUIT_INVOKE] = "To start (left to the boot loader)",
};

struct words {
	FILE *out;
	unsigned depth;
};

static void put_sequence(struct words *words, struct fota_bytes sequence);

static void indent(const struct words *words)
{
	for (unsigned i = 0; i < words->depth; i++) {
		fputs(INDENT, words->out);
	}
}

static void put_hex(const struct words *words, struct fota_bytes bytes, bool is_uuid)
{
	for (size_t i = 0; i < bytes.len; i++) {
		bool is_dash = is_uuid && (i == 4 || i == 6 || i == 8 || i == 10);

		fprintf(words->out, "%s%02x", is_dash ? "-" : "", bytes.ptr[i]);
	}
}

/* Printed so that no terminal takes a part of it for a command. */
static void put_text(const struct words *words, struct fota_bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		bool is_c1 = i > 0 && text.ptr[i - 1] == 0xc2 && text.ptr[i] < 0xa0;
		bool is_control = text.ptr[i] < 0x20 || text.ptr[i] == 0x7f || is_c1;

		if (text.ptr[i] == 0xc2 && i + 1 < text.len && text.ptr[i + 1] < 0xa0) { continue; }
		fputc(is_control ? '?' : text.ptr[i], words->out);
	}
}

static void put_digest(const struct words *words, struct fota_bytes encoded)
{
	struct fota_rd rd;

	fota_rd_init(&rd, encoded);
	fota_rd_array(&rd);
	fota_rd_int(&rd);
	fputs("SHA-256 ", words->out);
	put_hex(words, fota_rd_bstr(&rd), false);
}

/* A number, true or false, or a list of them. */
static void put_plain(const struct words *words, struct fota_bytes item)
{
	struct fota_rd rd;
	uint64_t count;

	if (item.len == 0) { return; }
	fota_rd_init(&rd, item);
	switch (item.ptr[0] >> 5) {
	case 0:
		fprintf(words->out, "%" PRIu64, fota_rd_uint(&rd));
		return;
	case 4:
		count = fota_rd_array(&rd);
		for (uint64_t i = 0; i < count; i++) {
			fprintf(words->out, "%s%" PRIu64, i ? ", " : "", fota_rd_uint(&rd));
		}
		return;
	default:
		fputs(item.ptr[0] == 0xf5 ? "yes" : item.ptr[0] == 0xf4 ? "no" : "?", words->out);
		return;
	}
}

static void put_value(const struct words *words, struct fota_rd *rd, enum value value)
{
	switch (value) {
	case VALUE_UUID:
		put_hex(words, fota_rd_bstr(rd), true);
		break;
	case VALUE_DIGEST:
		put_digest(words, fota_rd_bstr(rd));
		break;
	case VALUE_BYTES:
		put_hex(words, fota_rd_bstr(rd), false);
		break;
	case VALUE_TEXT:
		put_text(words, fota_rd_text(rd));
		break;
	case VALUE_NUMBER:
	case VALUE_FLAG:
		put_plain(words, fota_rd_item(rd));
		break;
	}
}

static void put_parameter(const struct words *words, struct fota_rd *rd, int64_t key)
{
	for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
		if (parameters[i].parameter != key) { continue; }
		indent(words);
		fprintf(words->out, "%s ", parameters[i].words);
		put_value(words, rd, parameters[i].value);
		fputc('\n', words->out);
		return;
	}
	fota_rd_skip(rd);
}

static void put_parameters(struct words *words, struct fota_rd *rd)
{
	struct fota_rd_map map;
	int64_t key;

	fota_rd_map(rd, &map);
	words->depth++;
	while (fota_rd_key(rd, &map, &key)) {
		put_parameter(words, rd, key);
	}
	words->depth--;
}

/* The ways of a try-each; the last one may be nil, which always works. */
static void put_ways(struct words *words, struct fota_bytes list)
{
	struct fota_rd rd, way;
	uint64_t count;

	fota_rd_init(&rd, list);
	count = fota_rd_array(&rd);
	words->depth++;
	for (uint64_t i = 0; i < count; i++) {
		struct fota_bytes item = fota_rd_item(&rd);
		bool is_sequence = item.len && item.ptr[0] >> 5 == 2;

		indent(words);
		fprintf(words->out, "%" PRIu64 ".%s\n", i + 1, is_sequence ? "" : " nothing");
		if (!is_sequence) { continue; }
		fota_rd_init(&way, item);
		words->depth++;
		put_sequence(words, fota_rd_bstr(&way));
		words->depth--;
	}
	words->depth--;
}

static void put_argument(struct words *words, struct fota_rd *rd, enum argument argument)
{
	if (argument == ARGUMENT_ITEM) {
		fputc(' ', words->out);
		put_plain(words, fota_rd_item(rd));
	}
	fputc('\n', words->out);
	switch (argument) {
	case ARGUMENT_POLICY:
		fota_rd_skip(rd);
		break;
	case ARGUMENT_ITEM:
		break;
	case ARGUMENT_PARAMETERS:
		put_parameters(words, rd);
		break;
	case ARGUMENT_SEQUENCE:
		words->depth++;
		put_sequence(words, fota_rd_bstr(rd));
		words->depth--;
		break;
	case ARGUMENT_SEQUENCES:
		put_ways(words, fota_rd_item(rd));
		break;
	}
}

static void put_command(struct words *words, struct fota_rd *rd)
{
	uint64_t command = fota_rd_uint(rd);

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (commands[i].command != command) { continue; }
		indent(words);
		fputs(commands[i].words, words->out);
		put_argument(words, rd, commands[i].argument);
		return;
	}
	fota_rd_skip(rd);
}

static void put_sequence(struct words *words, struct fota_bytes sequence)
{
	struct fota_rd rd;
	uint64_t count;

	fota_rd_init(&rd, sequence);
	count = fota_rd_array(&rd) / 2;
	for (uint64_t i = 0; i < count; i++) {
		put_command(words, &rd);
	}
}

void suit_words_print(FILE *out, const struct fota_suit *suit)
{
	struct words words = { .out = out, .depth = 1 };

	fputs("What a module does with it:\n", out);
	for (int i = 0; i < FOTA_SUIT_SEQUENCE_COUNT; i++) {
		if (suit->sequences[i].len == 0) { continue; }
		fprintf(out, "%s\n", headings[i]);
		put_sequence(&words, suit->sequences[i]);
	}
}
