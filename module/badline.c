/* SPDX-License-Identifier: Apache-2.0 */
/* A way is a queue in which at most one byte is late at a time: those behind it wait
 * with it, as they do behind a gap on a real line, and no order is ever changed.
 *
 * Chance is a generator of 32 bits (xorshift), drawn once per byte and question, so that
 * faults depend on seed and traffic alone and not on time. */
#include "badline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHANCE_OF       10000u
#define DEFAULT_LATE_MS 50u

/* ---- settings ---- */

struct number_row {
	const char *name;
	size_t off;
	uint32_t max;
	const char *complaint;
};

#define ROW(name, max, range)                                                                            \
	{                                                                                                \
#name, offsetof(struct badline_cfg, name), max, #name " needs a number from 0 to " range \
	}

static const struct number_row rows[] = {
	ROW(seed, UINT32_MAX, "4294967295"),
	ROW(lose, CHANCE_OF, "10000 (bytes of 10000)"),
	ROW(twice, CHANCE_OF, "10000 (bytes of 10000)"),
	ROW(late, CHANCE_OF, "10000 (bytes of 10000)"),
	ROW(late_ms, 10000, "10000"),
	ROW(noise_bytes, 256, "256"),
	ROW(stall_after, 1000000, "1000000"),
	ROW(stall_ms, 60000, "60000"),
	ROW(cut_after, 1000000, "1000000"),
};

static bool read_number(const char *text, uint32_t max, uint32_t *number)
{
	char *end;
	unsigned long long value;

	if (*text < '0' || *text > '9') { return false; }
	errno = 0;
	value = strtoull(text, &end, 10);
	if (*end || errno || value > max) { return false; }
	*number = (uint32_t)value;
	return true;
}

static const char *parse_way(struct badline_cfg *cfg, const char *value)
{
	static const char *const words[] = { "both", "to-host", "from-host" };

	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(value, words[i]) != 0) { continue; }
		cfg->is_to_host = i == 1;
		cfg->is_from_host = i == 2;
		return NULL;
	}
	return "way is both, to-host or from-host";
}

const char *badline_parse(struct badline_cfg *cfg, const char *name, const char *value)
{
	if (strcmp(name, "way") == 0) { return parse_way(cfg, value); }
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t number;

		if (strcmp(name, rows[i].name) != 0) { continue; }
		if (!read_number(value, rows[i].max, &number)) { return rows[i].complaint; }
		memcpy((char *)cfg + rows[i].off, &number, sizeof(number));
		return NULL;
	}
	return "a line has seed, lose, twice, late, late_ms, way, noise_bytes, stall_after, stall_ms and cut_after";
}

const char *badline_parse_list(struct badline_cfg *cfg, const char *text)
{
	char copy[256], *rest = NULL;

	if (strlen(text) >= sizeof(copy)) { return "the list is too long"; }
	strcpy(copy, text);
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		char *value = strchr(word, '=');
		const char *complaint;

		if (!value) { return "expected NAME=VALUE[,NAME=VALUE]..., such as lose=20,seed=7"; }
		*value = 0;
		complaint = badline_parse(cfg, word, value + 1);
		if (complaint) { return complaint; }
	}
	return NULL;
}

bool badline_is_bad(const struct badline_cfg *cfg)
{
	return cfg->lose || cfg->twice || cfg->late || cfg->noise_bytes || (cfg->stall_after && cfg->stall_ms) ||
	       cfg->cut_after;
}

/* ---- chance ---- */

static uint32_t draw(struct badline *line)
{
	uint32_t x = line->random;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	line->random = x;
	return x;
}

static bool is_hit(struct badline *line, uint32_t chance)
{
	return draw(line) % CHANCE_OF < chance;
}

/* ---- ways ---- */

static void push(struct badline_way *way, uint8_t byte)
{
	if (way->len == BADLINE_BYTES) { return; } /* one more lost byte */
	way->bytes[way->len++] = byte;
}

static void be_late(struct badline_way *way, uint64_t due_ms)
{
	if (way->is_late) { return; }
	way->is_late = true;
	way->late_off = (uint16_t)way->len;
	way->last_due_ms = due_ms;
}

