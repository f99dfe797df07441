/* SPDX-License-Identifier: Apache-2.0 */
/* A random walk over everything that reaches a module: lines on its AT port, a platform that
 * offers right and wrong things, a network that spoils them, time, settings, failing storage,
 * cuts of power and restarts. A small model knows which images may run: the confirmed one, and
 * what a trusted key has signed for this vendor, class and version with a sequence number that
 * is not below what was confirmed, if the module has asked while that was on offer. Where bytes
 * of the confirmed image have changed, one that was good once may do, or none.
 *
 * Each seed is a module of its own; a check takes the same ones each time. REPLAY='walk, seed N'
 * plays one alone. WALK_S=seconds of work and WALK_SEED=the first are for long walks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "fota/at_fota.h"
#include "rig.h"

#define INPUTS_PER_SEED 250
#define SEED_COUNT      500
#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))

/* What the module was offered of a release since nothing of it can be stored. */
struct offered {
	bool is_good;
	uint64_t least, most; /* sequence numbers */
};

struct model {
	int confirmed;
	uint64_t floor; /* at least: what was confirmed may have had a higher number */
	struct offered offered[RIG_RELEASE_MAX + 1];
	bool is_offer_good; /* of what the platform has now */
	uint64_t offer_sequence;
	unsigned seen_checks;
	bool is_damaged;                    /* bytes of a slot have changed: an older image may have to do */
	bool was_good[RIG_RELEASE_MAX + 1]; /* offered, ever */
};

static struct {
	unsigned seeds, trials, confirmed, rolled_back, cuts, refused, older, damaged, ended;
} totals;

static struct rig rig;
static struct model model;
static struct at_fota fota;
static struct at_server at;
static struct at_fota_cfg fota_cfg;
static struct at_table tables[2];
static struct at_cfg at_cfg;
static char answer[8192];
static size_t answer_len;
static uint32_t dice_state;

/* Of its own: what is chosen does not depend on what the module draws. */
static uint32_t dice(uint32_t sides)
{
	dice_state = dice_state * 1664525u + 1013904223u;
	return (dice_state >> 8) % sides;
}

/* ---- the model ---- */

/* Before anything changes on the platform: has the module asked it? */
static void note_checks(void)
{
	struct offered *offered = &model.offered[rig.release];
	bool has_asked = rig.http.counts[RIG_CHECK] != model.seen_checks;

	model.seen_checks = rig.http.counts[RIG_CHECK];
	if (!has_asked || !model.is_offer_good) { return; }
	if (!offered->is_good || model.offer_sequence < offered->least) { offered->least = model.offer_sequence; }
	if (!offered->is_good || model.offer_sequence > offered->most) { offered->most = model.offer_sequence; }
	offered->is_good = model.was_good[rig.release] = true;
}

static bool may_run(int release)
{
	const struct offered *offered = &model.offered[release];

	return offered->is_good && offered->most >= model.floor;
}

/* After each start: what is confirmed, and what runs. */
static void check_start(void)
{
	const struct rig_area *area = rig.boot.active ? &rig.slot_b : &rig.slot;
	int base = rig_release_in(&rig, area);

	if (base < 0 && model.is_damaged) { base = model.confirmed; } /* and something else runs */
	rig_require(&rig, base >= 0);
	if (base != model.confirmed && model.is_damaged && (base == 0 || model.was_good[base])) {
		model.confirmed = base;
	} else if (base != model.confirmed) {
		rig_require(&rig, may_run(base));
		if (model.offered[base].least > model.floor) { model.floor = model.offered[base].least; }
		model.confirmed = base;
		totals.confirmed++;
	}
	rig_require(&rig, rig.boot.floor >= model.floor);
	if (rig.running == base) { return; }
	rig_require(&rig, rig.boot.state == FOTA_BOOT_TRIAL && may_run(rig.running));
	totals.trials++;
}

