/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual SIM and cell. `function` (+CFUN) and `is_deregistered` (+COPS=2) are the
 * only state that commands share; every answer is made from them, so that no two
 * can contradict each other.
 *
 * What a port was told belongs to its host: when the server was reset, the settings
 * are those of the start again (see `get_port`).
 *
 * Left out: a network that comes slowly, PIN, manual choice of the operator, and
 * +COPS=?, which on a real module is a search of minutes. */
#include "fota/at_network.h"

#include "at/at_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	CME_NOT_ALLOWED = 3,
	CME_NOT_SUPPORTED = 4,
	CME_SIM_BUSY = 14,
};

enum at_function {
	FUNCTION_MINIMUM = 0,
	FUNCTION_FULL = 1,
	FUNCTION_FLIGHT = 4,
	FUNCTION_TEST = 5,
	FUNCTION_RESET = 6,
	FUNCTION_OFFLINE = 7,
};

#define BOOT_MAX      4u
#define LOCATION      ",\"230A\",\"A75E903\""
#define DEFAULT_BAUD  115200u
#define REGISTRATIONS 3u /* CREG, CGREG and CEREG: the first values of a port */
#define ACCESS_IS_LTE ",7"

/* What differs between module families. */
struct at_network_family {
	const char *name;
	const char *sub_version, *build; /* the two lines of +CSUB */
	const char *boot[BOOT_MAX];
};

static const struct at_network_family families[] = {
	{ "sim7600", "B04V03", "MDM9x07_LE20_S_22_V1.03_210527", { "RDY", "+CPIN: READY", "SMS DONE", "PB DONE" } },
	{ "a7600", "B01V01", "A7600_A35_V1.01_210527", { "*ATREADY: 1", "+CPIN: READY", "SMS DONE" } },
	{ "strict", "V01", "V1.01", { "+CPIN: READY" } },
};

/* ---- ports ---- */

static const struct at_network_family *find_family(const struct at_profile *profile)
{
	for (size_t i = 0; profile && i < COUNT(families); i++) {
		if (strcmp(families[i].name, profile->name) == 0) { return &families[i]; }
	}
	return &families[0];
}

static void power_on(struct at_network *network)
{
	network->function = FUNCTION_FULL;
	network->time_zone_update = 0;
	network->is_deregistered = false;
}

enum fota_err at_network_init(struct at_network *network, const struct at_network_cfg *cfg)
{
	if (!cfg || !cfg->clock || !cfg->clock->unix_s || !cfg->restart) { return FOTA_ERR_CONTRACT; }
	memset(network, 0, sizeof(*network));
	network->cfg = cfg;
	network->family = find_family(cfg->profile);
	power_on(network);
	return FOTA_ERR_OK;
}

static uint32_t get_reset_count(const struct at_server *at)
{
	struct at_stats stats;

	at_get_stats(at, &stats);
	return stats.reset_count;
}

static void forget_settings(struct at_network_port *port)
{
	*port = (struct at_network_port) {
		.at = port->at,
		.reset_count = get_reset_count(port->at),
		.baud = DEFAULT_BAUD,
	};
}

enum fota_err at_network_add_port(struct at_network *network, struct at_server *at)
{
	struct at_network_port *port = &network->ports[network->port_count];

	if (network->port_count == AT_NETWORK_PORT_MAX) { return FOTA_ERR_FULL; }
	network->port_count++;
	port->at = at;
	forget_settings(port);
	return FOTA_ERR_OK;
}

/* With the settings of the host that is there now. */
static struct at_network_port *get_port(struct at_network *network, const struct at_server *at)
{
	for (size_t i = 0; i < network->port_count; i++) {
		struct at_network_port *port = &network->ports[i];

		if (port->at != at) { continue; }
		if (port->reset_count != get_reset_count(at)) { forget_settings(port); }
		return port;
	}
	return NULL;
}

void at_network_remove_port(struct at_network *network, const struct at_server *at)
{
	struct at_network_port *port = get_port(network, at);

	if (port) { *port = network->ports[--network->port_count]; }
}

/* ---- answers ---- */

static void show_text(struct at_server *at, const char *name, const char *text)
{
	at_info_begin_named(at, name);
	at_info_text(at, text);
	at_info_end(at);
}

static void show_number(struct at_server *at, const char *name, uint32_t number)
{
	at_info_begin_named(at, name);
	at_info_uint(at, number);
	at_info_end(at);
}

