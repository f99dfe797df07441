/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of a manifest: one machine checks them all and runs those that this
 * device would run. Nothing is fetched or compared here; what would be is noted.
 *
 * Sequences hold sequences (try-each, run-sequence). They stand on a stack of cursors
 * that is as deep as the profile allows, so that depth is bounded without recursion and
 * work by the bytes: each turn takes a command or ends a sequence.
 *
 * A condition that is not met ends its sequence, and all that the sequence set is taken
 * back. If the sequence is soft, the next branch of its try-each is tried, or the
 * command behind its run-sequence; else the condition fails the sequence around as
 * well. So does a try-each without a branch left. A directive that cannot be carried
 * out ends everything. When commands are checked, no condition is looked at and every
 * branch is entered. */
#include "suit_priv.h"

#define LEVEL_MAX  (FOTA_SUIT_NESTING_MAX + 1u) /* a sequence and those in it */
#define POLICY_MAX 15u                          /* four bits */

/* Parameters that a command here reads. The others are checked and forgotten. */
enum kept { KEPT_VENDOR, KEPT_CLASS, KEPT_DIGEST, KEPT_SLOT, KEPT_SIZE, KEPT_URI, KEPT_COUNT, NOT_KEPT = KEPT_COUNT };

/* What a sequence that fails takes back. Values are where their items begin in the
 * envelope, so that a copy for each level is small; NULL: not set. Each was read when it
 * was set, so that it may be read again as far as it says. */
struct state {
	const uint8_t *kept[KEPT_COUNT];
	const uint8_t *digest, *size, *uri; /* of the image as it was matched; of the last fetch */
	bool has_vendor, has_class;
	bool is_loaded;  /* something was fetched */
	bool is_matched; /* and compared */
};

struct level {
	struct fota_rd rd;    /* the rest of the sequence */
	uint16_t left;        /* commands in it */
	uint16_t other_count; /* branches behind it; the level below stands at the first */
	bool is_try;
	bool is_soft;
	struct state before;
};

struct machine {
	struct level levels[LEVEL_MAX];
	size_t depth;
	struct state state;
	const struct fota_suit_device *device; /* NULL: commands are checked, not run */
	enum fota_suit_sequence section;
	unsigned command_count;
};

_Static_assert(FOTA_SUIT_ENVELOPE_MAX_BYTES <= UINT16_MAX, "a sequence has no more commands than bytes");

/* ---- parameters ---- */

/* The first byte of an item says its type, and for UUIDs the length as well. */
#define UUID   0x50, 0x50
#define DIGEST 0x58, 0x58
#define BYTES  0x40, 0x5b
#define NUMBER 0x00, 0x1b
#define TEXT   0x60, 0x7b
#define BOOL   0xf4, 0xf5

static const struct {
	uint8_t parameter, first, last, kept;
} parameters[] = {
	{ SUIT_PARAMETER_VENDOR, UUID, KEPT_VENDOR },
	{ SUIT_PARAMETER_CLASS, UUID, KEPT_CLASS },
	{ SUIT_PARAMETER_DIGEST, DIGEST, KEPT_DIGEST },
	{ SUIT_PARAMETER_SLOT, NUMBER, KEPT_SLOT },
	{ SUIT_PARAMETER_STRICT_ORDER, BOOL, NOT_KEPT }, /* here all is in order */
	{ SUIT_PARAMETER_SOFT_FAILURE, BOOL, NOT_KEPT }, /* belongs to the level */
	{ SUIT_PARAMETER_SIZE, NUMBER, KEPT_SIZE },
	{ SUIT_PARAMETER_CONTENT, BYTES, NOT_KEPT },
	{ SUIT_PARAMETER_URI, TEXT, KEPT_URI },
	{ SUIT_PARAMETER_SOURCE_COMPONENT, NUMBER, NOT_KEPT },
	{ SUIT_PARAMETER_INVOKE_ARGS, BYTES, NOT_KEPT },
	{ SUIT_PARAMETER_DEVICE, UUID, NOT_KEPT },
	{ SUIT_PARAMETER_FETCH_ARGUMENTS, BYTES, NOT_KEPT },
};

