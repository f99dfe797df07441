/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes two ports over one real session: commands, network, storage, time and cuts of power
 * in any order. The platform is authentic, so that the session gets beyond its first answer;
 * HMAC and SHA-256 are replaced by sums that are as good here and a thousand times as
 * fast.
 *
 * Input is pairs of bytes: an operation (see `operations`, modulo their number) and its
 * argument. OP_RAW takes as many further bytes as its argument says.
 *
 * Properties: a code is told only in a session, 2 at most once, 4 only before the final one,
 * one final code each; a port that never started a session sees none; a session that only asks
 * writes nothing to the slot; what is programmed was erased; behind code 3 the slot holds the package;
 * no turn of the loop goes on for ever, of session or port; a cancelled session comes to its end. */
#include <stdio.h>
#include <stdlib.h>

#include "fota/at_fota.h"

#define PORTS         2u
#define SLOT_BYTES    16384u
#define JOURNAL_BYTES 8192u
#define UNIT_BYTES    1024u
#define PROG_BYTES    16u
#define PACKAGE_BYTES 5000u
#define OUT_BYTES     65536u
#define TURNS_MAX     2000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct area {
	struct fota_flash flash;
	uint8_t bytes[SLOT_BYTES];
	uint8_t is_erased[SLOT_BYTES];
	unsigned write_count;
};

static struct area slot, journal;
static struct at_server ports[PORTS];
static struct at_cfg port_cfgs[PORTS];
static char outs[PORTS][OUT_BYTES];
static size_t out_lens[PORTS];
static bool has_started[PORTS]; /* a session, ever */
static struct at_table tables[2];
static struct at_fota fota;
static struct fota_session session;
static uint8_t work[FOTA_WORK_MIN_BYTES + FOTA_JOURNAL_ROOM_BYTES + PROG_BYTES];
static uint64_t now_ms;

static bool is_async;     /* storage completes later */
static bool is_pending;   /* an operation does */
static bool is_http_on;   /* a request runs */
static bool is_get;       /* ... for the package */
static bool is_headed;    /* its answer has begun */
static uint64_t body_off; /* where its body is */
static struct {
	bool is_on, is_checked, is_partial;
	unsigned write_count; /* of the slot at its start */
} told;                       /* what the session that runs has told */

static void require(bool is_true, const char *what)
{
	if (is_true) { return; }
	fprintf(stderr, "property broken: %s\n", what);
	abort();
}

/* ---- ports: storage ---- */

static enum fota_err finish_io(void)
{
	require(!is_pending, "one storage operation at a time");
	is_pending = is_async;
	return is_async ? FOTA_ERR_PENDING : FOTA_ERR_OK;
}

static enum fota_err flash_read(void *ctx, uint64_t off, void *dst, size_t len)
{
	struct area *area = ctx;

	require(off <= area->flash.area_bytes && len <= area->flash.area_bytes - off, "reads are inside the area");
	memcpy(dst, area->bytes + off, len);
	return finish_io();
}

static enum fota_err flash_prog(void *ctx, uint64_t off, const void *src, size_t len)
{
	struct area *area = ctx;

	require(off % PROG_BYTES == 0 && len % PROG_BYTES == 0, "programs are aligned");
	require(off <= area->flash.area_bytes && len <= area->flash.area_bytes - off, "programs are inside the area");
	for (size_t i = 0; i < len; i++) {
		require(area->is_erased[off + i], "what is programmed was erased");
		area->is_erased[off + i] = 0;
	}
	memcpy(area->bytes + off, src, len);
	area->write_count++;
	return finish_io();
}

static enum fota_err flash_erase(void *ctx, uint64_t off, uint64_t len)
{
	struct area *area = ctx;

	require(off % UNIT_BYTES == 0 && len % UNIT_BYTES == 0, "erases are aligned");
	require(off <= area->flash.area_bytes && len <= area->flash.area_bytes - off, "erases are inside the area");
	memset(area->bytes + off, 0xff, len);
	memset(area->is_erased + off, 1, len);
	area->write_count++;
	return finish_io();
}

static enum fota_err flash_sync(void *ctx)
{
	(void)ctx;
	return finish_io();
}