/* ---- SIM ---- */

static bool is_sim_on(const struct at_network *network)
{
	return network->function != FUNCTION_MINIMUM;
}

static enum at_result run_pin(struct at_server *at, const struct at_call *call)
{
	if (!is_sim_on(call->ctx)) { return at_cme(at, CME_SIM_BUSY); }
	/* TS 27.007 8.3: a PIN that nobody asked for is an error. */
	if (call->form == AT_SET) { return at_cme(at, CME_NOT_ALLOWED); }
	show_text(at, call->cmd->name, "READY");
	return AT_OK;
}

static enum at_result run_imsi(struct at_server *at, const struct at_call *call)
{
	if (!is_sim_on(call->ctx)) { return at_cme(at, CME_SIM_BUSY); }
	at_info_line(at, "460010123456789");
	return AT_OK;
}

static enum at_result run_iccid(struct at_server *at, const struct at_call *call)
{
	if (!is_sim_on(call->ctx)) { return at_cme(at, CME_SIM_BUSY); }
	show_text(at, "+ICCID", "89860112345678901234");
	return AT_OK;
}

/* ---- registration ---- */

static bool is_registered(const struct at_network *network)
{
	return network->function == FUNCTION_FULL && !network->is_deregistered;
}

static const char *const registrations[REGISTRATIONS][2] = {
	[AT_NETWORK_CREG] = { "+CREG: 0", "+CREG: 1" },
	[AT_NETWORK_CGREG] = { "+CGREG: 0", "+CGREG: 1" },
	[AT_NETWORK_CEREG] = { "+CEREG: 0", "+CEREG: 1" },
};

static void tell_registration(const struct at_network *network, const struct at_network_port *port, size_t which)
{
	bool is_in = is_registered(network);
	const char *text = registrations[which][is_in];
	char line[sizeof("+CEREG: 1" LOCATION)];
	size_t len = strlen(text);

	if (port->values[which] == 0) { return; }
	memcpy(line, text, len);
	if (is_in && port->values[which] == 2) {
		memcpy(line + len, LOCATION, sizeof(LOCATION) - 1);
		len += sizeof(LOCATION) - 1;
	}
	(void)at_urc(port->at, AT_URC_RESULT, (struct fota_bytes) { (const uint8_t *)line, len });
}

/* After a change that may have moved the module in or out of the network. */
static void tell_change(struct at_network *network, bool was_registered)
{
	if (is_registered(network) == was_registered) { return; }
	for (size_t i = 0; i < network->port_count; i++) {
		for (size_t which = 0; which < REGISTRATIONS; which++) {
			tell_registration(network, get_port(network, network->ports[i].at), which);
		}
	}
}

static enum at_result run_registration(struct at_server *at, const struct at_call *call)
{
	struct at_network *network = call->ctx;
	struct at_network_port *port = get_port(network, at);
	uint8_t *mode;

	if (!port) { return AT_ERROR; }
	mode = &port->values[call->cmd->tag];
	if (call->form == AT_SET) {
		*mode = (uint8_t)call->args[0].number;
		return AT_OK;
	}
	at_info_begin_named(at, call->cmd->name);
	at_info_uint(at, *mode);
	at_info_text(at, is_registered(network) ? ",1" : ",0");
	if (is_registered(network) && *mode == 2) { at_info_text(at, LOCATION); }
	at_info_end(at);
	return AT_OK;
}

static enum at_result run_signal(struct at_server *at, const struct at_call *call)
{
	show_text(at, call->cmd->name, is_registered(call->ctx) ? "22,0" : "99,99");
	return AT_OK;
}

static const char *const operators[] = { "CHN-UNICOM", "UNICOM", "46001" }; /* by format */

static enum at_result show_operator(struct at_server *at, const struct at_call *call,
				    const struct at_network_port *port)
{
	const struct at_network *network = call->ctx;
	uint8_t format = port->values[AT_NETWORK_COPS_FORMAT];

	at_info_begin_named(at, call->cmd->name);
	at_info_uint(at, network->is_deregistered ? 2 : 0);
	if (is_registered(network)) {
		at_info_text(at, ",");
		at_info_uint(at, format);
		at_info_text(at, ",");
		at_info_quoted(at, fota_bytes_of(operators[format]));
		at_info_text(at, ACCESS_IS_LTE);
	}
	at_info_end(at);
	return AT_OK;
}

