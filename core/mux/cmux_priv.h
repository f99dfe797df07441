/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the multiplexer share: frame (bytes become frames and back),
 * control (messages on channel 0), cmux (channels and time). */
#ifndef CMUX_PRIV_H
#define CMUX_PRIV_H

#include "fota/cmux.h"

enum {
	CMUX_EA = 0x01, /* the last octet of its field */
	CMUX_CR = 0x02, /* command or response */
	CMUX_PF = 0x10, /* poll or final, in the control field */
	CMUX_FLAG = 0xf9,
};

/* Control fields without CMUX_PF. */
enum cmux_frame_type {
	CMUX_DM = 0x0f,
	CMUX_SABM = 0x2f,
	CMUX_DISC = 0x43,
	CMUX_UA = 0x63,
	CMUX_UIH = 0xef,
};

/* cmux_frame.c */
/* Sends a frame. `is_command`: the module's own, else an answer to the host's. */
void cmux_frame_send(struct cmux *mux, unsigned channel, uint8_t control, bool is_command, struct fota_bytes info);
/* Takes a byte; true when a good frame is complete in address, control, info. */
bool cmux_frame_take(struct cmux *mux, uint8_t c);
/* Forgets an incomplete frame. */
void cmux_frame_drop(struct cmux *mux);
bool cmux_frame_is_inside(const struct cmux *mux);

/* cmux_control.c */
/* The messages in the data of a frame on channel 0. */
void cmux_control_take(struct cmux *mux, struct fota_bytes info);
/* Modem status command, with the signals of the channel. */
void cmux_control_send_status(struct cmux *mux, unsigned channel);
void cmux_control_send_end(struct cmux *mux);

/* cmux.c */
/* The host ended the multiplexer. */
void cmux_host_ended(struct cmux *mux);
uint16_t cmux_default_info_bytes(const struct cmux *mux);

#endif