static void init_area(struct area *area, uint64_t size)
{
	memset(area, 0, sizeof(*area));
	area->flash = (struct fota_flash) { area,       UNIT_BYTES, UNIT_BYTES,  PROG_BYTES, size,
					    flash_read, flash_prog, flash_erase, flash_sync };
}

/* ---- ports: the rest ---- */

static enum fota_err http_start(void *ctx, const struct fota_http_request *req)
{
	(void)ctx;
	require(!is_http_on, "one request at a time");
	is_http_on = true;
	is_headed = false;
	is_get = req->method == FOTA_HTTP_GET;
	body_off = req->has_range ? req->range_start : 0;
	return FOTA_ERR_OK;
}

static void http_resume(void *ctx)
{
	(void)ctx;
}

static void http_cancel(void *ctx)
{
	(void)ctx;
	is_http_on = false;
}

static uint64_t get_now(void *ctx)
{
	(void)ctx;
	return now_ms;
}

static uint64_t get_unix(void *ctx)
{
	(void)ctx;
	return 1700000000 + now_ms / 1000;
}

static enum fota_err random_fill(void *ctx, uint8_t *dst, size_t len)
{
	(void)ctx;
	memset(dst, (int)(now_ms & 0xff), len);
	return FOTA_ERR_OK;
}

static uint64_t running;

static void mix(struct fota_bytes bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		running = (running ^ bytes.ptr[i]) * UINT64_C(0x100000001b3);
	}
}

static void spread(uint64_t sum, uint8_t out[32])
{
	for (unsigned i = 0; i < 32; i++) {
		sum = sum * UINT64_C(6364136223846793005) + 1442695040888963407u;
		out[i] = (uint8_t)(sum >> 56);
	}
}

static enum fota_err sum_mac(void *ctx, struct fota_bytes key, const struct fota_bytes *parts, size_t part_count,
			     uint8_t mac[32])
{
	uint64_t before = running;

	(void)ctx;
	running = 1;
	mix(key);
	for (size_t i = 0; i < part_count; i++) {
		mix(parts[i]);
	}
	spread(running, mac);
	running = before;
	return FOTA_ERR_OK;
}

static enum fota_err sum_begin(void *ctx)
{
	(void)ctx;
	running = 2;
	return FOTA_ERR_OK;
}

static enum fota_err sum_update(void *ctx, struct fota_bytes bytes)
{
	(void)ctx;
	mix(bytes);
	return FOTA_ERR_OK;
}

static enum fota_err sum_finish(void *ctx, uint8_t digest[32])
{
	(void)ctx;
	spread(running, digest);
	return FOTA_ERR_OK;
}

static struct fota_bytes get_identity(void *ctx, enum fota_identity_field field)
{
	(void)ctx;
	return fota_bytes_of(field == FOTA_IDENTITY_OEM ? "" : "M");
}

static const struct fota_http http = { NULL, http_start, http_resume, http_cancel };
static const struct fota_clock clock_port = { NULL, get_now, get_unix };
static const struct fota_random random_port = { NULL, random_fill };
static const struct fota_crypto crypto = { NULL, sum_mac, sum_begin, sum_update, sum_finish };
static const struct fota_identity identity = { NULL, get_identity };

/* ---- what is told ---- */

static uint8_t package_byte(uint64_t off)
{
	return (uint8_t)(off * 7 + off / 256);
}

static void check_slot(void)
{
	for (uint64_t i = 0; i < PACKAGE_BYTES; i++) {
		require(slot.bytes[i] == package_byte(i), "behind code 3 the slot holds the package");
	}
}

static void check_code(enum fota_code code)
{
	require(told.is_on, "a code is told only in a session");
	if (code == FOTA_CODE_CHECKED) {
		require(!told.is_checked, "2 is told once");
		told.is_checked = true;
		return;
	}
	if (code == FOTA_CODE_PARTIAL) {
		require(!told.is_partial && !session.is_check_only, "4 is told once, and not by a check");
		told.is_partial = true;
		return;
	}
	require(code != FOTA_CODE_DOWNLOADED || (told.is_checked && !told.is_partial), "3 comes behind 2 alone");
	if (code == FOTA_CODE_DOWNLOADED) { check_slot(); }
	told.is_on = false;
}

