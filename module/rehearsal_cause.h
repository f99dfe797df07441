/* SPDX-License-Identifier: Apache-2.0 */
/* How each result code is brought about in a rehearsal: a row per code and step. */
#ifndef MODULE_REHEARSAL_CAUSE_H
#define MODULE_REHEARSAL_CAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Where a session ends. */
enum rehearsal_step {
	REHEARSAL_COMMAND, /* AT+CSCFOTA itself is refused */
	REHEARSAL_CHECK,
	REHEARSAL_STORE, /* the journal is told what is going to be stored */
	REHEARSAL_DOWNLOAD,
	REHEARSAL_VERIFY,
	REHEARSAL_STEP_COUNT,
};

/* Instead of a result code: the module restarts without a word. */
#define REHEARSAL_RESTART 1000

enum rehearsal_kind {
	CAUSE_NONE,     /* nothing goes wrong */
	CAUSE_REFUSAL,  /* the platform answers enum fota_refusal `value` */
	CAUSE_STATUS,   /* the server answers HTTP status `value` */
	CAUSE_GARBAGE,  /* the server answers something else */
	CAUSE_FAIL,     /* the network fails with enum fota_err `value` */
	CAUSE_SIZE,     /* the offered package is larger than the slot */
	CAUSE_DIGEST,   /* the package is another one than the offer says */
	CAUSE_OVER,     /* the server does not continue, and a new start fails */
	CAUSE_SLOT,     /* operation `value` (enum sim_op) of the slot has `effect` */
	CAUSE_JOURNAL,  /* the same of the journal */
	CAUSE_CANCEL,   /* another port cancels */
	CAUSE_ABORT,    /* the module goes down in order, and restarts */
	CAUSE_CLOCK,    /* the clock jumps to the session's time limit */
	CAUSE_POWER,    /* the power goes, and comes back */
	CAUSE_SWAP,     /* the session is cancelled and its 307 shown as this code */
	CAUSE_OFF,      /* the service is switched off just before the command */
	CAUSE_NEST,     /* another port was faster */
	CAUSE_PARAM,    /* a byte of the command is damaged on its way */
	CAUSE_IDENTITY, /* enum fota_identity_field `value` is lost */
	CAUSE_MODEL,    /* the module finds that it is another model */
	CAUSE_SAY,      /* the refusal is said without a cause */
};

struct rehearsal_cause {
	uint16_t code;
	uint8_t step; /* enum rehearsal_step */
	uint8_t kind; /* enum rehearsal_kind */
	int16_t value;
	uint8_t effect; /* enum sim_effect */
};

/* All rows; of a code the usual step comes first. Constant data. */
const struct rehearsal_cause *rehearsal_cause_list(size_t *count);
/* NULL: the code does not come at this step. */
const struct rehearsal_cause *rehearsal_cause_find(unsigned code, enum rehearsal_step step);
/* The usual row of a code, NULL if it is no code. */
const struct rehearsal_cause *rehearsal_cause_usual(unsigned code);

/* Results of an installation that can be played; 307 is what a host does. */
bool rehearsal_is_install_code(unsigned code);

const char *rehearsal_step_name(enum rehearsal_step step);

/* One line of text per code: the steps at which it comes, the usual one first. */
void rehearsal_cause_print(FILE *out);

#endif
