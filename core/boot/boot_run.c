/* SPDX-License-Identifier: Apache-2.0 */
/* A start: journal, decision, look at the image, journal again. Blocking, since nothing
 * else happens before it is over; the parts are those of the session. */
#include "fota/boot.h"
#include "fota/journal.h"

static enum fota_err await(const struct fota_boot_cfg *cfg, enum fota_err err)
{
	if (err != FOTA_ERR_PENDING) { return err; }
	return cfg->wait ? cfg->wait(cfg->wait_ctx) : FOTA_ERR_CONTRACT;
}

static enum fota_err run_journal(const struct fota_boot_cfg *cfg, struct fota_journal *journal)
{
	enum fota_err err;

	do {
		err = fota_journal_poll(journal);
		if (err == FOTA_ERR_PENDING) {
			err = await(cfg, err);
			if (err) { fota_journal_fail(journal); }
		}
	} while (err == FOTA_ERR_OK);
	return err == FOTA_ERR_NONE ? FOTA_ERR_OK : err;
}

/* ---- looking at an image ---- */

static struct fota_room block_room(const struct fota_boot_cfg *cfg)
{
	return (struct fota_room) { cfg->work.ptr, cfg->work.cap - FOTA_JOURNAL_ROOM_BYTES };
}

static size_t piece_len(uint64_t size, uint64_t off, size_t cap)
{
	return size - off < cap ? (size_t)(size - off) : cap;
}

/* Two blocks: while one is hashed, a port that works by itself reads the next one. */
static enum fota_err hash_area(const struct fota_boot_cfg *cfg, const struct fota_flash *area, uint64_t size,
			       uint8_t digest[32])
{
	const struct fota_crypto *crypto = cfg->crypto;
	size_t cap = block_room(cfg).cap / 2, len = piece_len(size, 0, cap);
	uint8_t *now = block_room(cfg).ptr, *next = now + cap;
	enum fota_err err = crypto->sha256_begin(crypto->ctx);

	if (!err) { err = await(cfg, area->read(area->ctx, 0, now, len)); }
	for (uint64_t off = len; !err && len; off += len) {
		size_t next_len = piece_len(size, off, cap);
		enum fota_err reading = next_len ? area->read(area->ctx, off, next, next_len) : FOTA_ERR_OK;
		uint8_t *hashed = now;

		err = crypto->sha256_update(crypto->ctx, (struct fota_bytes) { now, len });
		reading = await(cfg, reading); /* also after an error: it fills the room */
		if (!err) { err = reading; }
		now = next;
		next = hashed;
		len = next_len;
	}
	return err ? err : crypto->sha256_finish(crypto->ctx, digest);
}

/* An image that the factory put there has no digest to look at. One that cannot be read is damaged;
 * TIMEOUT alone is an error. */
static enum fota_err look(const struct fota_boot_cfg *cfg, const struct fota_boot *boot, unsigned slot, bool *is_whole)
{
	const struct fota_image *image = &boot->images[slot];
	uint8_t digest[32];
	enum fota_err err;

	*is_whole = image->size_bytes == 0;
	if (*is_whole || image->size_bytes > cfg->slots[slot]->area_bytes) { return FOTA_ERR_OK; }
	err = hash_area(cfg, cfg->slots[slot], image->size_bytes, digest);
	*is_whole = !err && memcmp(digest, image->digest, sizeof(digest)) == 0;
	return err == FOTA_ERR_TIMEOUT ? err : FOTA_ERR_OK;
}

/* ---- the start ---- */

/* Only what would run is read: a slot is taken for whole until it is the one to boot.
 * Each turn either ends or rules out a slot. */
static enum fota_err select_whole(const struct fota_boot_cfg *cfg, struct fota_boot *boot,
				  struct fota_boot_choice *choice)
{
	const struct fota_boot before = *boot;
	unsigned usable = (1u << FOTA_SLOT_COUNT) - 1;

	while (true) {
		bool is_whole;
		enum fota_err err;

		*choice = fota_boot_select(boot, usable);
		if (choice->is_none) { return FOTA_ERR_OK; }
		err = look(cfg, boot, choice->slot, &is_whole);
		if (err || is_whole) { return err; }
		usable &= ~(1u << choice->slot);
		*boot = before;
	}
}