/* After a start: nothing verified is stored, so nothing can be armed before another check. */
static void forget_offers(void)
{
	const struct fota_record *record = &rig.session.record;

	if (rig.session.is_unloaded || record->boot.state != FOTA_BOOT_IDLE || record->package.is_verified) { return; }
	memset(model.offered, 0, sizeof(model.offered));
}

/* ---- the AT port ---- */

static void on_write(void *ctx, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	if (answer_len + len >= sizeof(answer)) { answer_len = 0; }
	memcpy(answer + answer_len, bytes, len);
	answer_len += len;
	answer[answer_len] = 0;
}

static void on_notice(void *ctx, const struct fota_notice *notice)
{
	(void)ctx;
	if (rig.is_dead) { return; }
	if (notice->kind == FOTA_NOTICE_RESTART) { rig.is_restart_asked = true; }
	if (notice->kind == FOTA_NOTICE_REFUSED) { totals.refused++; }
	if (notice->kind == FOTA_NOTICE_REFUSED && notice->code == FOTA_CODE_NO_VERSION) { totals.older++; }
	if (notice->kind == FOTA_NOTICE_RESULT && notice->code) { totals.rolled_back++; }
	at_fota_notice(&fota, notice);
}

static void open_port(void)
{
	fota_cfg = (struct at_fota_cfg) { .session = &rig.session, .clock = &rig.clock };
	rig_require(&rig, at_fota_init(&fota, &fota_cfg) == FOTA_ERR_OK);
	tables[0] = at_basic_table();
	tables[1] = at_fota_table(&fota);
	at_cfg = (struct at_cfg) {
		.write = on_write, .tables = tables, .table_count = 2, .identity = &rig.identity, .port = 1
	};
	rig_require(&rig, at_init(&at, &at_cfg) == FOTA_ERR_OK);
	rig_require(&rig, at_fota_add_port(&fota, &at) == FOTA_ERR_OK);
}

/* A line and its one answer. */
static void say(const char *line)
{
	answer_len = 0;
	answer[0] = 0;
	at_feed(&at, (const uint8_t *)line, strlen(line), rig.now_ms);
	at_feed(&at, (const uint8_t *)"\r", 1, rig.now_ms);
	rig_require(&rig, strstr(answer, "OK\r\n") || strstr(answer, "ERROR"));
}

static const char *const lines[] = {
	"AT+FOTAINSTALL",        "AT+FOTAINSTALL",   "AT+FOTAINSTALL",
	"AT+FOTACONFIRM=1",      "AT+FOTACONFIRM=1", "AT+FOTACONFIRM=0",
	"AT+FOTACONFIRM=2",      "AT+FOTACONFIRM=",  "AT+FOTACANCEL",
	"AT+CAPFOTA=0",          "AT+CAPFOTA=1",     "AT+CAPFOTA=1",
	"AT+FOTASTATE?",         "AT+FOTALAST?",     "AT+FOTARESULT?",
	"AT+FOTAPROG=1",         "AT+FOTAINSTALL=1", "AT+CSCFOTA",
	"AT+CSCFOTA=\"SIMCOM\"", "AT+NONSENSE=\"x",  "ATZ",
};

/* One of the five parameters is wrong, in one request of eight. */
static void say_request(const char *command)
{
	const char *values[] = { RIG_OEM, RIG_MODEL, RIG_PRODUCT, RIG_SECRET, rig.target };
	static const char *const wrong[] = { "OTHER", "", "7600M22", "12a4", "short", "\\", "V\"1" };
	char line[512];

	if (dice(8) == 0) { values[dice(3)] = wrong[dice(COUNT(wrong))]; }
	if (dice(30) == 0) { values[3] = "short"; }
	(void)snprintf(line, sizeof(line), "AT%s=\"%s\",\"%s\",\"%s\",\"%s\",\"%s\"", command, values[0], values[1],
		       values[2], values[3], values[4]);
	say(line);
}

