/* SPDX-License-Identifier: Apache-2.0 */
/* A line with its AT server, and the multiplexer that AT+CMUX=0 puts in the server's place:
 * then each channel that the host opens is an AT port of its own. When the
 * multiplexer ends, the line is the AT port that it was, with its settings.
 *
 * Channel 1 has the number of the line: a session that was started on the one is told
 * on the other. */
#ifndef MODULE_MUX_H
#define MODULE_MUX_H

#include "fota/at_fota.h"
#include "fota/at_network.h"
#include "fota/cmux.h"
#include "line.h"

#define MUX_OUT_BYTES 4096

struct mux;

struct mux_port {
	struct at_server at;
	struct at_cfg at_cfg;
	bool is_added; /* to FOTA and network */
	size_t out_len;
	uint64_t dropped_bytes;
	uint8_t out[MUX_OUT_BYTES]; /* until the host takes it */
};

/* Values of AT+CMUX, in its order. */
enum mux_value { MUX_MODE, MUX_SUBSET, MUX_SPEED, MUX_N1, MUX_T1, MUX_N2, MUX_T2, MUX_T3, MUX_K, MUX_VALUE_COUNT };

struct mux_env {
	struct at_fota *fota;
	struct at_network *network;
	const struct log *log;
};

struct mux {
	/* private */
	const struct mux_env *env;
	struct line *line;
	struct at_server *base; /* of the line without multiplexer */
	bool is_wanted;         /* the command was accepted; its OK comes first */
	bool is_on;
	uint64_t now_ms;
	uint32_t values[MUX_VALUE_COUNT];
	struct cmux cmux;
	struct cmux_cfg cmux_cfg;
	struct mux_port ports[CMUX_CHANNEL_MAX];
};

/* All lines, so that a handler finds its own. */
struct mux_set {
	struct mux *muxes[MODULE_LINE_MAX];
	size_t count;
};

/* +CMUX. */
struct at_table mux_table(struct mux_set *set);

/* `base` is initialised and takes part in FOTA and network. Keeps all; adds itself to the
 * set. OK, or CONTRACT as at_init. */
FOTA_MUST_CHECK enum fota_err mux_init(struct mux *mux, struct mux_set *set, const struct mux_env *env,
				       struct line *line, struct at_server *base);

/* Bytes from the host, to whom they belong. */
void mux_feed(struct mux *mux, const uint8_t *bytes, size_t len, uint64_t now_ms);
/* Lets time pass for all servers of the line. */
void mux_tick(struct mux *mux, uint64_t now_ms);
uint32_t mux_next_ms(const struct mux *mux, uint64_t now_ms);
/* Puts into the line what channels have for the host. */
void mux_flush(struct mux *mux);

/* The module ends a multiplexer: the host is told. */
void mux_end(struct mux *mux);
/* The host is gone: its multiplexer ends without a word. */
void mux_lose(struct mux *mux);

#endif
