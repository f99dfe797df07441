/* SPDX-License-Identifier: Apache-2.0 */
/* The FOTA commands: thin rows over the session, and the way back from its notices
 * to unsolicited results. The rules of a session are the session's; here is
 * only what is seen on a port.
 *
 * Strings of +CSCFOTA go to the session as they are, it checks their content. What
 * breaks their number or syntax is 302 too, by value_cme of the row. */
#include "fota/at_fota.h"

#include "at/at_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { TAG_CHECK = 1 };

/* ---- ports ---- */

enum fota_err at_fota_init(struct at_fota *fota, const struct at_fota_cfg *cfg)
{
	if (!cfg || !cfg->session || !cfg->clock || !cfg->clock->now_ms) { return FOTA_ERR_CONTRACT; }
	memset(fota, 0, sizeof(*fota));
	fota->cfg = cfg;
	return FOTA_ERR_OK;
}

static struct at_fota_port *find_port(struct at_fota *fota, const struct at_server *at)
{
	for (size_t i = 0; i < fota->port_count; i++) {
		if (fota->ports[i].at == at) { return &fota->ports[i]; }
	}
	return NULL;
}

static bool is_number_taken(const struct at_fota *fota, uint32_t number)
{
	for (size_t i = 0; i < fota->port_count; i++) {
		if (at_get_cfg(fota->ports[i].at)->port == number) { return true; }
	}
	return false;
}

enum fota_err at_fota_add_port(struct at_fota *fota, struct at_server *at)
{
	if (is_number_taken(fota, at_get_cfg(at)->port)) { return FOTA_ERR_CONTRACT; }
	if (fota->port_count == AT_FOTA_PORT_MAX) { return FOTA_ERR_FULL; }
	fota->ports[fota->port_count++] = (struct at_fota_port) { .at = at };
	return FOTA_ERR_OK;
}

void at_fota_remove_port(struct at_fota *fota, const struct at_server *at)
{
	struct at_fota_port *port = find_port(fota, at);

	if (port) { *port = fota->ports[--fota->port_count]; }
}

/* ---- commands ---- */

/* A refusal by the session becomes the result of the command. */
static enum at_result answer_code(struct at_server *at, enum fota_code code)
{
	return code == FOTA_CODE_NONE ? AT_OK : at_cme(at, (unsigned)code);
}

static void get_info(const struct at_call *call, struct fota_session_info *info)
{
	const struct at_fota *fota = call->ctx;

	fota_session_get(fota->cfg->session, info);
}

static void show_number(struct at_server *at, const struct at_call *call, uint64_t number)
{
	at_info_begin_named(at, call->cmd->name);
	at_info_uint(at, number);
	at_info_end(at);
}

static enum at_result run_capfota(struct at_server *at, const struct at_call *call)
{
	struct at_fota *fota = call->ctx;
	struct fota_session_info info;

	if (call->form == AT_SET) {
		fota_session_set_on(fota->cfg->session, call->args[0].number == 1);
		return AT_OK;
	}
	get_info(call, &info);
	show_number(at, call, info.is_on ? 1 : 0);
	return AT_OK;
}

/* The tag tells +FOTACHECK, which only asks, from +CSCFOTA. */
static enum at_result run_request(struct at_server *at, const struct at_call *call)
{
	const struct at_fota *fota = call->ctx;
	const struct fota_request req = {
		.oem = call->args[0].text,
		.model = call->args[1].text,
		.product = call->args[2].text,
		.secret = call->args[3].text,
		.target = call->args[4].text,
	};

	uint32_t port = at_get_cfg(at)->port;

	if (call->cmd->tag == TAG_CHECK) { return answer_code(at, fota_session_check(fota->cfg->session, &req, port)); }
	return answer_code(at, fota_session_start(fota->cfg->session, &req, port));
}

static enum at_result run_cancel(struct at_server *at, const struct at_call *call)
{
	const struct at_fota *fota = call->ctx;

	return answer_code(at, fota_session_cancel(fota->cfg->session));
}