static enum at_result choose_operator(struct at_server *at, struct at_network *network, bool is_out)
{
	bool was_registered = is_registered(network);

	if (network->function != FUNCTION_FULL) { return at_cme(at, CME_NOT_ALLOWED); }
	network->is_deregistered = is_out;
	tell_change(network, was_registered);
	return AT_OK;
}

/* Modes of TS 27.007 7.3: 0 automatic, 2 deregister, 3 format only. */
static enum at_result run_operator(struct at_server *at, const struct at_call *call)
{
	struct at_network_port *port = get_port(call->ctx, at);

	if (!port) { return AT_ERROR; }
	if (call->form == AT_READ) { return show_operator(at, call, port); }
	switch (call->args[0].number) {
	case 0:
		return choose_operator(at, call->ctx, false);
	case 2:
		return choose_operator(at, call->ctx, true);
	case 3:
		port->values[AT_NETWORK_COPS_FORMAT] = (uint8_t)call->args[1].number;
		return AT_OK;
	default:
		return at_cme(at, CME_NOT_SUPPORTED);
	}
}

/* ---- radio and power ---- */

static const char *const modes[] = {
	[FUNCTION_MINIMUM] = "NO SERVICE,Low Power Mode", [FUNCTION_FULL] = "NO SERVICE,Online",
	[FUNCTION_FLIGHT] = "NO SERVICE,Low Power Mode",  [FUNCTION_TEST] = "NO SERVICE,Factory Test Mode",
	[FUNCTION_OFFLINE] = "NO SERVICE,Offline",
};

static enum at_result run_cell(struct at_server *at, const struct at_call *call)
{
	const struct at_network *network = call->ctx;

	show_text(at, call->cmd->name,
		  is_registered(network) ? "LTE,Online,460-01,0x230A,175499523,318,EUTRAN-BAND3,1650,5,0,21,67,255,19"
					 : modes[network->function]);
	return AT_OK;
}

static enum at_result restart(const struct at_network *network)
{
	network->cfg->restart(network->cfg->restart_ctx);
	return AT_OK_LAST; /* nothing runs behind it */
}

static enum at_result set_function(struct at_server *at, struct at_network *network, uint32_t function)
{
	bool was_registered = is_registered(network);

	if (function > FUNCTION_FULL && function < FUNCTION_FLIGHT) { return at_cme(at, CME_NOT_SUPPORTED); }
	if (function == FUNCTION_RESET) {
		return network->function == FUNCTION_OFFLINE ? restart(network) : at_cme(at, CME_NOT_ALLOWED);
	}
	/* 7 is left by a restart only. */
	if (network->function == FUNCTION_OFFLINE && function != FUNCTION_OFFLINE) {
		return at_cme(at, CME_NOT_ALLOWED);
	}
	network->function = (uint8_t)function;
	tell_change(network, was_registered);
	return AT_OK;
}

static enum at_result run_function(struct at_server *at, const struct at_call *call)
{
	struct at_network *network = call->ctx;

	if (call->form == AT_READ) {
		show_number(at, call->cmd->name, network->function);
		return AT_OK;
	}
	if (call->args[1].number == 0) { return set_function(at, network, call->args[0].number); }
	return call->args[0].number == FUNCTION_FULL ? restart(network) : at_cme(at, CME_NOT_SUPPORTED);
}

static enum at_result run_reset(struct at_server *at, const struct at_call *call)
{
	(void)at;
	return restart(call->ctx);
}

void at_network_boot(struct at_network *network)
{
	power_on(network);
	for (size_t i = 0; i < network->port_count; i++) {
		forget_settings(&network->ports[i]);
		for (size_t m = 0; m < BOOT_MAX && network->family->boot[m]; m++) {
			(void)at_urc(network->ports[i].at, AT_URC_RESULT, fota_bytes_of(network->family->boot[m]));
		}
	}
}

/* ---- clock ---- */

struct date {
	uint32_t year, month, day;
};

/* Days since 1970-01-01 to a date. Years begin in March here, so that a leap day is the
 * last; 719468 days lie between 0000-03-01 and 1970-01-01, 146097 in 400 years. */
static struct date date_of(uint64_t days)
{
	uint64_t z = days + 719468;
	uint32_t era_day = (uint32_t)(z % 146097);
	uint32_t era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
	uint32_t year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
	uint32_t from_march = (5 * year_day + 2) / 153;
	struct date date = { era_year % 100, from_march < 10 ? from_march + 3 : from_march - 9,
			     year_day - (153 * from_march + 2) / 5 + 1 };

