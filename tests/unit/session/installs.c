/* SPDX-License-Identifier: Apache-2.0 */
#include "installs.h"

#include <stdio.h>
#include <string.h>

struct rig rig;

enum fota_state state(void)
{
	struct fota_session_info info;

	fota_session_get(&rig.session, &info);
	return info.state;
}

const char *reports(int n)
{
	static char text[256];
	size_t len = 0;

	text[0] = 0;
	for (unsigned i = 0; i < rig.request_count; i++) {
		const struct rig_request *request = &rig.requests[i];
		bool is_again = false;

		rig_require(&rig, rig.request_count < RIG_REQUEST_MAX);
		for (unsigned k = 0; k < i; k++) {
			is_again = is_again || (rig.requests[k].kind == RIG_REPORT &&
						memcmp(rig.requests[k].report_id, request->report_id, 16) == 0);
		}
		if (request->kind != RIG_REPORT || is_again) { continue; }
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u", len ? " " : "",
					(unsigned)request->report_state);
		if (request->report_code) {
			len += (size_t)snprintf(text + len, sizeof(text) - len, "/%u", (unsigned)request->report_code);
		}
		if (strcmp(request->report_version, rig_version_of(n)) == 0) { strcat(text, "*"), len++; }
	}
	return text;
}

unsigned result_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < rig.notice_count; i++) {
		count += rig.notices[i].notice.kind == FOTA_NOTICE_RESULT;
	}
	return count;
}

void check_result(int code, int old, int new)
{
	struct fota_session_info info;

	fota_session_get(&rig.session, &info);
	rig_require(&rig, rig_result(&rig) == code);
	rig_require(&rig, info.result.is_there && info.result.is_told && info.result.code == code);
	rig_require(&rig,
		    fota_bytes_is_equal(fota_text_get(&info.result.old_version), fota_bytes_of(rig_version_of(old))));
	rig_require(&rig,
		    fota_bytes_is_equal(fota_text_get(&info.result.new_version), fota_bytes_of(rig_version_of(new))));
}

void check_over(int running)
{
	rig_require(&rig, rig.running == running);
	rig_require(&rig, state() == FOTA_STATE_IDLE);
	rig_require(&rig, rig.session.record.report_count == 0);
	rig_require(&rig, rig_area_count(&rig.journal, RIG_SECRET) == 0);
	rig_close(&rig);
}

struct rig_cfg slots_cfg(void)
{
	return (struct rig_cfg) { .seed = 5, .has_slots = true };
}

void get_ready(const struct rig_cfg *cfg)
{
	rig_init(&rig, cfg);
	rig_finish(&rig);
	rig_require(&rig, rig.running == 0);
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_idle(&rig, 1000);
	rig_require(&rig, cfg->policy.is_auto_install || state() == FOTA_STATE_READY);
}

void install(void)
{
	rig_require(&rig, fota_session_install(&rig.session) == FOTA_CODE_NONE);
	rig_idle(&rig, 1000);
	if (!rig.cfg.has_installer) { return; }
	rig_installed(&rig, FOTA_ERR_OK);
	rig_idle(&rig, 1000);
}

void get_on_trial(const struct rig_cfg *cfg)
{
	get_ready(cfg);
	if (!cfg->policy.is_auto_install) { install(); }
	rig_restart(&rig);
	rig_idle(&rig, 1000);
}

void no_reports(void)
{
	rig_twist(&rig, (struct rig_twist) { RIG_REPORT, RIG_FAIL, 0, FOTA_ERR_CONNECT, 0, 0 });
}
