/* SPDX-License-Identifier: Apache-2.0 */
/* What a session tells: into the log, then to the ports. */
#include "module_parts.h"

static void log_code(struct module *module, const struct fota_notice *notice)
{
	const struct fota_code_info *info = fota_code_find(notice->code);

	log_line(&module->log, LOG_LEVEL_INFO, "session", "%d %s (%s)", (int)notice->code, info ? info->text : "?",
		 notice->step);
}

static void on_notice(void *ctx, const struct fota_notice *notice)
{
	struct module *module = ctx;

	switch (notice->kind) {
	case FOTA_NOTICE_CODE:
		log_code(module, notice);
		break;
	case FOTA_NOTICE_RETRY:
		log_line(&module->log, LOG_LEVEL_WARN, "session", "%d in step %s, once more in %llu ms",
			 (int)notice->code, notice->step, (unsigned long long)notice->delay_ms);
		break;
	case FOTA_NOTICE_RESUME:
		log_line(&module->log, LOG_LEVEL_INFO, "session", "going on from byte %llu of %llu",
			 (unsigned long long)notice->received_bytes, (unsigned long long)notice->total_bytes);
		break;
	case FOTA_NOTICE_REPORTED:
		log_line(&module->log, LOG_LEVEL_INFO, "session", "the platform has the report");
		break;
	case FOTA_NOTICE_OFFER:
		log_line(&module->log, LOG_LEVEL_INFO, "session", "%llu bytes are offered",
			 (unsigned long long)notice->total_bytes);
		break;
	case FOTA_NOTICE_REFUSED:
		log_line(&module->log, LOG_LEVEL_WARN, "session", "%d: %s", (int)notice->code, notice->reason);
		break;
	case FOTA_NOTICE_RESULT:
		log_line(&module->log, LOG_LEVEL_INFO, "session", "installation of %.*s: %d", (int)notice->target.len,
			 (const char *)notice->target.ptr, (int)notice->code);
		break;
	case FOTA_NOTICE_RESTART:
		module_restart(module);
		break;
	case FOTA_NOTICE_PROGRESS:
		break;
	}
	at_fota_notice(&module->fota, notice);
}

/* What the ports are told may differ in a rehearsal; the log follows them. */
void module_notice(void *ctx, const struct fota_notice *notice)
{
	struct module *module = ctx;
	struct fota_notice shown = *notice;

	if (module->rehearsal) { rehearsal_notice(module->rehearsal, &shown); }
	on_notice(module, &shown);
}