	if (date.month <= 2) { date.year = (date.year + 1) % 100; }
	return date;
}

static void show_two_digits(struct at_server *at, const char *before, uint32_t number)
{
	at_info_text(at, before);
	at_info_uint(at, number / 10 % 10);
	at_info_uint(at, number % 10);
}

/* "yy/MM/dd,hh:mm:ss+zz"; the zone is that of the clock, UTC. */
static enum at_result run_clock(struct at_server *at, const struct at_call *call)
{
	const struct at_network *network = call->ctx;
	uint64_t now_s = network->cfg->clock->unix_s(network->cfg->clock->ctx);
	uint32_t day_s = (uint32_t)(now_s % 86400);
	struct date date = date_of(now_s / 86400);

	at_info_begin_named(at, call->cmd->name);
	show_two_digits(at, "\"", date.year);
	show_two_digits(at, "/", date.month);
	show_two_digits(at, "/", date.day);
	show_two_digits(at, ",", day_s / 3600);
	show_two_digits(at, ":", day_s / 60 % 60);
	show_two_digits(at, ":", day_s % 60);
	at_info_text(at, "+00\"");
	at_info_end(at);
	return AT_OK;
}

static enum at_result run_zone_update(struct at_server *at, const struct at_call *call)
{
	struct at_network *network = call->ctx;

	if (call->form == AT_READ) {
		show_number(at, call->cmd->name, network->time_zone_update);
	} else {
		network->time_zone_update = (uint8_t)call->args[0].number;
	}
	return AT_OK;
}

/* ---- the module ---- */

static enum at_result run_battery(struct at_server *at, const struct at_call *call)
{
	show_text(at, call->cmd->name, "3.749V");
	return AT_OK;
}

static enum at_result run_sub_version(struct at_server *at, const struct at_call *call)
{
	const struct at_network *network = call->ctx;

	show_text(at, call->cmd->name, network->family->sub_version);
	show_text(at, call->cmd->name, network->family->build);
	return AT_OK;
}

/* ATI with the lines that SIMCom's modules add. */
static enum at_result run_simcom_information(struct at_server *at, const struct at_call *call)
{
	const struct at_network *network = call->ctx;

	at_show_identity(at);
	show_text(at, "CSUB", network->family->sub_version);
	at_info_line(at, "QCN: ");
	at_info_line(at, "MEID: ");
	at_info_line(at, "DeviceInfo: ");
	at_info_line(at, "+GCAP: +CGSM");
	return AT_OK;
}

/* ---- the line ---- */

/* +CTZR: a value of the port. */
static enum at_result run_value(struct at_server *at, const struct at_call *call)
{
	struct at_network_port *port = get_port(call->ctx, at);

	if (!port) { return AT_ERROR; }
	if (call->form == AT_READ) {
		show_number(at, call->cmd->name, port->values[call->cmd->tag]);
	} else {
		port->values[call->cmd->tag] = (uint8_t)call->args[0].number;
	}
	return AT_OK;
}

static const char *const charsets[] = { "IRA", "GSM" };

static enum at_result run_charset(struct at_server *at, const struct at_call *call)
{
	struct at_network_port *port = get_port(call->ctx, at);

	if (!port) { return AT_ERROR; }
	if (call->form == AT_READ) {
		at_info_begin_named(at, call->cmd->name);
		at_info_quoted(at, fota_bytes_of(charsets[port->values[AT_NETWORK_CSCS]]));
		at_info_end(at);
		return AT_OK;
	}
	for (size_t i = 0; i < COUNT(charsets); i++) {
		if (fota_bytes_is_equal(call->args[0].text, fota_bytes_of(charsets[i]))) {
			port->values[AT_NETWORK_CSCS] = (uint8_t)i;
			return AT_OK;
		}
	}
	return AT_ERROR;
}

/* Flow control is the transport's: values are kept, and that is all. */
static enum at_result run_flow_control(struct at_server *at, const struct at_call *call)
{
	struct at_network_port *port = get_port(call->ctx, at);