static void on_notice(void *ctx, const struct fota_notice *notice)
{
	(void)ctx;
	if (notice->kind == FOTA_NOTICE_CODE) { check_code(notice->code); }
	if (notice->kind == FOTA_NOTICE_OFFER) {
		require(told.is_on && told.is_checked && session.is_check_only, "an offer ends a check");
		told.is_on = false;
	}
	at_fota_notice(&fota, notice);
}

static void on_out(void *ctx, const uint8_t *bytes, size_t len)
{
	unsigned port = *(const uint32_t *)ctx;

	require(out_lens[port] + len < OUT_BYTES, "output is bounded");
	memcpy(outs[port] + out_lens[port], bytes, len);
	out_lens[port] += len;
}

static const struct fota_session_cfg session_cfg = {
	.http = &http,
	.slots = { &slot.flash },
	.journal = &journal.flash,
	.clock = &clock_port,
	.random = &random_port,
	.crypto = &crypto,
	.identity = &identity,
	.server_url = { (const uint8_t *)"https://x", 9 },
	.work = { work, sizeof(work) },
	.notify = on_notice,
};

/* ---- a turn of the loop ---- */

static void check_outs(void)
{
	for (unsigned i = 0; i < PORTS; i++) {
		outs[i][out_lens[i]] = 0;
		/* LF is never echoed: this is no echo. */
		require(has_started[i] || !strstr(outs[i], "\n+CSCFOTA: "), "a port that started nothing sees no code");
		out_lens[i] = 0;
	}
}

static void check_session(void)
{
	require(session.is_running == told.is_on, "a session ends with its final code");
	if (session.is_running && session.is_check_only) {
		require(slot.write_count == told.write_count, "a check leaves the slot alone");
	}
}

static void turn(void)
{
	unsigned turns = 0;

	fota_session_tick(&session);
	while (fota_session_next_ms(&session) == 0 && !is_pending) {
		require(turns++ < TURNS_MAX, "no turn goes on for ever");
		fota_session_tick(&session);
	}
	for (unsigned i = 0; i < PORTS; i++) {
		at_tick(&ports[i], now_ms);
		require(at_next_ms(&ports[i], now_ms) > 0, "a port that had its time wants no more of it");
	}
	check_session();
	check_outs();
}

static void feed(unsigned port, const uint8_t *bytes, size_t len)
{
	bool was_running = session.is_running;

	at_feed(&ports[port], bytes, len, now_ms);
	if (!was_running && session.is_running) {
		memset(&told, 0, sizeof(told));
		told.is_on = true;
		told.write_count = slot.write_count;
		has_started[port] = true;
	}
}

/* ---- operations ---- */

#define VALUES "=\"A\",\"M\",\"1540907004\",\"0123456789abcdef\",\"V2\"\r"

static const char *const commands[] = {
	"AT+CAPFOTA=1\r", "AT+CSCFOTA" VALUES, "AT+FOTACHECK" VALUES,
	"AT+CAPFOTA=0\r", "AT+FOTACANCEL\r",   "AT+FOTASTATE?\r",
	"AT+FOTALAST?\r", "AT+FOTAPROG=1\r",   "ATQ1\r",
	"ATQ0\r",         "AT+CSCFOTA=1\r",    "ATZ\r",
	"AT+FOTASTAT?\r", "ATE0V0\r",          "A/",
	"AT+CLAC\r",
};

static void op_command(uint8_t arg)
{
	const char *text = commands[(arg >> 1) % (sizeof(commands) / sizeof(commands[0]))];

	feed(arg & 1, (const uint8_t *)text, strlen(text));
}

static void op_wait(uint8_t arg)
{
	static const uint32_t times_ms[] = { 0, 1, 130, 1000, 10001, 30000, 61000, 3600001 };

	now_ms += times_ms[arg % 8];
}

static void offer_event(const struct fota_http_event *event, size_t *taken)
{
	enum fota_err err = fota_session_http(&session, event, taken);

	require(err == FOTA_ERR_OK || (err == FOTA_ERR_BUSY && event->kind == FOTA_HTTP_BODY), "events are taken");
}

