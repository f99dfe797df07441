/* SPDX-License-Identifier: Apache-2.0 */
/* Calls (V.250 6.3) of a module that makes none. Hosts set up dialling before they do anything
 * else, with one line of many commands that has to be OK as a whole: registers are kept,
 * loudspeaker and tones are accepted. Whatever wants a call gets NO CARRIER, as from a real module
 * that has no context.
 *
 * Left out: incoming calls, data mode. ATA is ERROR, for it is what ATAT begins with: a line that
 * was cut and the one behind it, of a host that waits for OK or ERROR. */
#include "fota/at_network.h"

#include "at/at_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum at_result run_connect(struct at_server *at, const struct at_call *call)
{
	(void)at;
	(void)call;
	return AT_NO_CARRIER;
}

/* TS 27.007 C.2.1: data is the only class. */
static enum at_result run_class(struct at_server *at, const struct at_call *call)
{
	if (call->form == AT_READ) {
		at_info_begin_named(at, call->cmd->name);
		at_info_uint(at, 0);
		at_info_end(at);
	}
	return AT_OK;
}

static const struct at_param zero = { AT_UINT, .is_optional = true, .max = 0 };
static const struct at_param bit = { AT_UINT, .is_optional = true, .max = 1 };
static const struct at_param up_to_3 = { AT_UINT, .is_optional = true, .max = 3 };
static const struct at_param octet = { AT_UINT, .max = 255 };

#define REGISTER(name, value)                                                              \
	{                                                                                  \
		name, AT_SET | AT_READ, 1, value, .params = &octet, .run = at_run_register \
	}
#define ACCEPT(name, param)                                                \
	{                                                                  \
		name, AT_SET, 1, .params = &(param), .run = at_run_nothing \
	}

static const struct at_command rows[] = {
	{ "D", AT_DIAL, .run = run_connect },
	{ "O", AT_SET, 1, .params = &bit, .run = run_connect },
	ACCEPT("H", zero),
	ACCEPT("L", up_to_3),
	ACCEPT("M", up_to_3),
	{ "P", AT_ACTION, .run = at_run_nothing },
	{ "T", AT_ACTION, .run = at_run_nothing },
	ACCEPT("&S", bit),
	REGISTER("S0", AT_VALUE_S0),
	REGISTER("S6", AT_VALUE_S6),
	REGISTER("S7", AT_VALUE_S7),
	REGISTER("S8", AT_VALUE_S8),
	REGISTER("S10", AT_VALUE_S10),
	{ "+FCLASS", AT_SET | AT_READ | AT_TEST, 1, .params = &zero, .test_text = "(0)", .run = run_class },
};

struct at_table at_call_table(void)
{
	return (struct at_table) { rows, COUNT(rows), NULL };
}
