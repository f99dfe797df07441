/* SPDX-License-Identifier: Apache-2.0 */
/* Compares what a manifest asks for with a model of its commands that was written for this
 * test from docs/suit-profile.md: a tree that is walked by recursion, in place of a stack of cursors
 * over the bytes.
 *
 * The input chooses the tree, byte by byte: sequences, commands, parameters with one of two values
 * each, branches. It is written as a right manifest around it, so that nothing is
 * refused for its form; what remains are the limits of the profile, which the model knows. */
#include "fuzz_suit.h"

#define SEQUENCES      128u
#define COMMANDS       6u
#define BRANCHES       3u
#define DEPTH_MAX      (FOTA_SUIT_NESTING_MAX + 2u) /* one more than is taken */
#define MANIFEST_BYTES 8192u

enum { VENDOR, CLASS, DIGEST, SLOT, SOFT, SIZE, URI, PARAMETERS };

/* By their number in the standard, which is also their order in a map. */
static const uint8_t keys[PARAMETERS] = { 1, 2, 3, 5, 13, 14, 21 };

enum { IF_VENDOR = 1, IF_CLASS, IF_IMAGE, IF_SLOT = 5, SET_INDEX = 12, TRY_EACH = 15, OVERRIDE = 20, FETCH, RUN = 32 };

/* Chosen by a byte; what is of more interest stands there more than once. */
static const uint8_t codes[] = { IF_VENDOR, IF_CLASS, IF_IMAGE, IF_SLOT,  SET_INDEX, TRY_EACH, OVERRIDE, FETCH,
				 RUN,       IF_IMAGE, OVERRIDE, OVERRIDE, TRY_EACH,  RUN,      FETCH,    6,
				 14,        18,       22,       23,       24,        31 };

struct command {
	uint8_t code;
	uint8_t mask, values; /* OVERRIDE: bit n is parameter n */
	bool is_nil_last;     /* TRY_EACH */
	unsigned branch_count;
	unsigned branches[BRANCHES]; /* sequences */
};

struct sequence {
	unsigned count;
	struct command commands[COMMANDS];
};

static struct sequence sequences[SEQUENCES];
static unsigned sequence_count, command_count, depth;
static struct fota_wr wr;

/* ---- the tree, as it is written ---- */

static unsigned make_sequence(struct fuzz_input *in, unsigned level);

static void put_value(unsigned parameter, bool value)
{
	static const uint8_t digest[4] = { 0x82, 0x2f, 0x58, 32 };
	uint8_t bytes[36] = { 0 };

	switch (parameter) {
	case VENDOR:
	case CLASS:
		bytes[0] = value; /* the device has zeros */
		fota_wr_bstr(&wr, (struct fota_bytes) { bytes, FOTA_UUID_BYTES });
		break;
	case DIGEST:
		memcpy(bytes, digest, sizeof(digest));
		bytes[4] = value;
		fota_wr_bstr(&wr, (struct fota_bytes) { bytes, sizeof(bytes) });
		break;
	case SOFT:
		bytes[0] = value ? 0xf5 : 0xf4;
		fota_wr_raw(&wr, (struct fota_bytes) { bytes, 1 });
		break;
	case URI:
		fota_wr_text(&wr, fota_bytes_of(value ? "b" : "aa"));
		break;
	default:
		fota_wr_uint(&wr, value ? 1000 : 0);
	}
}

/* Soft failure has no place outside of a sequence in a sequence. */
static void make_parameters(struct fuzz_input *in, struct command *cmd, unsigned level)
{
	cmd->mask = fuzz_take(in) % (1u << PARAMETERS);
	cmd->values = fuzz_take(in);
	if (level == 0) { cmd->mask &= (uint8_t) ~(1u << SOFT); }
	if (cmd->mask == 0) { cmd->mask = 1u << DIGEST; }
	fota_wr_map(&wr, (size_t)__builtin_popcount(cmd->mask));
	for (unsigned i = 0; i < PARAMETERS; i++) {
		if (!(cmd->mask >> i & 1)) { continue; }
		fota_wr_uint(&wr, keys[i]);
		put_value(i, cmd->values >> i & 1);
	}
}

