/* SPDX-License-Identifier: Apache-2.0 */
/* Clock and random numbers. */
#include "conformance.h"

#define LOOK_COUNT  20000
#define SLEEP_MS    60u
#define PLAUSIBLE_S UINT64_C(1577836800) /* 2020-01-01: no module knows an earlier time */
#define FILL_MAX    256u

/* ---- clock ---- */

static void check_sleep(struct conf *conf, const struct fota_clock *clock, void (*sleep_ms)(uint32_t ms))
{
	uint64_t unix_s = clock->unix_s(clock->ctx);
	uint64_t begun = clock->now_ms(clock->ctx);
	uint64_t passed;

	sleep_ms(SLEEP_MS);
	passed = clock->now_ms(clock->ctx) - begun;
	conf_check(conf, passed >= SLEEP_MS - SLEEP_MS / 4, "now_ms counts milliseconds, not slower",
		   (long long)passed);
	/* sleeping may take longer than asked for, but not 50 times as long */
	conf_check(conf, passed <= SLEEP_MS * 50, "now_ms counts milliseconds, not faster", (long long)passed);
	if (unix_s) {
		uint64_t after = clock->unix_s(clock->ctx);

		conf_check(conf, after >= unix_s && after - unix_s <= 1 + passed / 1000 + 1, "unix_s counts seconds",
			   (long long)(after - unix_s));
	}
}

void conf_clock(struct conf *conf, const struct fota_clock *clock, void (*sleep_ms)(uint32_t ms))
{
	uint64_t before = clock->now_ms(clock->ctx);
	uint64_t unix_s = clock->unix_s(clock->ctx);
	bool is_back = false;

	conf_check(conf, unix_s == 0 || unix_s >= PLAUSIBLE_S, "unix_s is 0 until the time is known",
		   (long long)unix_s);
	for (unsigned i = 0; i < LOOK_COUNT; i++) {
		uint64_t now = clock->now_ms(clock->ctx);

		is_back = is_back || now < before;
		before = now;
	}
	conf_check(conf, !is_back, "now_ms never goes back", 0);
	if (sleep_ms) { check_sleep(conf, clock, sleep_ms); }
}

/* ---- random ---- */

static unsigned count_ones(const uint8_t *bytes, size_t len)
{
	unsigned count = 0;

	for (size_t i = 0; i < 8 * len; i++) {
		count += bytes[i / 8] >> i % 8 & 1u;
	}
	return count;
}

/* Every byte of `len` is set by some of eight fills, none behind it ever. */
static void check_length(struct conf *conf, const struct fota_random *random, size_t len)
{
	uint8_t bytes[FILL_MAX + 2], seen[FILL_MAX] = { 0 };
	bool is_outside = false, is_whole = true;

	for (unsigned i = 0; i < 8; i++) {
		enum fota_err err;

		memset(bytes, 0, sizeof(bytes));
		err = random->fill(random->ctx, bytes, len);
		conf_check(conf, err == FOTA_ERR_OK, "fill returns OK", err);
		is_outside = is_outside || bytes[len] || bytes[len + 1];
		for (size_t at = 0; at < len; at++) {
			seen[at] |= bytes[at];
		}
	}
	for (size_t at = 0; at < len; at++) {
		is_whole = is_whole && seen[at];
	}
	conf_check(conf, is_whole, "fill fills all bytes", (long long)len);
	conf_check(conf, !is_outside, "fill writes nothing behind", (long long)len);
}

void conf_random(struct conf *conf, const struct fota_random *random)
{
	uint8_t first[FILL_MAX], second[FILL_MAX];
	enum fota_err err;
	unsigned ones;

	for (size_t len = 0; len <= FILL_MAX; len = len < 18 ? len + 1 : len * 2 - 1) {
		check_length(conf, random, len);
	}
	err = random->fill(random->ctx, first, sizeof(first));
	if (!err) { err = random->fill(random->ctx, second, sizeof(second)); }
	if (!conf_check(conf, err == FOTA_ERR_OK, "fill returns OK", err)) { return; }
	conf_check(conf, memcmp(first, second, sizeof(first)) != 0, "fill gives other bytes each time", 0);
	conf_check(conf, memcmp(first, first + FILL_MAX / 2, FILL_MAX / 2) != 0, "fill does not repeat itself", 0);
	/* 2048 fair bits: 12 standard deviations around 1024 */
	ones = count_ones(first, sizeof(first));
	conf_check(conf, ones > 750 && ones < 1300, "about half of the bits are set", (long long)ones);
}
