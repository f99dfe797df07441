/* SPDX-License-Identifier: Apache-2.0 */
/* The module's side of the 3GPP TS 27.010 multiplexer, basic option with UIH frames
 * (what AT+CMUX=0 starts): one serial line carries up to CMUX_CHANNEL_MAX ports.
 * Bytes and time come in, frames and events go out; nothing blocks, nothing is allocated.
 *
 * The host opens and closes channels; a channel is a DLCI from 1 on. Not locked: the
 * caller serialises all calls. None of them may be called from inside a callback but
 * those that say so. */
#ifndef FOTA_CMUX_H
#define FOTA_CMUX_H

#include "fota/bytes.h"
#include "fota/err.h"

#define CMUX_CHANNEL_MAX 4u
/* The most data of one frame that can be agreed on. Hosts ask for up to 1509, so that
 * a packet of 1500 bytes fits. A size at build time: define it for the whole build. */
#ifndef CMUX_INFO_MAX
#define CMUX_INFO_MAX 1540u
#endif
#define CMUX_SILENCE_MS 1000u /* inside a frame: the rest of it is not waited for */

/* Signals of the V.24 octet (27.010 5.4.6.3.7), bit 0 is always set. */
enum cmux_signal {
	CMUX_SIGNAL_FC = 0x02,  /* the sender takes no data */
	CMUX_SIGNAL_RTC = 0x04, /* ready to communicate: DSR or DTR */
	CMUX_SIGNAL_RTR = 0x08, /* ready to receive: CTS or RTS */
	CMUX_SIGNAL_IC = 0x40,  /* RI */
	CMUX_SIGNAL_DV = 0x80,  /* DCD */
};

enum cmux_event {
	CMUX_EVENT_OPEN,   /* a channel was opened, or opened anew: its host starts afresh */
	CMUX_EVENT_CLOSE,  /* a channel that was open is closed */
	CMUX_EVENT_SIGNAL, /* the host told its signals, see cmux_get_signals */
	CMUX_EVENT_END,    /* the host ended the multiplexer; all channels were closed before */
};

/* Keeps *cfg until the last use. All-zero values are the defaults. */
struct cmux_cfg {
	/* Takes the bytes of frames. What it cannot take is its loss. */
	void (*write)(void *ctx, const uint8_t *bytes, size_t len);
	/* Takes the data of an open channel (1 to CMUX_CHANNEL_MAX). May call cmux_send. */
	void (*data)(void *ctx, unsigned channel, const uint8_t *bytes, size_t len);
	/* The channel is 0 for END. May call cmux_send. */
	void (*event)(void *ctx, unsigned channel, enum cmux_event event);
	void *ctx;
	uint16_t info_bytes; /* N1: data of one frame that is sent, 1 to CMUX_INFO_MAX [31] */
	uint16_t repeat_ms;  /* T2: before a message without an answer is sent again [300] */
	uint8_t repeat_max;  /* N2: times that is done [3] */
};

struct cmux_stats {
	uint32_t frame_count;     /* good ones */
	uint32_t bad_frame_count; /* of wrong length, check sum or end */
	uint32_t lost_byte_count; /* outside of frames */
};

struct cmux_channel {
	/* private */
	bool is_open;
	uint8_t signals;     /* the host's */
	uint8_t own_signals; /* the module's */
	uint16_t tries_left; /* of the status that the host has not answered; 0: none */
	uint16_t info_bytes;
	uint64_t sent_ms;
};

struct cmux {
	/* private */
	const struct cmux_cfg *cfg;
	uint64_t now_ms, byte_ms;
	struct cmux_stats stats;
	struct cmux_channel channels[CMUX_CHANNEL_MAX + 1]; /* 0 is the control channel */
	uint8_t state;
	bool is_stopped; /* FCoff: no data at all */
	bool is_asleep;  /* PSC: flags wake */
	bool is_ended;
	uint8_t address, control, check;
	uint16_t info_len, info_got;
	uint8_t info[CMUX_INFO_MAX];
};

_Static_assert(sizeof(struct cmux) - CMUX_INFO_MAX <= 256, "a multiplexer takes too much RAM");

/* Makes *mux ready; all channels are closed. OK, CONTRACT if a callback is missing, or
 * RANGE if info_bytes is larger than CMUX_INFO_MAX. */
FOTA_MUST_CHECK enum fota_err cmux_init(struct cmux *mux, const struct cmux_cfg *cfg);

/* Bytes from the host; callbacks run inside. Returns how many were taken: all, unless
 * the multiplexer ended, then those behind its last frame belong to the line again.
 * `now_ms` never goes back. */
size_t cmux_feed(struct cmux *mux, const uint8_t *bytes, size_t len, uint64_t now_ms);

/* Sends data on a channel, in as many frames as it takes. Returns how many bytes were
 * sent: all, or none if the channel is closed or stopped by the host. */
size_t cmux_send(struct cmux *mux, unsigned channel, struct fota_bytes data);

/* Tells the host signals of the module on an open channel, or-ed of enum cmux_signal. */
void cmux_set_signals(struct cmux *mux, unsigned channel, uint8_t signals);

/* Lets time pass: messages without an answer are repeated. */
void cmux_tick(struct cmux *mux, uint64_t now_ms);
/* Milliseconds until cmux_tick has something to do; UINT32_MAX: nothing. */
uint32_t cmux_next_ms(const struct cmux *mux, uint64_t now_ms);

/* Ends the multiplexer from the module's side: the host is told (CLD), every open
 * channel is closed with its event; END does not follow. */
void cmux_end(struct cmux *mux);

bool cmux_is_open(const struct cmux *mux, unsigned channel);
/* Open, and the host takes data. */
bool cmux_is_ready(const struct cmux *mux, unsigned channel);
bool cmux_is_ended(const struct cmux *mux);
/* What the host told last, or-ed of enum cmux_signal. */
uint8_t cmux_get_signals(const struct cmux *mux, unsigned channel);
void cmux_get_stats(const struct cmux *mux, struct cmux_stats *stats);

#endif