	if (!port) { return AT_ERROR; }
	if (call->form == AT_READ) {
		at_info_begin_named(at, call->cmd->name);
		at_info_uint(at, port->values[AT_NETWORK_IFC_TE]);
		at_info_text(at, ",");
		at_info_uint(at, port->values[AT_NETWORK_IFC_TA]);
		at_info_end(at);
		return AT_OK;
	}
	if (call->args[0].number == 1 || call->args[1].number == 1) { return AT_ERROR; } /* XON/XOFF */
	port->values[AT_NETWORK_IFC_TE] = (uint8_t)call->args[0].number;
	port->values[AT_NETWORK_IFC_TA] = (uint8_t)call->args[1].number;
	return AT_OK;
}

static const uint32_t rates[] = { 0, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 3000000 };

static enum at_result run_rate(struct at_server *at, const struct at_call *call)
{
	struct at_network_port *port = get_port(call->ctx, at);

	if (!port) { return AT_ERROR; }
	if (call->form == AT_READ) {
		show_number(at, call->cmd->name, port->baud);
		return AT_OK;
	}
	for (size_t i = 0; i < COUNT(rates); i++) {
		if (rates[i] == call->args[0].number) {
			port->baud = rates[i];
			return AT_OK;
		}
	}
	return AT_ERROR;
}

/* ---- the table ---- */

static const struct at_param bit[] = { { AT_UINT, .max = 1 } };
static const struct at_param up_to_2[] = { { AT_UINT, .is_optional = true, .max = 2 } };
static const struct at_param pin[] = { { AT_STRING, .min = 4, .max = 8 },
				       { AT_STRING, .is_optional = true, .max = 8 } };
static const struct at_param function[] = { { AT_UINT, .max = 7 }, { AT_UINT, .is_optional = true, .max = 1 } };
static const struct at_param operator_choice[] = { { AT_UINT, .max = 4 }, { AT_UINT, .is_optional = true, .max = 2 } };
static const struct at_param charset[] = { { AT_STRING, .min = 1, .max = 8 } };
static const struct at_param flow_control[] = { { AT_UINT, .is_optional = true, .max = 2 },
						{ AT_UINT, .is_optional = true, .max = 2 } };
static const struct at_param rate[] = { { AT_UINT, .max = 4000000 } };

#define SHOW(name, form, handler)                        \
	{                                                \
		name, (form) | AT_TEST, .run = (handler) \
	}
#define SETTING(name, value, params_, test, handler)                                                           \
	{                                                                                                      \
		name, AT_SET | AT_READ | AT_TEST, COUNT(params_), value, .params = params_, .test_text = test, \
									 .run = (handler)                      \
	}

static const struct at_command rows[] = {
	{ "+CPIN", AT_SET | AT_READ | AT_TEST, COUNT(pin), .params = pin, .run = run_pin },
	SHOW("+CIMI", AT_ACTION, run_imsi),
	SHOW("+CICCID", AT_ACTION, run_iccid),
	SETTING("+CFUN", 0, function, "(0-1,4-7),(0-1)", run_function),
	SHOW("+CRESET", AT_ACTION, run_reset),
	{ "+CSQ", AT_ACTION | AT_TEST, .test_text = "(0-31,99),(0-7,99)", .run = run_signal },
	SETTING("+CREG", AT_NETWORK_CREG, up_to_2, "(0-2)", run_registration),
	SETTING("+CGREG", AT_NETWORK_CGREG, up_to_2, "(0-2)", run_registration),
	SETTING("+CEREG", AT_NETWORK_CEREG, up_to_2, "(0-2)", run_registration),
	{ "+COPS", AT_SET | AT_READ, COUNT(operator_choice), .params = operator_choice, .run = run_operator },
	SHOW("+CPSI", AT_READ, run_cell),
	SHOW("+CCLK", AT_READ, run_clock),
	SETTING("+CTZU", 0, bit, "(0-1)", run_zone_update),
	SETTING("+CTZR", AT_NETWORK_CTZR, bit, "(0-1)", run_value),
	SHOW("+CBC", AT_ACTION, run_battery),
	SHOW("+CSUB", AT_ACTION, run_sub_version),
	SHOW("+SIMCOMATI", AT_ACTION, run_simcom_information),
	SETTING("+CSCS", 0, charset, "(\"IRA\",\"GSM\")", run_charset),
	SETTING("+IFC", 0, flow_control, "(0,2),(0,2)", run_flow_control),
	SETTING("+IPR", 0, rate, "(0,9600,19200,38400,57600,115200,230400,460800,921600,3000000)", run_rate),
};

struct at_table at_network_table(struct at_network *network)
{
	return (struct at_table) { rows, COUNT(rows), network };
}
