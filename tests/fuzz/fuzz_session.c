/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes whole sessions: what the network, the platform, storage, time and the host do,
 * in any order. An input is a list of operations of two bytes, see `operations`.
 *
 * Properties: those of the rig (one final code, `4` right before it, one request and one
 * storage operation at a time, no busy loop, flash is erased before it is programmed);
 * and when everything works again, the module gets to its image. */
#include <string.h>

#include "fuzz.h"
#include "rig.h"

#define OPERATION_MAX 60

static struct rig rig;
static bool has_foreign; /* wrong bytes may be in the slot */

_Noreturn void rig_fail(const struct rig *failed, const char *what, unsigned line)
{
	fprintf(stderr, "property broken, rig line %u: %s (%u notices)\n", line, what, failed->notice_count);
	abort();
}

static void op_step(uint8_t arg)
{
	for (unsigned i = 0; i < arg % 32u + 1u && rig_step(&rig); i++) {}
}

static void op_start(uint8_t arg)
{
	(void)arg;
	if (!rig.is_dead) { (void)!rig_start(&rig); }
}

static void op_twist(uint8_t arg)
{
	static const uint64_t args[] = { 0, 1, 255, 2049, 4096, 5999, 6000, 65537 };
	struct rig_twist twist = {
		.kind = (enum rig_kind)(arg % RIG_KIND_COUNT),
		.effect = (enum rig_effect)(arg / RIG_KIND_COUNT % (RIG_NO_RANGE + 1)),
		.arg = args[arg >> 5],
		.err = FOTA_ERR_RECEIVE,
		.first = 1,
		.last = 1u + (arg >> 6),
	};

	if (twist.effect == RIG_OFFER_URL) { twist.arg %= 5; }
	if (twist.effect == RIG_OFFER_SIZE && twist.arg == 0) { twist.arg = 1; }
	if (twist.effect == RIG_START_ERR) { twist.arg = (uint64_t)(arg & 32 ? FOTA_ERR_URL : FOTA_ERR_CONTRACT); }
	if (rig.twists[RIG_TWIST_MAX - 1].effect) { rig_clear_twists(&rig); }
	if (twist.effect == RIG_CORRUPT) { has_foreign = true; }
	if (twist.effect) { rig_twist(&rig, twist); }
}

static void op_fault(uint8_t arg)
{
	rig_fault(&rig, (struct rig_fault) { (enum rig_effect_op)(arg % (RIG_OP_CUT + 1)), 1u + (arg >> 5),
					     2u + (arg >> 4) });
}

static void op_heal(uint8_t arg)
{
	(void)arg;
	if (!rig.is_dead) { rig_heal(&rig); }
}

static void op_command(uint8_t arg)
{
	if (rig.is_dead) { return; }
	switch (arg & 3) {
	case 0:
		(void)!fota_session_cancel(&rig.session);
		break;
	case 1:
		fota_session_abort(&rig.session);
		break;
	default:
		fota_session_set_on(&rig.session, (arg & 1) != 0);
	}
}

static void op_boot(uint8_t arg)
{
	(void)arg;
	rig.fault.effect = RIG_OP_FINE;
	rig_boot(&rig);
}

static void op_time(uint8_t arg)
{
	rig.now_ms += (uint64_t)1 << (arg % 23);
}

/* Events in an order and with bytes that no honest port has. */
static void op_event(uint8_t arg)
{
	static const uint16_t statuses[] = { 0, 100, 200, 206, 304, 403, 416, 503 };
	static uint8_t bytes[300];
	struct fota_http_event event = {
		.kind = (enum fota_http_event_kind)(arg & 3),
		.status = statuses[arg >> 5],
		.is_message = (arg & 4) != 0,
		.has_content_range = (arg & 8) != 0,
		.range_start = (uint64_t)(arg >> 4) * 1024,
		.range_total = (arg & 16) ? UINT64_MAX : rig.image_bytes,
		.has_length = (arg & 16) != 0,
		.length = rig.image_bytes,
		.body = { bytes, (size_t)arg + (arg >> 4) },
		.err = (enum fota_err)(-(int)(arg >> 2)),
	};
	size_t taken;

	if (rig.is_dead || !rig.http.is_active || rig.http.is_paused) { return; }
	memset(bytes, arg, sizeof(bytes));
	if (event.kind >= FOTA_HTTP_DONE) { rig.http.is_active = false; }
	/* a foreign head makes other bytes of the honest ones that follow */
	if (event.kind == FOTA_HTTP_HEAD || event.kind == FOTA_HTTP_BODY) { has_foreign = true; }
	if (fota_session_http(&rig.session, &event, &taken) == FOTA_ERR_BUSY && rig.http.is_active) {
		rig.http.is_paused = true;
	}
}

static void (*const operations[8])(uint8_t arg) = { op_step, op_start,   op_twist, op_fault,
						    op_heal, op_command, op_boot,  op_time };

static void play(struct fuzz_input *in)
{
	for (unsigned i = 0; i < OPERATION_MAX && in->len; i++) {
		uint8_t op = fuzz_take(in), arg = fuzz_take(in);

		if (op & 8) {
			op_event(arg);
		} else {
			operations[op & 7](arg);
		}
	}
}

/* Everything works again. Wrong bytes that were stored are noticed first. */
static void end(void)
{
	rig_clear_twists(&rig);
	rig_fault(&rig, (struct rig_fault) { RIG_OP_FINE, 0, 0 });
	rig_boot(&rig);
	(void)rig_play(&rig);
	if (has_foreign && rig_final(&rig) != FOTA_CODE_DOWNLOADED) {
		fuzz_require(strcmp(rig_codes(&rig), "2 306") == 0, "foreign bytes are noticed");
		(void)rig_play(&rig);
	}
	fuzz_require(strcmp(rig_codes(&rig), "2 3") == 0 && rig_is_image_stored(&rig), "the module gets to its image");
	rig_idle(&rig, 1000);
	fuzz_require(rig.session.record.report_count == 0, "reports are delivered");
	fuzz_require(rig_area_count(&rig.journal, RIG_SECRET) == 1, "the secret stays once, for the installation");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint32_t progs[] = { 1, 16, 256, 2048 };
	struct fuzz_input in = { data, len };
	uint8_t choice = fuzz_take(&in), chunk = fuzz_take(&in);
	struct rig_cfg cfg = {
		.slot_erase_bytes = 2048,
		.slot_prog_bytes = progs[choice & 3],
		.journal_prog_bytes = progs[choice >> 2 & 1],
		.is_async = (choice & 8) != 0,
		.is_cached = (choice & 16) != 0,
		.work_bytes = choice & 32 ? RIG_WORK_BYTES : FOTA_WORK_MIN_BYTES,
		.chunk_bytes = 100 + 40u * chunk,
		.limits = { .session_ms = 600000, .sync_bytes = 2048 },
	};

	has_foreign = false;
	rig_init(&rig, &cfg);
	rig.image_bytes = 6000; /* enough for several erase units */
	play(&in);
	end();
	rig_close(&rig);
	return 0;
}
