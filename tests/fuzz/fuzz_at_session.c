/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes two ports over one real session, on two slots: commands, network, storage, time,
 * restarts and cuts of power in any order. The platform is authentic and signs its offers, so
 * that the session gets beyond its first answer; the ciphers are sums.
 *
 * Input is pairs of bytes: an operation (see `operations`, modulo their number) and its
 * argument. OP_RAW takes as many further bytes as its argument says.
 *
 * Properties: a code is told only in a session, 2 at most once and for no offer that is wrong,
 * 4 only before the final one, one final code each; a port that never started a session sees none; a
 * session that only asks writes nothing to the slots; what is programmed was erased; what
 * runs is not written to; behind code 3 the slot holds the package; every start finds a whole
 * image, as the journal names it, and none older than what was confirmed; no turn of the loop goes on for
 * ever, of session or port; a cancelled session comes to its end. */
#include "areas.h"
#include "fota/at_fota.h"
#include "fota/suit.h"
#include "fuzz.h"
#include "sums.h"

#define PORTS         2u
#define SLOT_BYTES    AREA_BYTES
#define JOURNAL_BYTES 8192u
#define PACKAGE_BYTES 2500u
#define OUT_BYTES     65536u
#define TURNS_MAX     2000u

static struct area slots[FOTA_SLOT_COUNT], journal;
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

static unsigned running;        /* the slot */
static struct fota_boot booted; /* as the boot loader left it */
static uint64_t confirmed;      /* the highest sequence number of what was */
static bool is_offer_wrong;
static bool is_http_on;   /* a request runs */
static bool is_get;       /* ... for the package */
static bool is_headed;    /* its answer has begun */
static uint64_t body_off; /* where its body is */
static struct {
	bool is_on, is_checked, is_partial;
	unsigned write_count; /* of the slot at its start */
} told;                       /* what the session that runs has told */

/* ---- ports: the rest ---- */

static enum fota_err http_start(void *ctx, const struct fota_http_request *req)
{
	(void)ctx;
	fuzz_require(!is_http_on, "one request at a time");
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

/* Of a factory image there is no name in the journal. */
static struct fota_bytes get_version(void)
{
	const struct fota_text *version = &booted.images[running].version;

	return version->len ? fota_text_get(version) : fota_bytes_of("V1");
}

static struct fota_bytes get_identity(void *ctx, enum fota_identity_field field)
{
	(void)ctx;
	if (field == FOTA_IDENTITY_VERSION) { return get_version(); }
	return fota_bytes_of(field == FOTA_IDENTITY_OEM ? "" : "M");
}

static const struct fota_http http = { NULL, http_start, http_resume, http_cancel };
static const struct fota_clock clock_port = { NULL, get_now, get_unix };
static const struct fota_random random_port = { NULL, random_fill };
static struct fota_crypto crypto;
static const struct fota_identity identity = { NULL, get_identity };

/* ---- what is told ---- */

/* Of the image of a version; 0 is what the factory made. */
static uint8_t image_byte(unsigned number, uint64_t off)
{
	return (uint8_t)(off * 7 + off / 256 + number * 31);
}

/* "V2" is number 2. */
static unsigned number_of(const struct fota_text *version)
{
	return version->len == 2 ? (unsigned)(version->bytes[1] - '0') : 0;
}

static bool holds(const struct area *area, unsigned number)
{
	for (uint64_t i = 0; i < PACKAGE_BYTES; i++) {
		if (area->bytes[i] != image_byte(number, i)) { return false; }
	}
	return true;
}

static void check_code(enum fota_code code)
{
	fuzz_require(told.is_on, "a code is told only in a session");
	if (code == FOTA_CODE_CHECKED) {
		fuzz_require(!told.is_checked, "2 is told once");
		fuzz_require(!is_offer_wrong, "no wrong offer is taken");
		told.is_checked = true;
		return;
	}
	if (code == FOTA_CODE_PARTIAL) {
		fuzz_require(!told.is_partial && !session.is_check_only, "4 is told once, and not by a check");
		told.is_partial = true;
		return;
	}
	fuzz_require(code != FOTA_CODE_DOWNLOADED || (told.is_checked && !told.is_partial), "3 comes behind 2 alone");
	if (code == FOTA_CODE_DOWNLOADED) {
		fuzz_require(holds(&slots[fota_boot_target(&session.record.boot)], number_of(&session.target)),
			     "behind code 3 the slot holds the package");
	}
	told.is_on = false;
}

static void on_notice(void *ctx, const struct fota_notice *notice)
{
	(void)ctx;
	if (notice->kind == FOTA_NOTICE_CODE) { check_code(notice->code); }
	if (notice->kind == FOTA_NOTICE_OFFER) {
		fuzz_require(told.is_on && told.is_checked && session.is_check_only, "an offer ends a check");
		told.is_on = false;
	}
	at_fota_notice(&fota, notice);
}

static void on_out(void *ctx, const uint8_t *bytes, size_t len)
{
	unsigned port = *(const uint32_t *)ctx;

	fuzz_require(out_lens[port] + len < OUT_BYTES, "output is bounded");
	memcpy(outs[port] + out_lens[port], bytes, len);
	out_lens[port] += len;
}

static const struct fota_trusted_key trusted = { { 1 }, { 2 } }, foreign = { { 3 }, { 2 } };

static struct fota_session_cfg session_cfg = {
	.http = &http,
	.slots = { &slots[0].flash, &slots[1].flash },
	.journal = &journal.flash,
	.clock = &clock_port,
	.random = &random_port,
	.crypto = &crypto,
	.identity = &identity,
	.keys = &trusted,
	.key_count = 1,
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
		fuzz_require(has_started[i] || !strstr(outs[i], "\n+CSCFOTA: "),
			     "a port that started nothing sees no code");
		out_lens[i] = 0;
	}
}