static void send(const struct fota_http_event *event)
{
	size_t taken;
	bool was_on = is_http_on;

	if (event->kind == FOTA_HTTP_DONE || event->kind == FOTA_HTTP_FAIL) { is_http_on = false; }
	if (was_on) { offer_event(event, &taken); }
}

static void op_head(uint8_t arg)
{
	static const uint16_t statuses[] = { 200, 206, 416, 503, 403, 404, 200, 206 };
	bool is_part = is_get && body_off > 0;

	if (is_headed && arg < 128) { return; } /* the other half breaks the contract */
	is_headed = true;
	send(&(struct fota_http_event) { .kind = FOTA_HTTP_HEAD,
					 .status = arg < 128 ? (is_part ? 206 : 200) : statuses[arg % 8],
					 .is_message = !is_get,
					 .has_content_range = is_part,
					 .range_start = body_off,
					 .range_total = PACKAGE_BYTES,
					 .has_length = (arg & 1) != 0,
					 .length = PACKAGE_BYTES - body_off });
}

/* The digest of the package, as the platform knows it. */
static void get_digest(uint8_t digest[32])
{
	uint64_t before = running;

	running = 2;
	for (uint64_t i = 0; i < PACKAGE_BYTES; i++) {
		uint8_t c = package_byte(i);

		mix((struct fota_bytes) { &c, 1 });
	}
	spread(running, digest);
	running = before;
}

static void send_message(struct fota_bytes payload)
{
	static uint8_t room[FOTA_MESSAGE_MAX_BYTES];
	struct fota_bytes message = { NULL, 0 };
	uint8_t tag[FOTA_MAC_BYTES];

	require(!fota_mac0_put(&crypto, fota_bytes_of("0123456789abcdef"), fota_bytes_of("1540907004"),
			       (struct fota_bytes) { session.request_tag, sizeof(session.request_tag) }, payload,
			       (struct fota_room) { room, sizeof(room) }, &message, tag),
		"the platform can seal");
	send(&(struct fota_http_event) { .kind = FOTA_HTTP_BODY, .body = message });
}

/* A whole answer of the check: an offer, or a refusal. */
static void op_answer(uint8_t arg)
{
	uint8_t payload_room[1024], digest[32];
	struct fota_bytes payload = { NULL, 0 };
	struct fota_check_answer msg = { .result = arg < 128 ? 0 : arg % 9, .time_s = 1700000000 };

	get_digest(digest);
	if (arg == 127) { digest[0] ^= 1; }
	msg.deployment = fota_bytes_of("d");
	msg.url = fota_bytes_of(arg == 126 ? "ftp://x" : "/p");
	msg.size_bytes = arg == 125 ? SLOT_BYTES + 1 : PACKAGE_BYTES;
	msg.digest = (struct fota_bytes) { digest, sizeof(digest) };
	require(!fota_check_answer_put(&msg, (struct fota_room) { payload_room, sizeof(payload_room) }, &payload),
		"the platform can answer");
	if (is_get) { return; }
	op_head(0);
	send_message(payload);
	send(&(struct fota_http_event) { .kind = FOTA_HTTP_DONE });
}

static void op_reported(uint8_t arg)
{
	uint8_t payload_room[64];
	struct fota_bytes payload = { NULL, 0 };
	struct fota_report_answer msg = { .result = arg % 9, .time_s = 1700000000 };

	if (is_get ||
	    fota_report_answer_put(&msg, (struct fota_room) { payload_room, sizeof(payload_room) }, &payload)) {
		return;
	}
	op_head(0);
	send_message(payload);
	send(&(struct fota_http_event) { .kind = FOTA_HTTP_DONE });
}

/* The next bytes of the package; what was refused is offered again by the next one. */
static void op_body(uint8_t arg)
{
	uint8_t bytes[256 * 16];
	size_t len = (size_t)(arg + 1) * 16, taken = 0;

	if (!is_http_on || !is_get) { return; }
	if (!is_headed && arg < 250) { op_head(0); }
	if (!is_http_on) { return; }
	if (len > PACKAGE_BYTES - body_off) { len = (size_t)(PACKAGE_BYTES - body_off); }
	for (size_t i = 0; i < len; i++) {
		bytes[i] = package_byte(body_off + i);
	}
	offer_event(&(struct fota_http_event) { .kind = FOTA_HTTP_BODY, .body = { bytes, len } }, &taken);
	require(taken <= len, "no more is taken than was offered");
	body_off += taken;
}