static unsigned make_inner(struct fuzz_input *in, unsigned level)
{
	size_t begin = fota_wr_bstr_begin(&wr);
	unsigned made = make_sequence(in, level + 1);

	fota_wr_bstr_end(&wr, begin);
	return made;
}

static void make_branches(struct fuzz_input *in, struct command *cmd, unsigned level)
{
	uint8_t choice = fuzz_take(in);

	cmd->branch_count = 1 + choice % BRANCHES;
	cmd->is_nil_last = choice & 0x80;
	fota_wr_array(&wr, cmd->branch_count + cmd->is_nil_last);
	for (unsigned i = 0; i < cmd->branch_count; i++) {
		cmd->branches[i] = make_inner(in, level);
	}
	if (cmd->is_nil_last) { fota_wr_raw(&wr, (struct fota_bytes) { (const uint8_t *)"\xf6", 1 }); }
}

static void make_command(struct fuzz_input *in, struct command *cmd, unsigned level)
{
	static const struct fota_bytes indices[] = { { (const uint8_t *)"\x00", 1 },
						     { (const uint8_t *)"\xf5", 1 },
						     { (const uint8_t *)"\x81\x00", 2 } };
	bool is_deepest = level == DEPTH_MAX || sequence_count + BRANCHES >= SEQUENCES;

	cmd->code = codes[fuzz_take(in) % sizeof(codes)];
	if (is_deepest && (cmd->code == TRY_EACH || cmd->code == RUN)) { cmd->code = FETCH; }
	fota_wr_uint(&wr, cmd->code);
	command_count++;
	if (cmd->code == OVERRIDE) {
		make_parameters(in, cmd, level);
	} else if (cmd->code == TRY_EACH) {
		make_branches(in, cmd, level);
	} else if (cmd->code == RUN) {
		cmd->branches[0] = make_inner(in, level);
	} else if (cmd->code == SET_INDEX) {
		fota_wr_raw(&wr, indices[fuzz_take(in) % 3]);
	} else {
		fota_wr_uint(&wr, fuzz_take(in) % 16);
	}
}

/* A sequence's number; those inside come behind it. */
static unsigned make_sequence(struct fuzz_input *in, unsigned level)
{
	unsigned number = sequence_count++;
	struct sequence *seq = &sequences[number];

	memset(seq, 0, sizeof(*seq));
	if (level > depth) { depth = level; }
	seq->count = 1 + fuzz_take(in) % COMMANDS;
	fota_wr_array(&wr, 2 * (size_t)seq->count);
	for (unsigned i = 0; i < seq->count; i++) {
		make_command(in, &seq->commands[i], level);
	}
	return number;
}

/* ---- the model ---- */

enum section { SHARED, PAYLOAD_FETCH, INSTALL, VALIDATE, SECTIONS };

/* Values as bits; -1: not set. */
struct state {
	int8_t set[PARAMETERS];
	int8_t digest, size, uri;
	bool has_vendor, has_class, is_loaded, is_matched;
};

static enum fota_err walk(unsigned number, bool is_branch, enum section section, struct state *state, bool *is_soft);

static bool differ(int8_t one, int8_t other)
{
	return one >= 0 && other >= 0 && one != other;
}

static enum fota_err match(enum section section, struct state *state)
{
	if (!state->is_loaded && section != VALIDATE) { return FOTA_ERR_CORRUPT; }
	if (state->set[DIGEST] < 0) { return FOTA_ERR_CORRUPT; }
	if (differ(state->digest, state->set[DIGEST]) || differ(state->size, state->set[SIZE])) {
		return FOTA_ERR_CORRUPT;
	}
	state->digest = state->set[DIGEST];
	if (state->set[SIZE] >= 0) { state->size = state->set[SIZE]; }
	state->is_matched = true;
	return FOTA_ERR_OK;
}

