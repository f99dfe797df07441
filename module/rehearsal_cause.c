/* SPDX-License-Identifier: Apache-2.0 */
#include "rehearsal_cause.h"

#include "fota/code.h"
#include "fota/device_api.h"
#include "fota/port.h"
#include "sim_flash.h"

#define AT_COMMAND REHEARSAL_COMMAND
#define AT_CHECK   REHEARSAL_CHECK
#define AT_STORE   REHEARSAL_STORE
#define AT_LOAD    REHEARSAL_DOWNLOAD
#define AT_VERIFY  REHEARSAL_VERIFY
/* A failure of the network, at both steps that use it. */
#define NETWORK(code, err)                                    \
	{ code, AT_LOAD, CAUSE_FAIL, FOTA_ERR_##err, 0 },     \
	{                                                     \
		code, AT_CHECK, CAUSE_FAIL, FOTA_ERR_##err, 0 \
	}

static const struct rehearsal_cause causes[] = {
	/* OK is no failure: what a port may not tell, the session does not know */
	NETWORK(1, OK),
	{ 2, AT_VERIFY, CAUSE_NONE, 0, 0 },
	{ 3, AT_VERIFY, CAUSE_NONE, 0, 0 },
	{ 4, AT_LOAD, CAUSE_FAIL, FOTA_ERR_RECEIVE, 0 },
	{ 5, AT_CHECK, CAUSE_REFUSAL, FOTA_REFUSAL_NONE, 0 },
	{ 301, AT_CHECK, CAUSE_SIZE, 0, 0 },
	{ 301, AT_LOAD, CAUSE_SLOT, SIM_PROG, SIM_FULL },
	{ 301, AT_STORE, CAUSE_JOURNAL, SIM_PROG, SIM_FULL },
	{ 301, AT_COMMAND, CAUSE_SAY, 0, 0 },
	{ 302, AT_CHECK, CAUSE_REFUSAL, FOTA_REFUSAL_BAD_PARAMETER, 0 },
	{ 302, AT_COMMAND, CAUSE_PARAM, 0, 0 },
	{ 303, AT_CHECK, CAUSE_SWAP, 0, 0 },
	{ 303, AT_COMMAND, CAUSE_OFF, 0, 0 },
	{ 304, AT_LOAD, CAUSE_SLOT, SIM_PROG, SIM_IO },
	{ 304, AT_STORE, CAUSE_JOURNAL, SIM_PROG, SIM_IO },
	{ 304, AT_VERIFY, CAUSE_SLOT, SIM_READ, SIM_IO },
	{ 305, AT_LOAD, CAUSE_SLOT, SIM_PROG, SIM_HANG },
	{ 305, AT_STORE, CAUSE_JOURNAL, SIM_PROG, SIM_HANG },
	{ 305, AT_VERIFY, CAUSE_SLOT, SIM_READ, SIM_HANG },
	{ 306, AT_VERIFY, CAUSE_DIGEST, 0, 0 },
	{ 307, AT_LOAD, CAUSE_CANCEL, 0, 0 },
	{ 307, AT_CHECK, CAUSE_CANCEL, 0, 0 },
	{ 308, AT_CHECK, CAUSE_SWAP, 0, 0 },
	{ 308, AT_COMMAND, CAUSE_NEST, 0, 0 },
	{ 401, AT_CHECK, CAUSE_REFUSAL, FOTA_REFUSAL_DEVICE_MISMATCH, 0 },
	{ 401, AT_COMMAND, CAUSE_MODEL, 0, 0 },
	{ 402, AT_CHECK, CAUSE_STATUS, 403, 0 },
	{ 403, AT_CHECK, CAUSE_REFUSAL, FOTA_REFUSAL_MISSING_FIELD, 0 },
	{ 403, AT_COMMAND, CAUSE_IDENTITY, FOTA_IDENTITY_DEVICE, 0 },
	{ 404, AT_CHECK, CAUSE_REFUSAL, FOTA_REFUSAL_UNKNOWN_SOURCE, 0 },
	{ 404, AT_COMMAND, CAUSE_IDENTITY, FOTA_IDENTITY_VERSION, 0 },
	{ 405, AT_CHECK, CAUSE_REFUSAL, FOTA_REFUSAL_INTERNAL, 0 },
	{ 405, AT_LOAD, CAUSE_FAIL, FOTA_ERR_CONTRACT, 0 },
	{ 501, AT_CHECK, CAUSE_FAIL, FOTA_ERR_URL, 0 },
	{ 501, AT_LOAD, CAUSE_FAIL, FOTA_ERR_URL, 0 },
	{ 502, AT_CHECK, CAUSE_FAIL, FOTA_ERR_RESOLVE, 0 },
	{ 502, AT_LOAD, CAUSE_FAIL, FOTA_ERR_RESOLVE, 0 },
	{ 503, AT_CHECK, CAUSE_FAIL, FOTA_ERR_CONNECT, 0 },
	{ 503, AT_LOAD, CAUSE_FAIL, FOTA_ERR_CONNECT, 0 },
	{ 504, AT_CHECK, CAUSE_STATUS, 500, 0 },
	{ 504, AT_LOAD, CAUSE_STATUS, 500, 0 },
	{ 505, AT_LOAD, CAUSE_STATUS, 416, 0 },
	{ 506, AT_CHECK, CAUSE_GARBAGE, 0, 0 },
	{ 507, AT_LOAD, CAUSE_OVER, FOTA_ERR_CONNECT, 0 },
	{ 508, AT_LOAD, CAUSE_ABORT, 0, 0 },
	{ 508, AT_CHECK, CAUSE_ABORT, 0, 0 },
	{ 509, AT_LOAD, CAUSE_CLOCK, 0, 0 },
	{ 509, AT_CHECK, CAUSE_CLOCK, 0, 0 },
	NETWORK(510, REDIRECTS),
	NETWORK(511, STALL),
	NETWORK(512, SEND),
	NETWORK(513, RECEIVE),
	NETWORK(514, CLOSED),
	{ REHEARSAL_RESTART, AT_LOAD, CAUSE_POWER, 0, 0 },
	{ REHEARSAL_RESTART, AT_CHECK, CAUSE_POWER, 0, 0 },
};

#define CAUSE_COUNT (sizeof(causes) / sizeof(causes[0]))

const struct rehearsal_cause *rehearsal_cause_list(size_t *count)
{
	*count = CAUSE_COUNT;
	return causes;
}

const struct rehearsal_cause *rehearsal_cause_find(unsigned code, enum rehearsal_step step)
{
	for (size_t i = 0; i < CAUSE_COUNT; i++) {
		if (causes[i].code == code && causes[i].step == step) { return &causes[i]; }
	}
	return NULL;
}

const struct rehearsal_cause *rehearsal_cause_usual(unsigned code)
{
	for (size_t i = 0; i < CAUSE_COUNT; i++) {
		if (causes[i].code == code) { return &causes[i]; }
	}
	return NULL;
}

static const unsigned install_codes[] = { 0, 1, 306, 508, 509 };

#define INSTALL_COUNT (sizeof(install_codes) / sizeof(install_codes[0]))

bool rehearsal_is_install_code(unsigned code)
{
	for (size_t i = 0; i < INSTALL_COUNT; i++) {
		if (install_codes[i] == code) { return true; }
	}
	return false;
}

const char *rehearsal_step_name(enum rehearsal_step step)
{
	static const char *const names[REHEARSAL_STEP_COUNT] = { "command", "check", "store", "download", "verify" };

	return step < REHEARSAL_STEP_COUNT ? names[step] : "";
}

/* Nothing brings these about in this module: the result is said, or shown for another one. */
static bool is_played(const struct rehearsal_cause *cause)
{
	return cause->kind == CAUSE_SWAP || cause->kind == CAUSE_SAY;
}

static void print_steps(FILE *out, unsigned code)
{
	for (size_t i = 0; i < CAUSE_COUNT; i++) {
		if (causes[i].code != code) { continue; }
		(void)fprintf(out, " %s%s", rehearsal_step_name((enum rehearsal_step)causes[i].step),
			      is_played(&causes[i]) ? "*" : "");
	}
}

void rehearsal_cause_print(FILE *out)
{
	unsigned count;
	const struct fota_code_info *codes = fota_code_list(&count);

	for (unsigned i = 0; i < count; i++) {
		(void)fprintf(out, "%3d %c %s:", codes[i].number, (int)codes[i].code_class, codes[i].text);
		print_steps(out, (unsigned)codes[i].number);
		(void)fputc('\n', out);
	}
	(void)fputs("restart:", out);
	print_steps(out, REHEARSAL_RESTART);
	(void)fputs("\ninstall:", out);
	for (size_t i = 0; i < INSTALL_COUNT; i++) {
		(void)fprintf(out, " %u", install_codes[i]);
	}
	(void)fputs("\n(command: the refusal of AT+CSCFOTA; *: played, not caused)\n", out);
}