#define PARAMETER_COUNT (sizeof(parameters) / sizeof(parameters[0]))

/* Values as they are kept. */
static const uint8_t *uuid_of(const uint8_t *item)
{
	return item + 1;
}

/* The item is a string with a head of two bytes. */
static const uint8_t *digest_of(const uint8_t *item)
{
	return suit_digest_of((struct fota_bytes) { item + 2, SUIT_DIGEST_ENCODED_BYTES });
}

static uint64_t number_of(const uint8_t *item)
{
	struct fota_rd rd;

	fota_rd_init(&rd, (struct fota_bytes) { item, 9 }); /* the longest number */
	return fota_rd_uint(&rd);
}

static struct fota_bytes text_of(const uint8_t *item)
{
	struct fota_rd rd;

	fota_rd_init(&rd, (struct fota_bytes) { item, item ? FOTA_SUIT_ENVELOPE_MAX_BYTES : 0 });
	return fota_rd_text(&rd);
}

static bool is_digest(struct fota_bytes item)
{
	return item.len == 2 + SUIT_DIGEST_ENCODED_BYTES && digest_of(item.ptr);
}

/* The value of parameters[i]; after it the reader has no error or has it been told. */
static const uint8_t *get_value(struct fota_rd *rd, size_t i)
{
	struct fota_bytes item = fota_rd_item(rd);

	if (rd->err) { return NULL; }
	if (item.ptr[0] < parameters[i].first || item.ptr[0] > parameters[i].last ||
	    (parameters[i].kept == KEPT_DIGEST && !is_digest(item))) {
		fota_rd_fail(rd, FOTA_ERR_FORMAT);
	}
	return item.ptr;
}

static void set_parameter(struct machine *m, struct level *level, int64_t key)
{
	const uint8_t *value;
	size_t i = 0;

	while (i < PARAMETER_COUNT && parameters[i].parameter != key) {
		i++;
	}
	if (i == PARAMETER_COUNT) {
		fota_rd_fail(&level->rd, FOTA_ERR_UNSUPPORTED);
		return;
	}
	value = get_value(&level->rd, i);
	if (level->rd.err) { return; }
	if (parameters[i].kept != NOT_KEPT) { m->state.kept[parameters[i].kept] = value; }
	if (key != SUIT_PARAMETER_SOFT_FAILURE) { return; }
	if (m->depth == 1) { fota_rd_fail(&level->rd, FOTA_ERR_FORMAT); } /* not outside of a sequence in a sequence */
	level->is_soft = *value & 1;
}

static void override_parameters(struct machine *m, struct level *level)
{
	struct fota_rd_map map;
	int64_t key;

	fota_rd_map(&level->rd, &map);
	if (map.left == 0) { fota_rd_fail(&level->rd, FOTA_ERR_FORMAT); }
	while (fota_rd_key(&level->rd, &map, &key)) {
		set_parameter(m, level, key);
	}
}

/* ---- conditions and directives ---- */

static bool is_met(const uint8_t *set, const uint8_t own[FOTA_UUID_BYTES])
{
	return set && memcmp(uuid_of(set), own, FOTA_UUID_BYTES) == 0;
}

static enum fota_err if_vendor(struct machine *m)
{
	m->state.has_vendor = is_met(m->state.kept[KEPT_VENDOR], m->device->vendor);
	return m->state.has_vendor ? FOTA_ERR_OK : FOTA_ERR_MISMATCH;
}

static enum fota_err if_class(struct machine *m)
{
	m->state.has_class = is_met(m->state.kept[KEPT_CLASS], m->device->class_id);
	return m->state.has_class ? FOTA_ERR_OK : FOTA_ERR_MISMATCH;
}

static enum fota_err if_slot(struct machine *m)
{
	const uint8_t *slot = m->state.kept[KEPT_SLOT];

