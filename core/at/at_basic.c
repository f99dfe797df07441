/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of V.250 and TS 27.007 that every module has: settings of the port,
 * identity, and the list of all commands. */
#include "at/at_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { CME_NOT_FOUND = 22 };

/* ---- settings ---- */

static const struct at_param bit = { AT_UINT, .is_optional = true, .max = 1 };
static const struct at_param zero = { AT_UINT, .is_optional = true, .max = 0 };
static const struct at_param up_to_2 = { AT_UINT, .is_optional = true, .max = 2 };
static const struct at_param up_to_4 = { AT_UINT, .is_optional = true, .max = 4 };
static const struct at_param character = { AT_UINT, .max = 127 };

/* E V Q X; the tag is the value. Bare ones differ between modules. */
static enum at_result run_switch(struct at_server *at, const struct at_call *call)
{
	const struct at_arg *arg = &call->args[0];
	uint8_t bare = at->profile->bare[call->cmd->tag];

	at_set_value(at, (enum at_value)call->cmd->tag, arg->is_given ? (uint8_t)arg->number : bare);
	return AT_OK;
}

/* V.250 5.3.2: three digits. */
static void show_register(struct at_server *at, uint8_t value)
{
	at_info_begin(at);
	at_info_uint(at, value / 100);
	at_info_uint(at, value / 10 % 10);
	at_info_uint(at, value % 10);
	at_info_end(at);
}

enum at_result at_run_register(struct at_server *at, const struct at_call *call)
{
	enum at_value value = (enum at_value)call->cmd->tag;

	if (call->form == AT_READ) {
		show_register(at, at_get_value(at, value));
	} else {
		at_set_value(at, value, (uint8_t)call->args[0].number);
	}
	return AT_OK;
}

/* V.250 6.1.1: what follows Z on its line is ignored. */
static enum at_result run_z(struct at_server *at, const struct at_call *call)
{
	(void)call;
	at_restore_values(at);
	return AT_OK_LAST;
}

static enum at_result run_factory(struct at_server *at, const struct at_call *call)
{
	(void)call;
	at_restore_values(at);
	return AT_OK;
}

/* &C and &D: circuits 109 and 108, which a byte stream does not have. */
enum at_result at_run_nothing(struct at_server *at, const struct at_call *call)
{
	(void)at;
	(void)call;
	return AT_OK;
}

static enum at_result run_cmee(struct at_server *at, const struct at_call *call)
{
	if (call->form == AT_READ) {
		at_info_begin_named(at, call->cmd->name);
		at_info_uint(at, at_get_value(at, AT_VALUE_CMEE));
		at_info_end(at);
	} else {
		at_set_value(at, AT_VALUE_CMEE, (uint8_t)call->args[0].number);
	}
	return AT_OK;
}

/* ---- identity ---- */

static struct fota_bytes get_identity(const struct at_server *at, enum fota_identity_field field)
{
	return at->cfg->identity->get(at->cfg->identity->ctx, field);
}

static struct fota_bytes get_model(const struct at_server *at)
{
	struct fota_bytes model = get_identity(at, FOTA_IDENTITY_MODEL);

	return model.len > 0 ? model : fota_bytes_of(at->profile->model);
}

static void show(struct at_server *at, const char *label, struct fota_bytes text)
{
	at_info_begin(at);
	at_info_text(at, label);
	at_info_bytes(at, text);
	at_info_end(at);
}

static enum at_result run_manufacturer(struct at_server *at, const struct at_call *call)
{
	(void)call;
	at_info_line(at, at->profile->manufacturer);
	return AT_OK;
}

static enum at_result run_model(struct at_server *at, const struct at_call *call)
{
	(void)call;
	show(at, "", get_model(at));
	return AT_OK;
}

static enum at_result run_revision(struct at_server *at, const struct at_call *call)
{
	struct fota_bytes version = get_identity(at, FOTA_IDENTITY_VERSION);

	if (version.len == 0) { return at_cme(at, CME_NOT_FOUND); }
	if (at->profile->has_revision_prefix) {
		at_info_begin_named(at, call->cmd->name);
		at_info_bytes(at, version);
		at_info_end(at);
	} else {
		show(at, "", version);
	}
	return AT_OK;
}

static enum at_result run_serial(struct at_server *at, const struct at_call *call)
{
	struct fota_bytes device = get_identity(at, FOTA_IDENTITY_DEVICE);

	(void)call;
	if (device.len == 0) { return at_cme(at, CME_NOT_FOUND); }
	show(at, "", device);
	return AT_OK;
}

static enum at_result run_capabilities(struct at_server *at, const struct at_call *call)
{
	(void)call;
	at_info_line(at, "+GCAP: +CGSM");
	return AT_OK;
}