static unsigned write_count(void)
{
	return slots[0].write_count + slots[1].write_count;
}

static void check_session(void)
{
	fuzz_require(session.is_running == told.is_on, "a session ends with its final code");
	if (session.is_running && session.is_check_only) {
		fuzz_require(write_count() == told.write_count, "a check leaves the slots alone");
	}
}

/* The journal has what is confirmed when the session rests. */
static void note_confirmed(void)
{
	const struct fota_boot *boot = &session.record.boot;
	bool is_stored = fota_session_is_quiet(&session) && session.order == 0 && boot->state == FOTA_BOOT_IDLE;

	if (is_stored && boot->images[boot->active].sequence > confirmed) {
		confirmed = boot->images[boot->active].sequence;
	}
}

static void turn(void)
{
	unsigned turns = 0;

	fota_session_tick(&session);
	while (fota_session_next_ms(&session) == 0 && !areas_is_pending()) {
		fuzz_require(turns++ < TURNS_MAX, "no turn goes on for ever");
		fota_session_tick(&session);
	}
	for (unsigned i = 0; i < PORTS; i++) {
		at_tick(&ports[i], now_ms);
		fuzz_require(at_next_ms(&ports[i], now_ms) > 0, "a port that had its time wants no more of it");
	}
	check_session();
	check_outs();
	note_confirmed();
}

static void feed(unsigned port, const uint8_t *bytes, size_t len)
{
	bool was_running = session.is_running;

	at_feed(&ports[port], bytes, len, now_ms);
	if (!was_running && session.is_running) {
		memset(&told, 0, sizeof(told));
		told.is_on = true;
		told.write_count = write_count();
		has_started[port] = true;
	}
}

/* ---- operations ---- */

#define VALUES_OF(version) "=\"A\",\"M\",\"1540907004\",\"0123456789abcdef\",\"" version "\"\r"
#define VALUES             VALUES_OF("V2")