/* ---- the platform ---- */

static const struct {
	enum rig_effect effect;
	int manifest;
	bool is_good;
	uint32_t sides, least; /* of the argument's dice */
} offers[] = {
	{ RIG_FINE, 0, true, 1 },
	{ RIG_OFFER_MANIFEST, RIG_MANIFEST_SEQUENCE, true, 9 },
	{ RIG_OFFER_MANIFEST, RIG_MANIFEST_SEQUENCE, true, 9 },
	/* a changed bit in what is not signed may be none that matters */
	{ RIG_OFFER_MANIFEST, RIG_MANIFEST_FLIPPED, true, 4000 },
	{ RIG_OFFER_MANIFEST, RIG_MANIFEST_NONE, false, 1 },
	{ RIG_OFFER_MANIFEST, RIG_MANIFEST_FOREIGN, false, 1 },
	{ RIG_OFFER_MANIFEST, RIG_MANIFEST_OTHER_OEM, false, 1 },
	{ RIG_OFFER_MANIFEST, RIG_MANIFEST_OTHER_MODEL, false, 1 },
	{ RIG_OFFER_MANIFEST, RIG_MANIFEST_OTHER_VERSION, false, 1 },
	{ RIG_OFFER_MANIFEST, RIG_MANIFEST_OTHER_DIGEST, false, 1 },
	{ RIG_OFFER_MANIFEST, RIG_MANIFEST_OTHER_SIZE, false, 1 },
	{ RIG_OFFER_MANIFEST, RIG_MANIFEST_CUT, false, 200 },
	{ RIG_OFFER_OTHER, 0, false, 1 },
	{ RIG_OFFER_SIZE, 0, false, 5000, 25000 },
	{ RIG_OFFER_URL, 0, true, 6 },
	{ RIG_REPLAYED, 0, false, 1 },
	{ RIG_FORGED, 0, false, 1 },
	{ RIG_REFUSE, 0, false, 7, 1 },
	{ RIG_CHANGED, 0, false, 900 },
	{ RIG_CUT_ANSWER, 0, false, 300 },
};

/* Half of the time nothing is wrong. */
static void publish(void)
{
	size_t row = dice(2) ? 0 : dice(COUNT(offers));
	uint64_t arg = offers[row].least + dice(offers[row].sides);

	note_checks();
	rig_publish(&rig, 1 + (int)dice(RIG_RELEASE_MAX));
	rig_clear_twists(&rig);
	model.is_offer_good = offers[row].is_good;
	model.offer_sequence = offers[row].manifest == RIG_MANIFEST_SEQUENCE ? arg : rig.sequence;
	rig_twist(&rig, (struct rig_twist) { RIG_CHECK, offers[row].effect, arg, offers[row].manifest, 0, 0 });
}

static void spoil_network(void)
{
	static const struct rig_twist twists[] = {
		{ RIG_GET, RIG_CORRUPT, 12000, 0, 0, 0 },
		{ RIG_GET, RIG_FAIL, 5000, FOTA_ERR_RECEIVE, 1, 2 },
		{ RIG_GET, RIG_WHOLE, 0, 0, 0, 0 },
		{ RIG_GET, RIG_SHORT, 7000, 0, 1, 1 },
		{ RIG_GET, RIG_LONG, 100, 0, 0, 0 },
		{ RIG_GET, RIG_OTHER_START, 0, 0, 1, 1 },
		{ RIG_GET, RIG_STATUS, 404, 0, 1, 1 },
		{ RIG_REPORT, RIG_FAIL, 0, FOTA_ERR_CONNECT, 0, 0 },
		{ RIG_REPORT, RIG_FORGED, 0, 0, 0, 0 },
		{ RIG_REPORT, RIG_STATUS, 500, 0, 1, 2 },
		{ RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_RESOLVE, 1, 1 },
	};
	size_t used = 0;

	for (size_t i = 0; i < RIG_TWIST_MAX; i++) {
		used += rig.twists[i].effect != RIG_FINE;
	}
	if (used < RIG_TWIST_MAX) { rig_twist(&rig, twists[dice(COUNT(twists))]); }
}