static bool is_cfg_usable(const struct fota_boot_cfg *cfg)
{
	return cfg->journal && cfg->crypto && cfg->slots[0] && (cfg->slots[1] || cfg->which) &&
	       cfg->work.cap >= FOTA_JOURNAL_ROOM_BYTES + 512;
}

static enum fota_err save(const struct fota_boot_cfg *cfg, struct fota_journal *journal)
{
	fota_journal_save(journal, FOTA_JOURNAL_SNAPSHOT);
	return run_journal(cfg, journal);
}

/* What could not be stored does not count: what would run without a trial runs, if it is
 * whole. It is looked at here, since so far perhaps only the image on trial was. */
static enum fota_err choose_unstored(const struct fota_boot_cfg *cfg, const struct fota_boot *before,
				     struct fota_boot_choice *choice)
{
	struct fota_boot idle = *before;
	enum fota_err err = FOTA_ERR_OK;

	if (cfg->which) {
		*choice = (struct fota_boot_choice) { .slot = choice->slot };
		return FOTA_ERR_OK;
	}
	idle.state = FOTA_BOOT_IDLE;
	err = select_whole(cfg, &idle, choice);
	choice->must_store = false;
	return err;
}

/* Asks who has chosen; false: it does not know. */
static bool ask_which(const struct fota_boot_cfg *cfg, const struct fota_boot *boot, unsigned *slot)
{
	int running = cfg->which(cfg->which_ctx, boot);

	*slot = (unsigned)running;
	return running >= 0 && running < (int)FOTA_SLOT_COUNT;
}

/* Until the journal has said which slots hold what, none may run, but one that was chosen already. */
static struct fota_boot_choice choose_unread(const struct fota_boot_cfg *cfg)
{
	unsigned slot;

	if (!cfg->which || !ask_which(cfg, NULL, &slot)) { return (struct fota_boot_choice) { .is_none = true }; }
	return (struct fota_boot_choice) { .slot = slot };
}

/* Changes *boot. */
static enum fota_err choose(const struct fota_boot_cfg *cfg, struct fota_boot *boot, struct fota_boot_choice *choice)
{
	unsigned slot;

	if (!cfg->which) { return select_whole(cfg, boot, choice); }
	*choice = (struct fota_boot_choice) { .is_none = true };
	if (ask_which(cfg, boot, &slot)) { *choice = fota_boot_adopt(boot, slot); }
	return FOTA_ERR_OK;
}

/* The journal was read. TIMEOUT at any point; other errors are those of storing. */
static enum fota_err choose_and_store(const struct fota_boot_cfg *cfg, struct fota_journal *journal,
				      struct fota_boot_choice *choice)
{
	struct fota_boot *boot = &journal->record->boot;
	const struct fota_boot before = *boot;
	enum fota_err err = choose(cfg, boot, choice), again;

	if (!err && choice->must_store) { err = save(cfg, journal); }
	if (!err) { return choice->is_none ? FOTA_ERR_NONE : FOTA_ERR_OK; }
	*boot = before;
	if (err == FOTA_ERR_TIMEOUT) { return err; }
	again = choose_unstored(cfg, boot, choice);
	return again ? again : err;
}

enum fota_err fota_boot_run(const struct fota_boot_cfg *cfg, struct fota_record *record,
			    struct fota_boot_choice *choice)
{
	struct fota_room room = { cfg->work.ptr + cfg->work.cap - FOTA_JOURNAL_ROOM_BYTES, FOTA_JOURNAL_ROOM_BYTES };
	struct fota_journal journal;
	enum fota_err err;

	memset(record, 0, sizeof(*record));
	*choice = (struct fota_boot_choice) { .is_none = true };
	if (!is_cfg_usable(cfg) || fota_journal_init(&journal, cfg->journal, record, room)) {
		return FOTA_ERR_CONTRACT;
	}
	fota_journal_load(&journal);
	err = run_journal(cfg, &journal);
	if (err) {
		*choice = choose_unread(cfg);
		return err;
	}
	err = choose_and_store(cfg, &journal, choice);
	if (err == FOTA_ERR_TIMEOUT) { *choice = choose_unread(cfg); }
	return err;
}