	return slot && number_of(slot) == m->device->slot ? FOTA_ERR_OK : FOTA_ERR_CORRUPT;
}

/* Two matches must ask for the same. */
static bool is_agreed(const struct state *state)
{
	const uint8_t *digest = state->kept[KEPT_DIGEST], *size = state->kept[KEPT_SIZE];

	return (!state->digest || memcmp(digest_of(state->digest), digest_of(digest), FOTA_SUIT_DIGEST_BYTES) == 0) &&
	       (!state->size || !size || number_of(state->size) == number_of(size));
}

/* Nobody knows what is in the slot before something was fetched, so it does not match.
 * Validate is about what the slot holds in the end. */
static enum fota_err if_image(struct machine *m)
{
	struct state *state = &m->state;

	if (!state->kept[KEPT_DIGEST] || (!state->is_loaded && m->section != FOTA_SUIT_VALIDATE) || !is_agreed(state)) {
		return FOTA_ERR_CORRUPT;
	}
	state->digest = state->kept[KEPT_DIGEST];
	if (state->kept[KEPT_SIZE]) { state->size = state->kept[KEPT_SIZE]; }
	state->is_matched = true;
	return FOTA_ERR_OK;
}

/* abort; device: this module has no such identifier; check-content: no image is so small
 * that a manifest has it. */
static enum fota_err if_never(struct machine *m)
{
	(void)m;
	return FOTA_ERR_CORRUPT;
}

static enum fota_err fetch(struct machine *m)
{
	if (m->section != FOTA_SUIT_PAYLOAD_FETCH && m->section != FOTA_SUIT_INSTALL) { return FOTA_ERR_UNSUPPORTED; }
	m->state.uri = m->state.kept[KEPT_URI];
	m->state.is_loaded = true;
	m->state.is_matched = false;
	return FOTA_ERR_OK;
}

static enum fota_err cannot(struct machine *m)
{
	(void)m;
	return FOTA_ERR_UNSUPPORTED;
}

enum argument { ARGUMENT_POLICY, ARGUMENT_INDEX, ARGUMENT_PARAMETERS, ARGUMENT_BRANCHES, ARGUMENT_SEQUENCE };

struct command {
	uint8_t code, argument;
	enum fota_err (*run)(struct machine *m); /* those with a policy */
};