static const char *const commands[] = {
	"AT+CAPFOTA=1\r",
	"AT+CSCFOTA" VALUES,
	"AT+FOTACHECK" VALUES,
	"AT+CAPFOTA=0\r",
	"AT+FOTACANCEL\r",
	"AT+FOTASTATE?\r",
	"AT+FOTALAST?\r",
	"AT+FOTAPROG=1\r",
	"ATQ1\r",
	"ATQ0\r",
	"AT+CSCFOTA=1\r",
	"ATZ\r",
	"AT+FOTASTAT?\r",
	"ATE0V0\r",
	"A/",
	"AT+CLAC\r",
	"AT+CSCFOTA" VALUES_OF("V3"),
	"AT+FOTAINSTALL\r",
	"AT+FOTACONFIRM=1\r",
	"AT+FOTACONFIRM=0\r",
	"AT+FOTARESULT?\r",
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

	fuzz_require(err == FOTA_ERR_OK || (err == FOTA_ERR_BUSY && event->kind == FOTA_HTTP_BODY), "events are taken");
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

/* What is wrong with an offer, by the argument of op_answer. */
enum flaw {
	FLAW_NONE,
	FLAW_ANOTHER_IMAGE = 117, /* the manifest is of another one */
	FLAW_BIT,
	FLAW_OLD, /* a sequence number that is not enough once something was installed */
	FLAW_VERSION,
	FLAW_MODEL,
	FLAW_NO_MANIFEST,
	FLAW_FOREIGN_KEY,
	FLAW_SIZE, /* too large for the slot; the manifest says the same */
	FLAW_URL,
	FLAW_DIGEST, /* likewise */
};

static bool is_wrong(unsigned flaw)
{
	return flaw >= FLAW_ANOTHER_IMAGE && flaw <= FLAW_FOREIGN_KEY && flaw != FLAW_OLD;
}

static struct fota_bytes sign_manifest(struct fota_bytes manifest, bool is_foreign, struct fota_room room)
{
	struct fota_suit_signature signature = { .kid = { 2 } };
	struct fota_bytes envelope = { NULL, 0 };
	uint8_t hash[FOTA_SUIT_DIGEST_BYTES];

	fuzz_require(!fota_suit_to_sign(manifest, &crypto, hash), "a manifest can be signed");
	sums_sign(is_foreign ? foreign.point : trusted.point, hash, signature.bytes);
	fuzz_require(!fota_suit_seal(manifest, &crypto, &signature, 1, room, &envelope), "an envelope can be made");
	return envelope;
}

/* The envelope of an offer, right or wrong. */
static struct fota_bytes make_envelope(const struct fota_check_answer *msg, unsigned flaw, struct fota_room room)
{
	uint8_t manifest_room[FOTA_SUIT_ENVELOPE_MAX_BYTES];
	struct fota_bytes manifest = { NULL, 0 }, envelope;
	struct fota_suit_build build = {
		.sequence_number = flaw == FLAW_OLD ? 1 : number_of(&session.target),
		.oem = fota_bytes_of("A"),
		.model = fota_bytes_of(flaw == FLAW_MODEL ? "N" : "M"),
		.version = flaw == FLAW_VERSION ? fota_bytes_of("V9") : fota_text_get(&session.target),
		.size_bytes = msg->size_bytes,
	};

	if (flaw == FLAW_NO_MANIFEST || session.target.len == 0) { return manifest; }
	memcpy(build.digest, msg->digest.ptr, sizeof(build.digest));
	if (flaw == FLAW_ANOTHER_IMAGE) { build.digest[5] ^= 1; }
	fuzz_require(!fota_suit_build(&build, &crypto, (struct fota_room) { manifest_room, sizeof(manifest_room) },
				      &manifest),
		     "a manifest can be made");
	envelope = sign_manifest(manifest, flaw == FLAW_FOREIGN_KEY, room);
	if (flaw == FLAW_BIT) { room.ptr[now_ms % envelope.len] ^= 4; }
	return envelope;
}

static void send_message(struct fota_bytes payload)
{
	static uint8_t room[FOTA_MESSAGE_MAX_BYTES];
	struct fota_bytes message = { NULL, 0 };
	uint8_t tag[FOTA_MAC_BYTES];

	fuzz_require(!fota_mac0_put(&crypto, fota_bytes_of("0123456789abcdef"), fota_bytes_of("1540907004"),
				    (struct fota_bytes) { session.request_tag, sizeof(session.request_tag) }, payload,
				    (struct fota_room) { room, sizeof(room) }, &message, tag),
		     "the platform can seal");
	send(&(struct fota_http_event) { .kind = FOTA_HTTP_BODY, .body = message });
}

/* A whole answer of the check: an offer, or a refusal. */
static void op_answer(uint8_t arg)
{
	uint8_t payload_room[FOTA_MESSAGE_MAX_BYTES], envelope_room[FOTA_SUIT_ENVELOPE_MAX_BYTES], digest[32];
	struct fota_bytes payload = { NULL, 0 };
	struct fota_check_answer msg = { .result = arg < 128 ? 0 : arg % 9, .time_s = 1700000000 };

	if (is_get || !is_http_on) { return; }
	sums_digest(image_byte, number_of(&session.target), PACKAGE_BYTES, digest);
	if (arg == FLAW_DIGEST) { digest[0] ^= 1; }
	msg.deployment = fota_bytes_of("d");
	msg.url = fota_bytes_of(arg == FLAW_URL ? "ftp://x" : "/p");
	msg.size_bytes = arg == FLAW_SIZE ? SLOT_BYTES + 1 : PACKAGE_BYTES;
	msg.digest = (struct fota_bytes) { digest, sizeof(digest) };
	msg.manifest = make_envelope(&msg, arg, (struct fota_room) { envelope_room, sizeof(envelope_room) });
	fuzz_require(!fota_check_answer_put(&msg, (struct fota_room) { payload_room, sizeof(payload_room) }, &payload),
		     "the platform can answer");
	is_offer_wrong = is_wrong(arg);
	op_head(0);
	send_message(payload);
	send(&(struct fota_http_event) { .kind = FOTA_HTTP_DONE });
	is_offer_wrong = false;
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
		bytes[i] = image_byte(number_of(&session.target), body_off + i);
	}
	offer_event(&(struct fota_http_event) { .kind = FOTA_HTTP_BODY, .body = { bytes, len } }, &taken);
	fuzz_require(taken <= len, "no more is taken than was offered");
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

	if (!areas_is_pending()) { return; }
	areas_complete();
	fota_session_storage(&session, errs[arg < 192 ? 0 : arg % 4]);
}