/* ---- power ---- */

static void fault(enum rig_effect_op effect, uint32_t from, uint32_t count)
{
	rig_fault(&rig, (struct rig_fault) { effect, from, from + count - 1 });
}

/* False if the power went before the session was up. */
static bool boot_once(void)
{
	rig_boot(&rig);
	if (rig.is_dead) { return false; }
	if (rig.choice.is_none) {
		rig_require(&rig, model.is_damaged && rig.boot_err == FOTA_ERR_NONE);
		return true;
	}
	rig_require(&rig, rig.boot_err == FOTA_ERR_OK);
	check_start();
	rig_finish(&rig); /* the journal is loaded */
	if (rig.is_dead) { return false; }
	forget_offers();
	return true;
}

/* The power comes back until it stays; it may go once more on the way. */
static void start(void)
{
	note_checks();
	if (rig.fault.effect != RIG_OP_CUT) { fault(RIG_OP_FINE, 0, 0); }
	while (!boot_once()) {
		totals.cuts++;
		fault(dice(3) ? RIG_OP_FINE : RIG_OP_CUT, 1 + dice(20), 1);
	}
	if (!rig.choice.is_none) { open_port(); }
}

static void go_on(void)
{
	unsigned steps = 1 + dice(120);

	for (unsigned i = 0; i < steps && rig_step(&rig); i++) {}
}

static void change_settings(void)
{
	struct fota_session_policy policy = { .is_auto_install = dice(3) == 0, .is_auto_confirm = dice(3) == 0 };

	if (dice(4) == 0) {
		policy.window_from_min = (uint16_t)dice(1440);
		policy.window_to_min = (uint16_t)dice(1440);
	}
	fota_session_set_policy(&rig.session, &policy);
}

static void go_down(void)
{
	fota_session_abort(&rig.session);
	rig_idle(&rig, 1000);
	start();
}

static void break_storage(void)
{
	static const enum rig_effect_op effects[] = { RIG_OP_IO, RIG_OP_FULL, RIG_OP_ODD };

	fault(effects[dice(COUNT(effects))], 1 + dice(40), 1 + dice(6));
}

static void wait_long(void)
{
	static const uint32_t times[] = { 10, 1000, 40000, 300000, 650000, 7200000 };

	rig_idle(&rig, times[dice(COUNT(times))]);
}

static void say_something(void)
{
	say(lines[dice(COUNT(lines))]);
}

static void ask_for_upgrade(void)
{
	say("AT+CAPFOTA=1");
	say_request(dice(6) ? "+CSCFOTA" : "+FOTACHECK");
}

/* A session that is left in peace to its end: what follows needs one. */
static void upgrade_quietly(void)
{
	ask_for_upgrade();
	rig_idle(&rig, 60000);
	if (dice(2)) { say("AT+FOTAINSTALL"); }
	rig_idle(&rig, 1000);
}

static void accept_trial(void)
{
	if (rig.is_restart_asked) { start(); }
	if (rig.choice.is_none) { return; }
	say("AT+FOTACONFIRM=1");
	rig_idle(&rig, 1000);
}

/* A byte of an image or a package changes. Of an image that the factory put there nobody can
 * know, and another boot loader than ours does not look. */
static void damage(void)
{
	unsigned slot = dice(FOTA_SLOT_COUNT);
	const struct fota_boot *boot = &rig.session.record.boot;
	const struct fota_image *image = &boot->images[slot];
	bool is_factory = !image->size_bytes && (slot == boot->active || image->version.len);

	if (is_factory || rig.cfg.seed % 4 != 1 || rig.cfg.has_bootenv || rig.session.is_unloaded) { return; }
	if (!rig.session.is_running && !fota_session_is_quiet(&rig.session)) { return; } /* it loads */
	(slot ? &rig.slot_b : &rig.slot)->cells[dice(12000)] ^= 0x10;
	model.is_damaged = true;
	totals.damaged++;
}

