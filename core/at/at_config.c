/* SPDX-License-Identifier: Apache-2.0 */
/* AT+FOTACFG? lists, ="<name>" shows, ="<name>","<value>" sets. */
#include "fota/at_config.h"

#include "at/at_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { CME_NOT_FOUND = 22 };

static void show(struct at_server *at, const struct at_call *call, size_t index)
{
	const struct at_config_cfg *cfg = call->ctx;

	at_info_begin_named(at, call->cmd->name);
	at_info_quoted(at, fota_bytes_of(cfg->names[index]));
	at_info_text(at, ",");
	at_info_quoted(at, cfg->get(cfg->ctx, index));
	at_info_end(at);
}

static enum at_result show_all(struct at_server *at, const struct at_call *call)
{
	const struct at_config_cfg *cfg = call->ctx;

	for (size_t i = 0; i < cfg->count; i++) {
		show(at, call, i);
	}
	return AT_OK;
}

static enum at_result run(struct at_server *at, const struct at_call *call)
{
	const struct at_config_cfg *cfg = call->ctx;

	if (call->form == AT_READ) { return show_all(at, call); }
	for (size_t i = 0; i < cfg->count; i++) {
		if (!fota_bytes_is_equal(call->args[0].text, fota_bytes_of(cfg->names[i]))) { continue; }
		if (call->args[1].is_given) { return cfg->set(cfg->ctx, at, i, call->args[1].text); }
		show(at, call, i);
		return AT_OK;
	}
	return at_cme(at, CME_NOT_FOUND);
}

static const struct at_param params[] = {
	{ AT_STRING, .min = 1, .max = 32 },
	{ AT_STRING, .is_optional = true, .max = AT_CONFIG_VALUE_MAX_BYTES },
};

static const struct at_command rows[] = {
	{ "+FOTACFG", AT_SET | AT_READ | AT_TEST, COUNT(params), .params = params, .run = run },
};

struct at_table at_config_table(struct at_config_cfg *cfg)
{
	return (struct at_table) { rows, COUNT(rows), cfg };
}