static enum at_result run_install(struct at_server *at, const struct at_call *call)
{
	const struct at_fota *fota = call->ctx;

	return answer_code(at, fota_session_install(fota->cfg->session));
}

static enum at_result run_confirm(struct at_server *at, const struct at_call *call)
{
	const struct at_fota *fota = call->ctx;

	return answer_code(at, fota_session_confirm(fota->cfg->session, call->args[0].number == 1));
}

/* No line if nothing was ever installed: 0 means that it went well. */
static enum at_result run_result(struct at_server *at, const struct at_call *call)
{
	struct fota_session_info info;

	get_info(call, &info);
	if (!info.result.is_there) { return AT_OK; }
	at_info_begin_named(at, call->cmd->name);
	at_info_uint(at, info.result.code);
	at_info_text(at, ",");
	at_info_quoted(at, fota_text_get(&info.result.old_version));
	at_info_text(at, ",");
	at_info_quoted(at, fota_text_get(&info.result.new_version));
	at_info_end(at);
	return AT_OK;
}

static enum at_result run_state(struct at_server *at, const struct at_call *call)
{
	struct fota_session_info info;

	get_info(call, &info);
	at_info_begin_named(at, call->cmd->name);
	at_info_uint(at, info.state);
	at_info_text(at, ",");
	at_info_uint(at, info.received_bytes);
	at_info_text(at, ",");
	at_info_uint(at, info.total_bytes);
	at_info_text(at, ",");
	at_info_quoted(at, info.target);
	at_info_end(at);
	return AT_OK;
}

static enum at_result run_last(struct at_server *at, const struct at_call *call)
{
	const struct fota_code_info *code;
	struct fota_session_info info;

	get_info(call, &info);
	code = fota_code_find(info.last.code);
	at_info_begin_named(at, call->cmd->name);
	at_info_uint(at, (unsigned)info.last.code);
	at_info_text(at, ",");
	at_info_quoted(at, fota_bytes_of(code ? code->text : ""));
	at_info_text(at, ",");
	at_info_quoted(at, fota_bytes_of(info.last.step));
	at_info_text(at, ",");
	at_info_quoted(at, info.last.target);
	at_info_end(at);
	return AT_OK;
}

static uint32_t get_reset_count(const struct at_server *at)
{
	struct at_stats stats;

	at_get_stats(at, &stats);
	return stats.reset_count;
}

/* 0 if another host is on the port than the one that asked for progress. */
static uint16_t get_interval(const struct at_fota_port *port)
{
	return get_reset_count(port->at) == port->reset_count ? port->interval_s : 0;
}

/* The interval belongs to the port. One that is not among ours has none to set. */
static enum at_result run_progress(struct at_server *at, const struct at_call *call)
{
	struct at_fota_port *port = find_port(call->ctx, at);

	if (!port) { return AT_ERROR; }
	if (call->form == AT_READ) {
		show_number(at, call, get_interval(port));
	} else {
		port->interval_s = (uint16_t)call->args[0].number;
		port->reset_count = get_reset_count(at);
	}
	return AT_OK;
}

static enum at_result run_statistics(struct at_server *at, const struct at_call *call)
{
	struct at_stats stats;
	const uint32_t *counts[] = { &stats.long_line_count, &stats.dropped_byte_count, &stats.lost_urc_count,
				     &stats.aborted_count };

	at_get_stats(at, &stats);
	at_info_begin_named(at, call->cmd->name);
	for (size_t i = 0; i < COUNT(counts); i++) {
		if (i > 0) { at_info_text(at, ","); }
		at_info_uint(at, *counts[i]);
	}
	at_info_end(at);
	return AT_OK;
}

#define STRING                                  \
	{                                       \
		AT_STRING, .max = AT_LINE_BYTES \
	}

static const struct at_param on_off[] = { { AT_UINT, .max = 1 } };
static const struct at_param interval[] = { { AT_UINT, .max = AT_FOTA_INTERVAL_MAX_S } };
static const struct at_param request[] = { STRING, STRING, STRING, STRING, STRING };