static enum fota_err do_fetch(enum section section, struct state *state)
{
	if (section != PAYLOAD_FETCH && section != INSTALL) { return FOTA_ERR_UNSUPPORTED; }
	state->uri = state->set[URI];
	state->is_loaded = true;
	state->is_matched = false;
	return FOTA_ERR_OK;
}

static enum fota_err do_override(const struct command *cmd, struct state *state, bool *is_soft)
{
	for (unsigned i = 0; i < PARAMETERS; i++) {
		if (!(cmd->mask >> i & 1)) { continue; }
		state->set[i] = cmd->values >> i & 1;
		if (i == SOFT) { *is_soft = state->set[i]; }
	}
	return FOTA_ERR_OK;
}

static enum fota_err do_try(const struct command *cmd, enum section section, struct state *state)
{
	enum fota_err err = FOTA_ERR_OK;

	for (unsigned i = 0; i < cmd->branch_count; i++) {
		bool is_soft;

		err = walk(cmd->branches[i], true, section, state, &is_soft);
		if (err == FOTA_ERR_OK || err == FOTA_ERR_UNSUPPORTED || !is_soft) { return err; }
	}
	return cmd->is_nil_last ? FOTA_ERR_OK : err;
}

static enum fota_err do_run(const struct command *cmd, enum section section, struct state *state)
{
	bool is_soft;
	enum fota_err err = walk(cmd->branches[0], false, section, state, &is_soft);

	return err != FOTA_ERR_UNSUPPORTED && is_soft ? FOTA_ERR_OK : err;
}

static enum fota_err do_command(const struct command *cmd, enum section section, struct state *state, bool *is_soft)
{
	switch (cmd->code) {
	case IF_VENDOR:
		state->has_vendor = state->set[VENDOR] == 0;
		return state->has_vendor ? FOTA_ERR_OK : FOTA_ERR_MISMATCH;
	case IF_CLASS:
		state->has_class = state->set[CLASS] == 0;
		return state->has_class ? FOTA_ERR_OK : FOTA_ERR_MISMATCH;
	case IF_IMAGE:
		return match(section, state);
	case IF_SLOT:
		return state->set[SLOT] == 0 ? FOTA_ERR_OK : FOTA_ERR_CORRUPT;
	case SET_INDEX:
		return FOTA_ERR_OK;
	case TRY_EACH:
		return do_try(cmd, section, state);
	case OVERRIDE:
		return do_override(cmd, state, is_soft);
	case FETCH:
		return do_fetch(section, state);
	case RUN:
		return do_run(cmd, section, state);
	case 6:
	case 14:
	case 24:
		return FOTA_ERR_CORRUPT;
	default:
		return FOTA_ERR_UNSUPPORTED;
	}
}

/* A sequence that fails takes back what it did. */
static enum fota_err walk(unsigned number, bool is_branch, enum section section, struct state *state, bool *is_soft)
{
	const struct sequence *seq = &sequences[number];
	struct state before = *state;
	enum fota_err err = FOTA_ERR_OK;

	*is_soft = is_branch;
	for (unsigned i = 0; !err && i < seq->count; i++) {
		err = do_command(&seq->commands[i], section, state, is_soft);
	}
	if (err) { *state = before; }
	return err;
}

/* ---- both ---- */

