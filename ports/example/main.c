/* SPDX-License-Identifier: Apache-2.0 */
/* A module without an operating system: one AT port, one session, one loop, two slots. This is the
 * whole glue of docs/PORTING.md; what begins with board_ is the porter's.
 *
 * Everything is static here: 4 KiB of work room, a port and a session are all that
 * the library asks for. The check compiles it; ports/conformance is for the board_
 * functions. */
#include "board.h"
#include "fota/at.h"
#include "fota/at_fota.h"
#include "fota/session.h"

#define SERVER_URL "https://fota.example"

static struct fota_session session;
static struct at_server at;
static struct at_fota fota;
static uint8_t work[FOTA_WORK_MIN_BYTES];
static bool is_restart_due;

/* ---- who this module is: from where the factory wrote it ---- */

static struct fota_bytes identity_get(void *ctx, enum fota_identity_field field)
{
	(void)ctx;
	switch (field) {
	case FOTA_IDENTITY_MODEL:
		return fota_bytes_of("7600M21");
	case FOTA_IDENTITY_DEVICE:
		return fota_bytes_of(board_imei());
	case FOTA_IDENTITY_VERSION:
		return fota_bytes_of(board_firmware_version());
	default:
		return fota_bytes_of(""); /* OEM: taken from the command */
	}
}

static const struct fota_identity identity = { .get = identity_get };

/* ---- configuration ---- */

static const struct at_fota_cfg fota_cfg = { .session = &session, .clock = &board_clock };

static void write_uart(void *ctx, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	board_uart_write(bytes, len);
}

static enum fota_err start_at(struct at_table tables[2])
{
	static struct at_cfg cfg = { .write = write_uart, .identity = &identity, .table_count = 2 };
	enum fota_err err = at_fota_init(&fota, &fota_cfg);

	if (err) { return err; }
	tables[0] = at_basic_table();
	tables[1] = at_fota_table(&fota);
	cfg.tables = tables;
	err = at_init(&at, &cfg);
	return err ? err : at_fota_add_port(&fota, &at);
}

/* All is stored; the host still gets its OK first. */
static void on_notice(void *ctx, const struct fota_notice *notice)
{
	if (notice->kind == FOTA_NOTICE_RESTART) { is_restart_due = true; }
	at_fota_notice(ctx, notice);
}

static enum fota_err start_session(void)
{
	static struct fota_session_cfg cfg = {
		.http = &board_http,
		.slots = { &board_slots[0], &board_slots[1] },
		.journal = &board_journal,
		.clock = &board_clock,
		.random = &board_random,
		.crypto = &board_crypto,
		.identity = &identity,
		.work = { work, sizeof(work) },
		.keys = board_keys,
		.notify = on_notice,
		.notify_ctx = &fota,
	};

	cfg.key_count = board_key_count;
	cfg.running_slot = board_running_slot();
	cfg.server_url = fota_bytes_of(SERVER_URL);
	return fota_session_init(&session, &cfg);
}

/* ---- the loop ---- */

/* The HTTP client's events, from inside board_http_poll. */
static enum fota_err on_http(void *ctx, const struct fota_http_event *event, size_t *taken)
{
	(void)ctx;
	return fota_session_http(&session, event, taken);
}

/* What has come since the last turn: characters, network, storage, time. */
static void turn(void)
{
	uint64_t now_ms = board_clock.now_ms(board_clock.ctx);
	uint8_t bytes[32];
	size_t len = board_uart_read(bytes, sizeof(bytes));
	enum fota_err result;

	if (len) { at_feed(&at, bytes, len, now_ms); }
	board_http_poll(on_http, NULL);
	if (board_flash_poll(&result)) { fota_session_storage(&session, result); }
	fota_session_tick(&session);
	at_tick(&at, now_ms);
}

/* Sleeps until something is due or an interrupt comes. */
static void rest(void)
{
	uint32_t session_ms = fota_session_next_ms(&session);
	uint32_t at_ms = at_next_ms(&at, board_clock.now_ms(board_clock.ctx));

	board_sleep(session_ms < at_ms ? session_ms : at_ms);
}

int main(void)
{
	static struct at_table tables[2];

	/* the service is off until the host says AT+CAPFOTA=1 */
	if (start_at(tables) || start_session()) { board_panic("the configuration is not usable"); }
	while (!board_is_going_down() && !is_restart_due) {
		turn();
		if (!is_restart_due) { rest(); }
	}
	/* a session that runs ends with 508, and its part is synced */
	fota_session_abort(&session);
	while (!fota_session_is_quiet(&session)) {
		turn();
	}
	if (is_restart_due) { board_restart(); }
	board_power_off();
	return 0;
}