/* One field at a time: a text of the port lasts until the next call. */
void at_show_identity(struct at_server *at)
{
	show(at, "Manufacturer: ", fota_bytes_of(at->profile->manufacturer));
	show(at, "Model: ", get_model(at));
	show(at, "Revision: ", get_identity(at, FOTA_IDENTITY_VERSION));
	show(at, "IMEI: ", get_identity(at, FOTA_IDENTITY_DEVICE));
}

static enum at_result run_information(struct at_server *at, const struct at_call *call)
{
	at_show_identity(at);
	return run_capabilities(at, call);
}

/* V.250 6.1.8. An identifier below joint-iso-itu-t(2) uuid(25): anybody may make one. */
static enum at_result run_object(struct at_server *at, const struct at_call *call)
{
	(void)call;
	at_info_line(at, "2.25.155110588102779267562113639876624176814");
	return AT_OK;
}

/* ---- what is set ---- */

static const struct {
	const char *label;
	enum at_value value;
} shown_values[] = {
	{ "E: ", AT_VALUE_E },   { "Q: ", AT_VALUE_Q },   { "V: ", AT_VALUE_V },   { "X: ", AT_VALUE_X },
	{ "S3: ", AT_VALUE_S3 }, { "S4: ", AT_VALUE_S4 }, { "S5: ", AT_VALUE_S5 }, { "+CMEE: ", AT_VALUE_CMEE },
};

/* Vendor territory (V.250 has no &V): one line a value. */
static enum at_result run_view(struct at_server *at, const struct at_call *call)
{
	(void)call;
	for (size_t i = 0; i < COUNT(shown_values); i++) {
		at_info_begin(at);
		at_info_text(at, shown_values[i].label);
		at_info_uint(at, at_get_value(at, shown_values[i].value));
		at_info_end(at);
	}
	return AT_OK;
}

/* ---- the list of commands ---- */

static void show_commands(struct at_server *at, const struct at_table *table)
{
	void *ctx;

	for (size_t i = 0; i < table->count; i++) {
		const char *name = table->rows[i].name;

		/* Not the rows that another table hides. */
		if (at_line_find(at, fota_bytes_of(name), &ctx) == &table->rows[i]) {
			show(at, "AT", fota_bytes_of(name));
		}
	}
}

static enum at_result run_clac(struct at_server *at, const struct at_call *call)
{
	(void)call;
	for (size_t t = 0; t < at->cfg->table_count; t++) {
		show_commands(at, &at->cfg->tables[t]);
	}
	return AT_OK;
}

/* ---- the table ---- */

#define SWITCH(letter, value, param)                                            \
	{                                                                       \
		letter, AT_SET, 1, value, .params = &(param), .run = run_switch \
	}
#define REGISTER(name, value)                                                                  \
	{                                                                                      \
		name, AT_SET | AT_READ, 1, value, .params = &character, .run = at_run_register \
	}
#define SHOW(name, handler)                                 \
	{                                                   \
		name, AT_ACTION | AT_TEST, .run = (handler) \
	}

static const struct at_command rows[] = {
	SWITCH("E", AT_VALUE_E, bit),
	SWITCH("V", AT_VALUE_V, bit),
	SWITCH("Q", AT_VALUE_Q, bit),
	SWITCH("X", AT_VALUE_X, up_to_4),
	{ "Z", AT_SET, 1, .params = &zero, .run = run_z },
	{ "I", AT_SET, 1, .params = &zero, .run = run_information },
	REGISTER("S3", AT_VALUE_S3),
	REGISTER("S4", AT_VALUE_S4),
	REGISTER("S5", AT_VALUE_S5),
	{ "&F", AT_SET, 1, .params = &zero, .run = run_factory },
	{ "&C", AT_SET, 1, .params = &bit, .run = at_run_nothing },
	{ "&D", AT_SET, 1, .params = &up_to_2, .run = at_run_nothing },
	{ "&V", AT_SET, 1, .params = &zero, .run = run_view },
	SHOW("+GMI", run_manufacturer),
	SHOW("+GMM", run_model),
	SHOW("+GMR", run_revision),
	SHOW("+GSN", run_serial),
	SHOW("+GOI", run_object),
	SHOW("+GCAP", run_capabilities),
	SHOW("+CGMI", run_manufacturer),
	SHOW("+CGMM", run_model),
	SHOW("+CGMR", run_revision),
	SHOW("+CGSN", run_serial),
	{ "+CMEE", AT_SET | AT_READ | AT_TEST, 1, .params = &up_to_2, .test_text = "(0-2)", .run = run_cmee },
	SHOW("+CLAC", run_clac),
};

struct at_table at_basic_table(void)
{
	return (struct at_table) { rows, COUNT(rows), NULL };
}