static void compare(const struct fota_suit *suit, const int roots[SECTIONS])
{
	static const enum section order[] = { SHARED, PAYLOAD_FETCH, SHARED, INSTALL, SHARED, VALIDATE };
	const struct fota_suit_device device = { .slot = 0 };
	struct state state = { .digest = -1, .size = -1, .uri = -1 };
	struct fota_suit_plan plan;
	enum fota_err err = FOTA_ERR_OK;
	bool is_soft;

	memset(state.set, -1, sizeof(state.set));
	for (size_t i = 0; !err && i < sizeof(order) / sizeof(order[0]); i++) {
		int root = roots[order[i]];

		if (root >= 0) { err = walk((unsigned)root, false, order[i], &state, &is_soft); }
	}
	fuzz_require(fota_suit_plan(suit, &device, &plan) == err, "both end alike");
	if (err) { return; }
	fuzz_require(plan.has_vendor == state.has_vendor && plan.has_class == state.has_class,
		     "both have met vendor and class, or not");
	fuzz_require(plan.is_fetched == (state.is_loaded && state.is_matched), "both fetch and match, or not");
	fuzz_require(plan.has_digest == (state.digest >= 0) && plan.digest[0] == (state.digest == 1),
		     "both have the same digest");
	fuzz_require(plan.has_size == (state.size >= 0) && plan.size_bytes == (state.size == 1 ? 1000u : 0u),
		     "both have the same size");
	fuzz_require(plan.uri.len == (state.uri < 0 ? 0u : state.uri ? 1u : 2u), "both have the same place");
}

static void put_member(struct fuzz_input *in, unsigned key, bool is_there, int *root)
{
	*root = -1;
	if (!is_there) { return; }
	fota_wr_uint(&wr, key);
	*root = (int)make_inner(in, UINT32_MAX); /* the outermost is level 0 */
}

/* {1: 1, 2: 1, 3: bstr {2: [[h'00']], 4: bstr shared}, 7: bstr, 16: bstr, 20: bstr} */
static enum fota_err make_manifest(struct fuzz_input *in, struct fota_room room, int roots[SECTIONS],
				   struct fota_bytes *manifest)
{
	unsigned there = fuzz_take(in);
	size_t begin;

	sequence_count = command_count = depth = 0;
	fota_wr_init(&wr, room);
	fota_wr_map(&wr, 3u + (size_t)__builtin_popcount(there & 7));
	fota_wr_raw(&wr, (struct fota_bytes) { (const uint8_t *)"\x01\x01\x02\x01\x03", 5 });
	begin = fota_wr_bstr_begin(&wr);
	fota_wr_map(&wr, there & 8 ? 2 : 1);
	fota_wr_raw(&wr, (struct fota_bytes) { (const uint8_t *)"\x02\x81\x81\x41\x00", 5 });
	put_member(in, 4, there & 8, &roots[SHARED]);
	fota_wr_bstr_end(&wr, begin);
	put_member(in, 7, there & 1, &roots[VALIDATE]);
	put_member(in, 16, there & 2, &roots[PAYLOAD_FETCH]);
	put_member(in, 20, there & 4, &roots[INSTALL]);
	return fota_wr_finish(&wr, manifest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t manifest_room[MANIFEST_BYTES], room[FOTA_SUIT_ENVELOPE_MAX_BYTES];
	struct fota_crypto crypto = fuzz_suit_crypto();
	struct fuzz_input in = { data, len };
	struct fota_bytes manifest, envelope;
	int roots[SECTIONS];
	struct fota_suit suit;
	bool is_too_much;

	if (make_manifest(&in, (struct fota_room) { manifest_room, sizeof(manifest_room) }, roots, &manifest) ||
	    fota_suit_seal(manifest, &crypto, NULL, 0, (struct fota_room) { room, sizeof(room) }, &envelope)) {
		return 0; /* too large */
	}
	is_too_much = command_count > FOTA_SUIT_COMMAND_MAX || depth > FOTA_SUIT_NESTING_MAX;
	fuzz_require(fota_suit_get(envelope, &crypto, &suit) == (is_too_much ? FOTA_ERR_UNSUPPORTED : FOTA_ERR_OK),
		     "a right manifest is read, unless it is too much");
	if (!is_too_much) { compare(&suit, roots); }
	return 0;
}