static void op_done(uint8_t arg)
{
	bool is_early = is_get && body_off < PACKAGE_BYTES;

	if ((is_early || !is_headed) && arg < 128) { return; }
	send(&(struct fota_http_event) { .kind = FOTA_HTTP_DONE });
}

static void op_fail(uint8_t arg)
{
	static const enum fota_err errs[] = { FOTA_ERR_RESOLVE, FOTA_ERR_CONNECT, FOTA_ERR_SEND,     FOTA_ERR_RECEIVE,
					      FOTA_ERR_CLOSED,  FOTA_ERR_STALL,   FOTA_ERR_PROTOCOL, FOTA_ERR_REDIRECTS,
					      FOTA_ERR_URL,     FOTA_ERR_CONTRACT };

	send(&(struct fota_http_event) { .kind = FOTA_HTTP_FAIL, .err = errs[arg % 10] });
}

static void op_stored(uint8_t arg)
{
	static const enum fota_err errs[] = { FOTA_ERR_OK, FOTA_ERR_OK, FOTA_ERR_IO, FOTA_ERR_FULL };

	if (!is_pending) { return; }
	is_pending = false;
	fota_session_storage(&session, errs[arg < 192 ? 0 : arg % 4]);
}

static void op_async(uint8_t arg)
{
	is_async = (arg & 1) != 0;
}

static void start(void)
{
	is_pending = is_http_on = false;
	memset(&told, 0, sizeof(told));
	require(!fota_session_init(&session, &session_cfg), "the session starts");
}

/* What was programmed last may be half there. */
static void op_cut(uint8_t arg)
{
	if (is_pending) { journal.bytes[arg * 32u] ^= (uint8_t)(arg & 1); }
	for (unsigned i = 0; i < PORTS; i++) {
		at_reset(&ports[i]);
	}
	start();
}

static void (*const operations[])(uint8_t arg) = {
	op_command, op_wait, op_head, op_answer, op_reported, op_body, op_done, op_fail, op_stored, op_async, op_cut,
};

enum { OP_RAW = sizeof(operations) / sizeof(operations[0]), OP_COUNT };

/* ---- a run ---- */

static void init_port(uint32_t number)
{
	port_cfgs[number] =
		(struct at_cfg) { on_out, &port_cfgs[number].port, NULL, tables, 2, &identity, number, number * 20 };
	require(!at_init(&ports[number], &port_cfgs[number]) && !at_fota_add_port(&fota, &ports[number]),
		"a port starts");
	out_lens[number] = 0;
	has_started[number] = false;
}

static void init(void)
{
	static const struct at_fota_cfg fota_cfg = { .session = &session, .clock = &clock_port };

	now_ms = 1000;
	is_async = false;
	init_area(&slot, SLOT_BYTES);
	init_area(&journal, JOURNAL_BYTES);
	require(!at_fota_init(&fota, &fota_cfg), "the commands start");
	tables[0] = at_basic_table();
	tables[1] = at_fota_table(&fota);
	for (uint32_t i = 0; i < PORTS; i++) {
		init_port(i);
	}
	start();
}

/* Whatever came before, a session that is stopped ends. */
static void check_end(void)
{
	op_async(0);
	fota_session_abort(&session);
	for (unsigned i = 0; i < 50 && !fota_session_is_quiet(&session); i++) {
		op_stored(0);
		turn();
		now_ms += 1000;
	}
	require(fota_session_is_quiet(&session), "a stopped session comes to rest");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t i = 0;

	init();
	while (i + 1 < len) {
		uint8_t op = data[i] % OP_COUNT, arg = data[i + 1];

		i += 2;
		if (op == OP_RAW) {
			size_t raw = arg / 2 < len - i ? arg / 2 : len - i;

			feed(arg & 1, data + i, raw);
			i += raw;
		} else {
			operations[op](arg);
		}
		turn();
	}
	check_end();
	return 0;
}
