/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the journal with any content of its flash. The first byte chooses the shape and
 * whether CRCs are mended first, so that mutations get behind them; the rest is the
 * area, filled up as if erased.
 *
 * Properties: loading ends, gives a record within its bounds and reads only; what is
 * saved then is what the next start loads; nothing is programmed that was not erased. */
#include <string.h>

#include "fota/journal.h"
#include "fuzz.h"
#include "sim_flash.h"
#include "util/crc32.h"

#define AREA_BYTES 16384u
#define HEAD       12u
#define POLL_MAX   5000

static struct sim_flash sim;
static uint8_t cells[AREA_BYTES], states[AREA_BYTES], room[FOTA_JOURNAL_ROOM_BYTES];

static void run(struct fota_journal *journal)
{
	enum fota_err err, result;
	unsigned polls = 0;

	do {
		fuzz_require(++polls < POLL_MAX, "a job ends");
		err = fota_journal_poll(journal);
		if (err == FOTA_ERR_PENDING) {
			fuzz_require(sim_flash_complete(&sim, &result) && result == FOTA_ERR_OK, "the flash works");
			err = FOTA_ERR_OK;
		}
	} while (err == FOTA_ERR_OK);
	fuzz_require(err == FOTA_ERR_NONE, "a job ends well");
}

static void start(struct fota_journal *journal, struct fota_record *record)
{
	memset(record, 0xdd, sizeof(*record));
	fuzz_require(fota_journal_init(journal, &sim.flash, record, (struct fota_room) { room, sizeof(room) }) ==
			     FOTA_ERR_OK,
		     "the shape is usable");
	fota_journal_load(journal);
	run(journal);
	fuzz_require(record->report_count <= FOTA_PENDING_REPORT_MAX, "reports are within their bound");
	fuzz_require(record->package.synced_bytes <= record->package.total_bytes, "no more is stored than there is");
}

static void mend_half(uint8_t *half, size_t size, uint32_t prog_bytes)
{
	size_t off = 0;

	while (off + HEAD + 4 <= size) {
		size_t len = half[off + 8] | (size_t)half[off + 9] << 8;
		uint32_t crc;

		if (len > size - off - HEAD - 4) { return; }
		half[off + 7] = 0; /* a count that wraps takes 2^32 saves */
		crc = fota_crc32(0, half + off, HEAD + len);
		for (unsigned i = 0; i < 4; i++) {
			half[off + HEAD + len + i] = (uint8_t)(crc >> 8 * i);
		}
		off += (HEAD + len + 4 + prog_bytes - 1) / prog_bytes * prog_bytes;
	}
}

static void fill(struct fuzz_input *in, uint8_t choice)
{
	static const uint32_t progs[] = { 1, 16, 256, 8 };
	uint32_t prog_bytes = progs[choice & 3];
	uint32_t area_bytes = choice & 4 ? AREA_BYTES : AREA_BYTES / 2;

	sim_flash_init(&sim, cells, states, area_bytes, 4096, prog_bytes);
	sim.is_async = (choice & 8) != 0;
	memset(cells, 0xff, sizeof(cells));
	memcpy(cells, in->ptr, in->len < area_bytes ? in->len : area_bytes);
	if (choice & 16) {
		mend_half(cells, area_bytes / 2, prog_bytes);
		mend_half(cells + area_bytes / 2, area_bytes / 2, prog_bytes);
	}
}

static struct fota_bytes encode(const struct fota_record *record, uint8_t into[FOTA_RECORD_MAX_BYTES])
{
	struct fota_bytes out;
	enum fota_err err = fota_record_put(record, (struct fota_room) { into, FOTA_RECORD_MAX_BYTES }, &out);

	fuzz_require(err == FOTA_ERR_OK, "a record fits into its room");
	return out;
}

/* By their bytes: what is in the unused room of a text does not count. */
static bool is_same(const struct fota_record *a, const struct fota_record *b)
{
	static uint8_t rooms[2][FOTA_RECORD_MAX_BYTES];

	return fota_bytes_is_equal(encode(a, rooms[0]), encode(b, rooms[1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct fota_journal journal;
	static struct fota_record record, saved;
	struct fuzz_input in = { data, len };
	uint8_t choice = fuzz_take(&in);
	static const enum fota_journal_job jobs[] = { FOTA_JOURNAL_SNAPSHOT, FOTA_JOURNAL_PROGRESS,
						      FOTA_JOURNAL_SCRUB };

	fill(&in, choice);
	start(&journal, &record);
	for (unsigned i = 0; i < 3; i++) {
		record.last_code = (uint16_t)(301 + i);
		saved = record;
		fota_journal_save(&journal, jobs[i]);
		run(&journal);
		start(&journal, &record);
		/* a progress entry behind a start is a whole snapshot */
		fuzz_require(is_same(&record, &saved), "what is saved is loaded");
	}
	fuzz_require(sim.violation_count == 0, "flash is erased before it is programmed");
	return 0;
}
