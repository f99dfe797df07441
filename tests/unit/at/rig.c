/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <stdio.h>

/* ---- commands that show what handlers can do ---- */

static enum at_result run_tset(struct at_server *at, const struct at_call *call)
{
	at_info_begin_named(at, call->cmd->name);
	at_info_quoted(at, call->args[0].text);
	at_info_text(at, call->args[1].is_given ? ",=" : ",");
	at_info_uint(at, call->args[1].number);
	at_info_text(at, call->args[2].is_given ? ",=" : ",");
	at_info_quoted(at, call->args[2].text);
	at_info_end(at);
	return AT_OK;
}

static enum at_result run_tcme(struct at_server *at, const struct at_call *call)
{
	return at_cme(at, call->args[0].number);
}

static enum at_result run_tmulti(struct at_server *at, const struct at_call *call)
{
	(void)call;
	at_info_line(at, "first");
	at_info_line(at, "second");
	return AT_OK;
}

static enum at_result run_turc(struct at_server *at, const struct at_call *call)
{
	(void)call;
	(void)at_urc(at, AT_URC_RESULT, fota_bytes_of("+TURC: 1"));
	at_info_line(at, "text");
	return AT_OK;
}

static enum at_result run_pending(struct at_server *at, const struct at_call *call)
{
	(void)at;
	(void)call;
	return AT_PENDING;
}

static void abort_tstop(struct at_server *at, const struct at_call *call)
{
	struct rig *rig = call->ctx;

	(void)at;
	rig->abort_count++;
}

static enum at_result run_tint(struct at_server *at, const struct at_call *call)
{
	at_info_begin_named(at, call->cmd->name);
	at_info_uint(at, call->args[0].number);
	at_info_end(at);
	return AT_OK;
}

static const struct at_param tset_params[] = {
	{ AT_STRING, .max = AT_LINE_BYTES },
	{ AT_UINT, .is_optional = true, .min = 5, .max = 10, .default_uint = 7 },
	{ AT_STRING, .is_optional = true, .min = 2, .max = 3 },
};
static const struct at_param any_uint[] = { { AT_UINT, .max = UINT32_MAX } };

static const struct at_command rows[] = {
	{ "+TSET", AT_SET, 3, .params = tset_params, .run = run_tset },
	{ "+TCME", AT_SET, 1, .params = any_uint, .run = run_tcme },
	{ "J", AT_ACTION, .run = run_tmulti },
	{ "+TMULTI", AT_ACTION, .run = run_tmulti },
	{ "+TURC", AT_ACTION, .run = run_turc },
	{ "+TWAIT", AT_ACTION, .run = run_pending },
	{ "+TSTOP", AT_ACTION, .run = run_pending, .abort = abort_tstop },
	{ "+TINT", AT_SET, 1, .params = any_uint, .run = run_tint },
};

/* ---- the rig ---- */

static void collect(void *ctx, const uint8_t *bytes, size_t len)
{
	struct rig_port *port = ctx;

	if (len >= RIG_OUT - port->out_len) { len = RIG_OUT - 1 - port->out_len; }
	memcpy(port->out + port->out_len, bytes, len);
	port->out_len += len;
	port->out[port->out_len] = 0;
}

static struct fota_bytes get_field(void *ctx, enum fota_identity_field field)
{
	struct rig *rig = ctx;

	return fota_bytes_of(rig->fields[field]);
}

static uint64_t get_now(void *ctx)
{
	struct rig *rig = ctx;

	return rig->now_ms;
}

static uint64_t get_unix(void *ctx)
{
	struct rig *rig = ctx;

	return rig->unix_s;
}

static void count_restart(void *ctx)
{
	struct rig *rig = ctx;

	rig->restart_count++;
}

