/* SPDX-License-Identifier: Apache-2.0 */
/* A bad serial line between a host and the AT server: bytes are lost, doubled, late,
 * or changed into noise; the module does not read for a while, or restarts in
 * the middle of an answer. The same seed and the same traffic give the same faults. */
#ifndef MODULE_BADLINE_H
#define MODULE_BADLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BADLINE_BYTES 8192u

/* All-zero: a good line. Chances are in bytes of 10,000. */
struct badline_cfg {
	uint32_t seed;
	uint32_t lose;        /* chance that a byte is lost */
	uint32_t twice;       /* chance that a byte comes twice */
	uint32_t late;        /* chance that a byte, and all behind it, waits for late_ms */
	uint32_t late_ms;     /* [50] */
	uint32_t noise_bytes; /* noise for the host before the first answer after a start */
	uint32_t stall_after; /* after each so many bytes from the host ... */
	uint32_t stall_ms;    /* ... the module does not read for so long */
	uint32_t cut_after;   /* once: the module restarts when it has sent so many bytes */
	bool is_to_host;      /* lose, twice, late: only bytes to the host ... */
	bool is_from_host;    /* ... or only from it; neither: both */
};

/* NULL, or what is wrong with the word "name=value". Fills *cfg. */
const char *badline_parse(struct badline_cfg *cfg, const char *name, const char *value);
/* "name=value[,name=value]...". */
const char *badline_parse_list(struct badline_cfg *cfg, const char *text);
bool badline_is_bad(const struct badline_cfg *cfg);

/* One direction: bytes with the times at which they are due. */
struct badline_way {
	/* private */
	uint64_t last_due_ms; /* of the bytes from late_off on */
	size_t len;
	uint8_t bytes[BADLINE_BYTES];
	uint16_t late_off;
	bool is_late;
};

struct badline {
	/* private */
	struct badline_cfg cfg;
	uint32_t random;
	uint32_t read_count, sent_count;
	uint64_t stall_until_ms;
	bool has_noise, is_cut;
	struct badline_way in, out;
};

/* Copies *cfg. `number` of the port makes the lines differ. */
void badline_init(struct badline *line, const struct badline_cfg *cfg, uint32_t number);
/* The module (re)starts: what is on its way is lost, noise is due again. */
void badline_restart(struct badline *line);

/* Bytes from the host come in; *room takes those that the module gets now. */
void badline_put_in(struct badline *line, const uint8_t *bytes, size_t len, uint64_t now_ms);
size_t badline_take_in(struct badline *line, uint8_t *bytes, size_t cap, uint64_t now_ms);
/* Bytes of the module come in; what the host gets now goes out. */
void badline_put_out(struct badline *line, const uint8_t *bytes, size_t len, uint64_t now_ms);
size_t badline_take_out(struct badline *line, uint8_t *bytes, size_t cap, uint64_t now_ms);
/* The module does not read now. */
bool badline_is_stalled(const struct badline *line, uint64_t now_ms);
/* True once: the module has to restart now. */
bool badline_take_cut(struct badline *line);
/* Milliseconds until something is due; UINT32_MAX: nothing. */
uint32_t badline_next_ms(const struct badline *line, uint64_t now_ms);

#endif