static const struct command commands[] = {
	{ SUIT_IF_VENDOR, ARGUMENT_POLICY, if_vendor },
	{ SUIT_IF_CLASS, ARGUMENT_POLICY, if_class },
	{ SUIT_IF_IMAGE_MATCH, ARGUMENT_POLICY, if_image },
	{ SUIT_IF_COMPONENT_SLOT, ARGUMENT_POLICY, if_slot },
	{ SUIT_IF_CHECK_CONTENT, ARGUMENT_POLICY, if_never },
	{ SUIT_SET_COMPONENT_INDEX, ARGUMENT_INDEX, NULL },
	{ SUIT_IF_ABORT, ARGUMENT_POLICY, if_never },
	{ SUIT_TRY_EACH, ARGUMENT_BRANCHES, NULL },
	{ SUIT_WRITE, ARGUMENT_POLICY, cannot },
	{ SUIT_OVERRIDE_PARAMETERS, ARGUMENT_PARAMETERS, NULL },
	{ SUIT_FETCH, ARGUMENT_POLICY, fetch },
	{ SUIT_COPY, ARGUMENT_POLICY, cannot },
	{ SUIT_INVOKE, ARGUMENT_POLICY, cannot },
	{ SUIT_IF_DEVICE, ARGUMENT_POLICY, if_never },
	{ SUIT_SWAP, ARGUMENT_POLICY, cannot },
	{ SUIT_RUN_SEQUENCE, ARGUMENT_SEQUENCE, NULL },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* ---- levels ---- */

/* Begins a sequence in the topmost level. */
static enum fota_err open_sequence(struct level *level, struct fota_bytes sequence)
{
	uint64_t count;

	fota_rd_init(&level->rd, sequence);
	count = fota_rd_array(&level->rd);
	if (count == 0 || count % 2 || count > sequence.len) { fota_rd_fail(&level->rd, FOTA_ERR_FORMAT); }
	level->left = (uint16_t)(count / 2);
	level->is_soft = level->is_try;
	return level->rd.err;
}

/* The next branch in the topmost level; nil as the last one has nothing to do. The level
 * below reads the list. */
static enum fota_err open_branch(struct machine *m)
{
	struct level *level = &m->levels[m->depth - 1];
	struct fota_bytes item = fota_rd_item(&level[-1].rd);
	struct fota_rd rd;
	struct fota_bytes sequence;

	level->other_count--;
	if (item.len == 1 && item.ptr[0] == 0xf6 && level->other_count == 0) {
		m->depth--;
		return FOTA_ERR_OK;
	}
	fota_rd_init(&rd, item);
	sequence = fota_rd_bstr(&rd);
	return rd.err ? rd.err : open_sequence(level, sequence);
}

static struct level *push(struct machine *m, bool is_try)
{
	struct level *level;

	if (m->depth == LEVEL_MAX) { return NULL; }
	level = &m->levels[m->depth++];
	level->is_try = is_try;
	level->other_count = 0;
	level->before = m->state;
	return level;
}

static enum fota_err push_sequence(struct machine *m, struct fota_bytes sequence)
{
	struct level *level = push(m, false);

	return level ? open_sequence(level, sequence) : FOTA_ERR_UNSUPPORTED;
}

static enum fota_err push_branches(struct machine *m, uint64_t count)
{
	struct level *level = push(m, true);

	if (!level) { return FOTA_ERR_UNSUPPORTED; }
	if (count == 0 || count > FOTA_SUIT_ENVELOPE_MAX_BYTES) { return FOTA_ERR_FORMAT; }
	level->other_count = (uint16_t)count;
	return open_branch(m);
}

/* The topmost sequence came to its end. */
static enum fota_err end_sequence(struct machine *m)
{
	struct level *level = &m->levels[m->depth - 1];
	enum fota_err err = fota_rd_finish(&level->rd);

	if (err) { return err; }
	if (!m->device && level->other_count) { return open_branch(m); }
	for (; level->other_count; level->other_count--) {
		fota_rd_skip(&level[-1].rd);
	}
	m->depth--;
	return FOTA_ERR_OK;
}

/* A condition is not met: OK if the machine can go on. Where branches are left behind
 * unread, the level that reads them fails as well. */
static enum fota_err fail_sequence(struct machine *m, enum fota_err err)
{
	while (m->depth) {
		const struct level *level = &m->levels[m->depth - 1];

		m->state = level->before;
		if (level->is_soft && level->other_count) { return open_branch(m); }
		m->depth--;
		if (level->is_soft && !level->is_try) { return FOTA_ERR_OK; }
	}
	return err;
}

/* ---- the machine ---- */

/* The only component, all components, or a list of it. */
static void check_index(struct fota_rd *rd)
{
	static const struct fota_bytes known[] = { { (const uint8_t *)"\x00", 1 },
						   { (const uint8_t *)"\xf5", 1 },
						   { (const uint8_t *)"\x81\x00", 2 } };
	struct fota_bytes item = fota_rd_item(rd);

	if (rd->err) { return; }
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (fota_bytes_is_equal(item, known[i])) { return; }
	}
	/* numbers and lists begin so: there is no such component */
	fota_rd_fail(rd, (item.ptr[0] & 0x60) == 0 ? FOTA_ERR_UNSUPPORTED : FOTA_ERR_FORMAT);
}

/* All that is no flow: conditions, and directives that act. */
static enum fota_err run_with_policy(struct machine *m, struct level *level, const struct command *command)
{
	if (fota_rd_uint(&level->rd) > POLICY_MAX) { fota_rd_fail(&level->rd, FOTA_ERR_FORMAT); }
	return level->rd.err || !m->device ? level->rd.err : command->run(m);
}