static bool init_network(struct rig *rig, const char *profile)
{
	rig->network_cfg =
		(struct at_network_cfg) { profile ? at_profile_find(profile) : NULL, &rig->clock, count_restart, rig };
	return at_network_init(&rig->network, &rig->network_cfg) == FOTA_ERR_OK;
}

static bool init_port(struct rig *rig, unsigned number, const char *profile)
{
	struct rig_port *port = &rig->ports[number];

	port->cfg = (struct at_cfg) {
		.write = collect,
		.write_ctx = port,
		.profile = profile ? at_profile_find(profile) : NULL,
		.tables = rig->tables,
		.table_count = 5,
		.identity = &rig->identity,
		.port = number,
	};
	if (profile && !port->cfg.profile) { return false; }
	return at_init(&port->at, &port->cfg) == FOTA_ERR_OK &&
	       at_fota_add_port(&rig->fota, &port->at) == FOTA_ERR_OK &&
	       at_network_add_port(&rig->network, &port->at) == FOTA_ERR_OK;
}

bool rig_init(struct rig *rig, const char *profile)
{
	memset(rig, 0, sizeof(*rig));
	rig->now_ms = 1000000;
	rig->fields[FOTA_IDENTITY_MODEL] = "7600M21";
	rig->fields[FOTA_IDENTITY_DEVICE] = "867584030000001";
	rig->fields[FOTA_IDENTITY_VERSION] = "LE20B04SIM7600G22";
	rig->identity = (struct fota_identity) { rig, get_field };
	rig->clock = (struct fota_clock) { .ctx = rig, .now_ms = get_now, .unix_s = get_unix };
	rig->session.notify = at_fota_notice;
	rig->session.notify_ctx = &rig->fota;
	rig->fota_cfg = (struct at_fota_cfg) { fake_session_handle(&rig->session), &rig->clock, false };
	if (at_fota_init(&rig->fota, &rig->fota_cfg) != FOTA_ERR_OK) { return false; }
	if (!init_network(rig, profile)) { return false; }
	rig->tables[0] = at_basic_table();
	rig->tables[1] = at_fota_table(&rig->fota);
	rig->tables[2] = at_network_table(&rig->network);
	rig->tables[3] = at_call_table();
	rig->tables[4] = (struct at_table) { rows, sizeof(rows) / sizeof(rows[0]), rig };
	return init_port(rig, 0, profile) && init_port(rig, 1, profile);
}

void rig_feed_bytes(struct rig *rig, unsigned port, const void *bytes, size_t len)
{
	at_feed(&rig->ports[port].at, bytes, len, rig->now_ms);
}

void rig_feed(struct rig *rig, const char *text)
{
	rig_feed_bytes(rig, 0, text, strlen(text));
}

void rig_wait(struct rig *rig, uint64_t ms)
{
	rig->now_ms += ms;
	for (unsigned i = 0; i < RIG_PORTS; i++) {
		at_tick(&rig->ports[i].at, rig->now_ms);
	}
}

void rig_urc(struct rig *rig, enum at_urc_class urc_class, const char *text)
{
	(void)at_urc(&rig->ports[0].at, urc_class, fota_bytes_of(text));
}

void rig_complete(struct rig *rig, enum at_result result)
{
	at_complete(&rig->ports[0].at, result, rig->now_ms);
}

const char *rig_port_out(struct rig *rig, unsigned port)
{
	rig->ports[port].out[rig->ports[port].out_len] = 0;
	rig->ports[port].out_len = 0;
	return rig->ports[port].out;
}

const char *rig_out(struct rig *rig)
{
	return rig_port_out(rig, 0);
}

struct at_stats rig_stats(const struct rig *rig)
{
	struct at_stats stats;

	at_get_stats(&rig->ports[0].at, &stats);
	return stats;
}

bool rig_start_quiet(struct rig *rig, const char *profile)
{
	if (!rig_init(rig, profile)) { return false; }
	rig_feed(rig, "ATE0\r");
	(void)rig_out(rig);
	return true;
}