static void op_async(uint8_t arg)
{
	areas_set_async((arg & 1) != 0);
}

static void op_policy(uint8_t arg)
{
	fota_session_set_policy(&session, &(struct fota_session_policy) { .is_auto_install = arg & 1,
									  .is_auto_confirm = arg & 2,
									  .window_from_min = arg & 4 ? 60 : 0,
									  .window_to_min = arg & 8 ? 1300 : 0 });
}

static enum fota_err wait_for_storage(void *ctx)
{
	(void)ctx;
	areas_complete();
	return FOTA_ERR_OK;
}

static void check_boot(const struct fota_boot_choice *choice)
{
	const struct fota_image *image = &booted.images[choice->slot];

	fuzz_require(!choice->is_none, "there is always an image to start");
	fuzz_require(holds(&slots[choice->slot], image->size_bytes ? number_of(&image->version) : 0),
		     "what starts is whole, and what the journal says");
	fuzz_require(image->sequence >= confirmed, "nothing starts that is older than what was confirmed");
}

static void start(void)
{
	const struct fota_boot_cfg cfg = {
		.journal = &journal.flash,
		.slots = { &slots[0].flash, &slots[1].flash },
		.crypto = &crypto,
		.work = { work, sizeof(work) },
		.wait = wait_for_storage,
	};
	struct fota_boot_choice choice;
	static struct fota_record record;

	is_http_on = false;
	memset(&told, 0, sizeof(told));
	slots[0].is_protected = slots[1].is_protected = true; /* a boot loader reads */
	fuzz_require(!fota_boot_run(&cfg, &record, &choice), "the boot loader does its work");
	booted = record.boot;
	check_boot(&choice);
	running = choice.slot;
	slots[!running].is_protected = false;
	session_cfg.running_slot = running;
	memset(work, 0xdd, sizeof(work));
	memset(&session, 0xdd, sizeof(session));
	fuzz_require(!fota_session_init(&session, &session_cfg), "the session starts");
}

/* A cut of power, or the restart that an installation asks for. */
static void op_cut(uint8_t arg)
{
	areas_cut(arg);
	for (unsigned i = 0; i < PORTS; i++) {
		at_reset(&ports[i]);
	}
	start();
}

static void (*const operations[])(uint8_t arg) = {
	op_command, op_wait, op_head,   op_answer, op_reported, op_body,
	op_done,    op_fail, op_stored, op_async,  op_cut,      op_policy,
};

enum { OP_RAW = sizeof(operations) / sizeof(operations[0]), OP_COUNT };

/* ---- a run ---- */

static void init_port(uint32_t number)
{
	port_cfgs[number] =
		(struct at_cfg) { on_out, &port_cfgs[number].port, NULL, tables, 2, &identity, number, number * 20 };
	fuzz_require(!at_init(&ports[number], &port_cfgs[number]) && !at_fota_add_port(&fota, &ports[number]),
		     "a port starts");
	out_lens[number] = 0;
	has_started[number] = false;
}

static void init(void)
{
	static const struct at_fota_cfg fota_cfg = { .session = &session, .clock = &clock_port };

	now_ms = 1000;
	confirmed = 0;
	crypto = sums_crypto();
	areas_init(&slots[0], SLOT_BYTES);
	areas_init(&slots[1], SLOT_BYTES);
	areas_init(&journal, JOURNAL_BYTES);
	for (uint64_t i = 0; i < PACKAGE_BYTES; i++) {
		slots[0].bytes[i] = image_byte(0, i);
	}
	fuzz_require(!at_fota_init(&fota, &fota_cfg), "the commands start");
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
	fuzz_require(fota_session_is_quiet(&session), "a stopped session comes to rest");
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