static enum fota_err run_command(struct machine *m, struct level *level, const struct command *command)
{
	struct fota_bytes inner;
	uint64_t count;

	switch (command->argument) {
	case ARGUMENT_POLICY:
		return run_with_policy(m, level, command);
	case ARGUMENT_INDEX:
		check_index(&level->rd);
		return level->rd.err;
	case ARGUMENT_PARAMETERS:
		override_parameters(m, level);
		return level->rd.err;
	case ARGUMENT_BRANCHES:
		count = fota_rd_array(&level->rd);
		return level->rd.err ? level->rd.err : push_branches(m, count);
	default:
		inner = fota_rd_bstr(&level->rd);
		return level->rd.err ? level->rd.err : push_sequence(m, inner);
	}
}

static enum fota_err next_command(struct machine *m)
{
	struct level *level = &m->levels[m->depth - 1];
	int64_t code = fota_rd_int(&level->rd);

	if (level->rd.err) { return level->rd.err; }
	level->left--;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (commands[i].code == code) { return run_command(m, level, &commands[i]); }
	}
	return FOTA_ERR_UNSUPPORTED;
}

static enum fota_err run_section(struct machine *m, const struct fota_suit *suit, enum fota_suit_sequence section)
{
	enum fota_err err;

	if (!suit->sequences[section].len) { return FOTA_ERR_OK; }
	m->section = section;
	m->depth = 0;
	err = push_sequence(m, suit->sequences[section]);
	while (!err && m->depth) {
		if (m->levels[m->depth - 1].left == 0) {
			err = end_sequence(m);
			continue;
		}
		m->command_count++;
		err = next_command(m);
		if (err == FOTA_ERR_MISMATCH || err == FOTA_ERR_CORRUPT) { err = fail_sequence(m, err); }
		if (!m->device && m->command_count > FOTA_SUIT_COMMAND_MAX) { return FOTA_ERR_UNSUPPORTED; }
	}
	return err;
}

enum fota_err suit_check_commands(const struct fota_suit *suit)
{
	struct machine machine;
	enum fota_err err = FOTA_ERR_OK;

	machine.state = (struct state) { .has_vendor = false };
	machine.device = NULL;
	machine.command_count = 0;
	for (unsigned i = 0; !err && i < FOTA_SUIT_SEQUENCE_COUNT; i++) {
		err = run_section(&machine, suit, (enum fota_suit_sequence)i);
	}
	return err;
}

static void tell(const struct state *state, bool is_complete, struct fota_suit_plan *plan)
{
	plan->has_vendor = state->has_vendor;
	plan->has_class = state->has_class;
	plan->has_digest = state->digest != NULL;
	plan->has_size = state->size != NULL;
	plan->is_fetched = is_complete && state->is_loaded && state->is_matched;
	plan->uri = text_of(state->uri);
	if (plan->has_digest) { memcpy(plan->digest, digest_of(state->digest), FOTA_SUIT_DIGEST_BYTES); }
	if (plan->has_size) { plan->size_bytes = number_of(state->size); }
}

enum fota_err fota_suit_plan(const struct fota_suit *suit, const struct fota_suit_device *device,
			     struct fota_suit_plan *plan)
{
	/* the shared sequence stands before each other one */
	static const uint8_t order[] = { FOTA_SUIT_SHARED,  FOTA_SUIT_PAYLOAD_FETCH, FOTA_SUIT_SHARED,
					 FOTA_SUIT_INSTALL, FOTA_SUIT_SHARED,        FOTA_SUIT_VALIDATE };
	struct machine machine;
	enum fota_err err = FOTA_ERR_OK;

	*plan = (struct fota_suit_plan) { .size_bytes = 0 };
	machine.state = (struct state) { .has_vendor = false };
	machine.device = device;
	machine.command_count = 0;
	for (size_t i = 0; !err && i < sizeof(order); i++) {
		err = run_section(&machine, suit, (enum fota_suit_sequence)order[i]);
	}
	if (!err) { tell(&machine.state, !suit->is_incomplete, plan); }
	return err;
}