static const struct at_command rows[] = {
	{ "+CAPFOTA", AT_SET | AT_READ | AT_TEST, 1, .params = on_off, .test_text = "(0-1)", .run = run_capfota },
	{ "+CSCFOTA", AT_SET | AT_TEST, COUNT(request), .value_cme = FOTA_CODE_BAD_PARAM, .params = request,
	  .run = run_request },
	{ "+FOTACHECK", AT_SET | AT_TEST, COUNT(request), TAG_CHECK, .value_cme = FOTA_CODE_BAD_PARAM,
	  .params = request, .run = run_request },
	{ "+FOTASTATE", AT_READ | AT_TEST, .run = run_state },
	{ "+FOTALAST", AT_READ | AT_TEST, .run = run_last },
	{ "+FOTAPROG", AT_SET | AT_READ | AT_TEST, 1, .params = interval, .test_text = "(0-3600)",
	  .run = run_progress },
	{ "+FOTACANCEL", AT_ACTION | AT_TEST, .run = run_cancel },
	{ "+FOTAINSTALL", AT_ACTION | AT_TEST, .run = run_install },
	{ "+FOTACONFIRM", AT_SET | AT_TEST, 1, .params = on_off, .test_text = "(0-1)", .run = run_confirm },
	{ "+FOTARESULT", AT_READ | AT_TEST, .run = run_result },
	{ "+FOTASTAT", AT_READ | AT_TEST, .run = run_statistics },
};

struct at_table at_fota_table(struct at_fota *fota)
{
	return (struct at_table) { rows, COUNT(rows), fota };
}

/* ---- notices ---- */

/* A line under construction. The longest is +FOTAPROG with two numbers of 20 digits. */
struct line {
	uint8_t text[AT_URC_TEXT_BYTES];
	size_t len;
};

_Static_assert(sizeof("+FOTAPROG: ,") + 2 * AT_UINT_DIGITS <= AT_URC_TEXT_BYTES, "a progress line fits");