static void cut_soon(void)
{
	fault(RIG_OP_CUT, 1 + dice(dice(2) ? 8 : 80), 1);
}

static const struct {
	uint32_t weight;
	void (*act)(void);
} inputs[] = {
	{ 12, say_something },  { 6, ask_for_upgrade }, { 5, upgrade_quietly }, { 5, publish }, { 4, accept_trial },
	{ 2, spoil_network },   { 20, go_on },          { 6, wait_long },       { 3, start },   { 4, cut_soon },
	{ 2, change_settings }, { 1, go_down },         { 1, break_storage },   { 1, damage },
};

static void act(void)
{
	uint32_t at_weight = 0, total = 0;

	for (size_t i = 0; i < COUNT(inputs); i++) {
		total += inputs[i].weight;
	}
	at_weight = dice(total);
	for (size_t i = 0; i < COUNT(inputs); i++) {
		if (at_weight < inputs[i].weight) {
			inputs[i].act();
			return;
		}
		at_weight -= inputs[i].weight;
	}
}

static void walk(uint32_t seed)
{
	struct rig_cfg cfg = {
		.seed = seed,
		.is_cached = true,
		.is_async = seed & 1,
		.has_slots = true,
		.has_bootenv = seed % 3 == 0,
		.slot_prog_bytes = seed & 4 ? 16 : 256,
		.limits = { .retry_base_ms = 100, .trial_starts = 1 + seed % 4 },
	};

	dice_state = seed * 2654435761u;
	memset(&model, 0, sizeof(model));
	rig_init(&rig, &cfg);
	rig.session_cfg.notify = on_notice;
	rig.is_target_free = true;
	start();
	publish();
	for (int i = 0; i < INPUTS_PER_SEED && !rig.choice.is_none; i++) {
		rig.origin = 1;
		act();
		note_checks();
		if (rig.choice.is_none) { break; }
		if (rig.is_dead || (rig.is_restart_asked && dice(4))) { start(); }
	}
	rig_close(&rig);
	totals.ended += rig.choice.is_none;
	totals.seeds++;
}

/* ---- */

static long number_of(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text ? atol(text) : otherwise;
}

static void whatever_comes_only_what_may_run_runs(void **unused)
{
	const char *replay = getenv("REPLAY");
	uint32_t seed = (uint32_t)number_of("WALK_SEED", 1);
	clock_t end = clock() + number_of("WALK_S", 0) * CLOCKS_PER_SEC;

	(void)unused;
	if (replay) {
		if (sscanf(replay, "walk, seed %u", &seed) != 1) { return; }
		(void)rig_case(&rig, "walk, seed %u", seed);
		walk(seed);
		return;
	}
	for (; getenv("WALK_S") ? clock() < end : totals.seeds < SEED_COUNT; seed++) {
		(void)rig_case(&rig, "walk, seed %u", seed);
		walk(seed);
	}
	print_message("%u modules: %u starts on trial, %u confirmed, %u rolled back or failed, %u cuts, %u offers "
		      "refused, %u of them as older, %u times damage, %u without an image in the end\n",
		      totals.seeds, totals.trials, totals.confirmed, totals.rolled_back, totals.cuts, totals.refused,
		      totals.older, totals.damaged, totals.ended);
	/* a walk that gets nowhere finds nothing */
	assert_true(totals.trials > totals.seeds / 4 && totals.confirmed > 0 && totals.rolled_back > 0);
	assert_true(totals.cuts > totals.seeds / 4 && totals.refused > totals.seeds / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_comes_only_what_may_run_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
