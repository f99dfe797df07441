/* SPDX-License-Identifier: Apache-2.0 */
/* The boot loader of a board with two slots: reads the journal, looks whether the image that is to run is
 * what was verified, counts its trial, and jumps. The parts are those of the library that the
 * application uses too; session, AT server and network are not linked. */
#include "board.h"
#include "fota/boot.h"
#include "fota/journal.h"

/* For SHA-256 over the image; more is faster. */
static uint8_t work[FOTA_JOURNAL_ROOM_BYTES + 4096];
static struct fota_record record;

int main(void)
{
	static const struct fota_boot_cfg cfg = {
		.journal = &board_journal,
		.slots = { &board_slots[0], &board_slots[1] },
		.crypto = &board_crypto,
		.work = { work, sizeof(work) },
		.wait = board_flash_wait,
	};
	struct fota_boot_choice choice;
	enum fota_err err = fota_boot_run(&cfg, &record, &choice);

	/* a journal that cannot be written leaves the confirmed image; one that cannot be read leaves none */
	if (choice.is_none) {
		board_panic(err == FOTA_ERR_NONE ? "no image can be booted" : "the journal cannot be read");
	}
	board_jump(choice.slot);
}