static void pass(struct badline *line, struct badline_way *way, bool is_spoiled, uint8_t byte, uint64_t now_ms)
{
	bool is_lost = is_hit(line, line->cfg.lose), is_twice = is_hit(line, line->cfg.twice);

	if (is_hit(line, line->cfg.late) && is_spoiled) { be_late(way, now_ms + line->cfg.late_ms); }
	if (is_lost && is_spoiled) { return; }
	push(way, byte);
	if (is_twice && is_spoiled) { push(way, byte); }
}

static size_t take(struct badline_way *way, uint8_t *bytes, size_t cap, uint64_t now_ms)
{
	size_t len;

	if (way->is_late && now_ms >= way->last_due_ms) { way->is_late = false; }
	len = way->is_late ? way->late_off : way->len;
	if (len > cap) { len = cap; }
	memcpy(bytes, way->bytes, len);
	way->len -= len;
	if (way->is_late) { way->late_off = (uint16_t)(way->late_off - len); }
	memmove(way->bytes, way->bytes + len, way->len);
	return len;
}

/* ---- the line ---- */

void badline_init(struct badline *line, const struct badline_cfg *cfg, uint32_t number)
{
	memset(line, 0, sizeof(*line));
	line->cfg = *cfg;
	if (!line->cfg.late_ms) { line->cfg.late_ms = DEFAULT_LATE_MS; }
	/* odd constants spread small seeds; a state of 0 would stay 0 */
	line->random = (cfg->seed + 1) * 2654435761u + number * 40503u;
	if (!line->random) { line->random = 1; }
}

void badline_restart(struct badline *line)
{
	line->in.len = line->out.len = 0;
	line->in.is_late = line->out.is_late = false;
	line->has_noise = false;
	line->stall_until_ms = 0;
}

static void make_noise(struct badline *line)
{
	line->has_noise = true;
	for (uint32_t i = 0; i < line->cfg.noise_bytes; i++) {
		push(&line->out, (uint8_t)(draw(line) >> 24));
	}
}

void badline_put_in(struct badline *line, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	if (len && !line->has_noise) { make_noise(line); }
	for (size_t i = 0; i < len; i++) {
		pass(line, &line->in, !line->cfg.is_to_host, bytes[i], now_ms);
	}
}

size_t badline_take_in(struct badline *line, uint8_t *bytes, size_t cap, uint64_t now_ms)
{
	const struct badline_cfg *cfg = &line->cfg;
	size_t len;

	if (badline_is_stalled(line, now_ms)) { return 0; }
	if (cfg->stall_after && cfg->stall_ms && cap > cfg->stall_after - line->read_count) {
		cap = cfg->stall_after - line->read_count;
	}
	len = take(&line->in, bytes, cap, now_ms);
	line->read_count += (uint32_t)len;
	if (cfg->stall_after && cfg->stall_ms && line->read_count >= cfg->stall_after) {
		line->read_count = 0;
		line->stall_until_ms = now_ms + cfg->stall_ms;
	}
	return len;
}

void badline_put_out(struct badline *line, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	for (size_t i = 0; i < len; i++) {
		if (line->cfg.cut_after && !line->is_cut && line->sent_count >= line->cfg.cut_after) { return; }
		line->sent_count++;
		pass(line, &line->out, !line->cfg.is_from_host, bytes[i], now_ms);
	}
}

size_t badline_take_out(struct badline *line, uint8_t *bytes, size_t cap, uint64_t now_ms)
{
	return take(&line->out, bytes, cap, now_ms);
}

bool badline_is_stalled(const struct badline *line, uint64_t now_ms)
{
	return now_ms < line->stall_until_ms;
}

bool badline_take_cut(struct badline *line)
{
	if (!line->cfg.cut_after || line->is_cut || line->sent_count < line->cfg.cut_after) { return false; }
	line->is_cut = true;
	return true;
}

static uint64_t due_of(const struct badline_way *way)
{
	if (way->len == 0) { return UINT64_MAX; }
	return way->is_late && way->late_off == 0 ? way->last_due_ms : 0;
}

uint32_t badline_next_ms(const struct badline *line, uint64_t now_ms)
{
	uint64_t in_ms = due_of(&line->in), out_ms = due_of(&line->out);

	if (in_ms < line->stall_until_ms) { in_ms = line->stall_until_ms; }
	if (out_ms < in_ms) { in_ms = out_ms; }
	if (in_ms == UINT64_MAX) { return UINT32_MAX; }
	return in_ms > now_ms ? (uint32_t)(in_ms - now_ms) : 0;
}