static void add_text(struct line *line, const char *text)
{
	size_t len = strlen(text);

	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static void add_uint(struct line *line, uint64_t number)
{
	char digits[AT_UINT_DIGITS];
	size_t len = at_out_format(digits, number);

	memcpy(line->text + line->len, digits, len);
	line->len += len;
}

/* What the queue of a port cannot take is counted there. */
static void send_line(struct at_fota_port *port, enum at_urc_class urc_class, const struct line *line)
{
	(void)at_urc(port->at, urc_class, (struct fota_bytes) { line->text, line->len });
}

static void send_code(struct at_fota_port *port, unsigned code)
{
	struct line line = { .len = 0 };

	add_text(&line, "+CSCFOTA: ");
	add_uint(&line, code);
	send_line(port, AT_URC_RESULT, &line);
}

static void send_progress(struct at_fota *fota, struct at_fota_port *port, uint64_t now_ms)
{
	struct line line = { .len = 0 };

	add_text(&line, "+FOTAPROG: ");
	add_uint(&line, fota->received_bytes);
	add_text(&line, ",");
	add_uint(&line, fota->total_bytes);
	send_line(port, AT_URC_PROGRESS, &line);
	port->sent_ms = now_ms;
	port->is_sent = true;
	port->is_unsent = false;
}

static bool is_progress_due(const struct at_fota *fota, const struct at_fota_port *port, uint64_t now_ms)
{
	bool is_end = fota->received_bytes == fota->total_bytes;

	return is_end || !port->is_sent || now_ms - port->sent_ms >= (uint64_t)port->interval_s * 1000;
}

static void notice_progress(struct at_fota *fota, struct at_fota_port *port)
{
	uint64_t now_ms = fota->cfg->clock->now_ms(fota->cfg->clock->ctx);

	if (get_interval(port) == 0) { return; }
	port->is_unsent = true;
	if (is_progress_due(fota, port, now_ms)) { send_progress(fota, port, now_ms); }
}

/* Also behind code 2: the next movement is shown at once. */
static void notice_code(struct at_fota *fota, struct at_fota_port *port, const struct fota_notice *notice)
{
	const struct at_profile *profile = at_get_profile(port->at);

	if (port->is_unsent && get_interval(port) > 0) { send_progress(fota, port, 0); }
	port->is_sent = false;
	port->is_unsent = false;
	if (!fota->cfg->is_code_for_all && at_get_cfg(port->at)->port != notice->origin) { return; }
	send_code(port, (unsigned)notice->code);
	if (notice->code == FOTA_CODE_DOWNLOADED && profile->is_success_ended_with_zero) { send_code(port, 0); }
}

/* Room behind a version: '",', a number, ',' and an encoding. */
#define OFFER_TAIL_BYTES (2 + AT_UINT_DIGITS + 1 + 3)
/* Two versions share a line; behind the second there is a quote. */
#define RESULT_OLD_END (AT_URC_TEXT_BYTES / 2 + 8)
#define RESULT_NEW_END (AT_URC_TEXT_BYTES - 1)

/* How much room a character takes, with the rest of it if it begins one of UTF-8. */
static size_t room_of(uint8_t c)
{
	if (c >= 0xc0) { return 4; }
	return at_out_is_escaped(c) ? 3 : 1;
}

/* As at_info_quoted, without the last quote. What goes beyond `end` is left out: the host
 * knows what it asked for. */
static void add_quoted(struct line *line, struct fota_bytes text, size_t end)
{
	add_text(line, "\"");
	for (size_t i = 0; i < text.len; i++) {
		if (line->len + room_of(text.ptr[i]) > end) { return; }
		line->len += at_out_escape((char *)line->text + line->len, text.ptr[i]);
	}
}

static void notice_offer(struct at_fota *fota, const struct fota_notice *notice)
{
	struct line line = { .len = 0 };

	add_text(&line, "+FOTACHECK: ");
	add_quoted(&line, notice->target, sizeof(line.text) - OFFER_TAIL_BYTES);
	add_text(&line, "\",");
	add_uint(&line, notice->total_bytes);
	add_text(&line, ",");
	add_uint(&line, notice->encoding);
	for (size_t i = 0; i < fota->port_count; i++) {
		struct at_fota_port *port = &fota->ports[i];

		if (fota->cfg->is_code_for_all || at_get_cfg(port->at)->port == notice->origin) {
			send_line(port, AT_URC_RESULT, &line);
		}
	}
}

/* Nobody started it from a port: all of them hear it. */
static void notice_result(struct at_fota *fota, const struct fota_notice *notice)
{
	struct line line = { .len = 0 };

	add_text(&line, "+FOTARESULT: ");
	add_uint(&line, (unsigned)notice->code);
	add_text(&line, ",");
	add_quoted(&line, notice->old_version, RESULT_OLD_END);
	add_text(&line, "\",");
	add_quoted(&line, notice->target, RESULT_NEW_END);
	add_text(&line, "\"");
	for (size_t i = 0; i < fota->port_count; i++) {
		send_line(&fota->ports[i], AT_URC_RESULT, &line);
	}
}

static bool is_moved(const struct at_fota *fota, const struct fota_notice *notice)
{
	return notice->received_bytes != fota->received_bytes || notice->total_bytes != fota->total_bytes;
}

void at_fota_notice(void *ctx, const struct fota_notice *notice)
{
	struct at_fota *fota = ctx;
	bool is_code = notice->kind == FOTA_NOTICE_CODE;

	if (notice->kind == FOTA_NOTICE_OFFER) { notice_offer(fota, notice); }
	if (notice->kind == FOTA_NOTICE_RESULT) { notice_result(fota, notice); }
	if (!is_code && (notice->kind != FOTA_NOTICE_PROGRESS || !is_moved(fota, notice))) { return; }
	if (!is_code) {
		fota->received_bytes = notice->received_bytes;
		fota->total_bytes = notice->total_bytes;
	}
	for (size_t i = 0; i < fota->port_count; i++) {
		if (is_code) {
			notice_code(fota, &fota->ports[i], notice);
		} else {
			notice_progress(fota, &fota->ports[i]);
		}
	}
	if (is_code) { fota->received_bytes = fota->total_bytes = 0; }
}
