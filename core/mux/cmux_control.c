/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on channel 0 (27.010 5.4.6.3): type octet, length, value. Each command of
 * the host is answered with the same type and C/R 0; types that are not understood with
 * NSC. Of its answers only the one to our modem status command matters.
 *
 * Left out: service negotiation (SNC), answered with NSC. */
#include "mux/cmux_priv.h"

enum message_type {
	NSC = 0x10,
	TEST = 0x20,
	PSC = 0x40,
	RLS = 0x50,
	FC_OFF = 0x60,
	PN = 0x80,
	RPN = 0x90,
	FC_ON = 0xa0,
	CLD = 0xc0,
	MSC = 0xe0,
};

/* Type and length octets, and a value of at most CMUX_INFO_MAX that is not built here. */
#define BUILT_MAX 16u

struct message {
	uint8_t type; /* without EA and C/R */
	struct fota_bytes value;
};

/* A message has to fit one frame; answers are as long as their commands, which did. */
static void send(struct cmux *mux, uint8_t type, bool is_command, struct fota_bytes value)
{
	uint8_t bytes[BUILT_MAX] = { (uint8_t)(type | (is_command ? CMUX_CR : 0) | CMUX_EA),
				     (uint8_t)(value.len << 1 | CMUX_EA) };

	memcpy(bytes + 2, value.ptr, value.len);
	cmux_frame_send(mux, 0, CMUX_UIH, true, (struct fota_bytes) { bytes, 2 + value.len });
}

static void send_empty(struct cmux *mux, uint8_t type, bool is_command)
{
	send(mux, type, is_command, fota_bytes_of(""));
}

static unsigned channel_of(struct fota_bytes value)
{
	return value.len > 0 ? value.ptr[0] >> 2 : 0;
}

static bool is_channel(unsigned channel)
{
	return channel >= 1 && channel <= CMUX_CHANNEL_MAX;
}

void cmux_control_send_status(struct cmux *mux, unsigned channel)
{
	uint8_t value[] = { (uint8_t)(channel << 2 | CMUX_CR | CMUX_EA),
			    (uint8_t)(mux->channels[channel].own_signals | CMUX_EA) };

	send(mux, MSC, true, (struct fota_bytes) { value, sizeof(value) });
}

void cmux_control_send_end(struct cmux *mux)
{
	send_empty(mux, CLD, true);
}

/* ---- commands of the host: true if the command itself is to be sent back ---- */

static bool take_end(struct cmux *mux, struct fota_bytes value)
{
	(void)value;
	send_empty(mux, CLD, false);
	cmux_host_ended(mux);
	return false;
}

static bool take_test(struct cmux *mux, struct fota_bytes value)
{
	(void)mux;
	(void)value;
	return true;
}

static bool take_sleep(struct cmux *mux, struct fota_bytes value)
{
	(void)value;
	mux->is_asleep = true;
	return true;
}

static bool take_flow_on(struct cmux *mux, struct fota_bytes value)
{
	(void)value;
	mux->is_stopped = false;
	return true;
}

static bool take_flow_off(struct cmux *mux, struct fota_bytes value)
{
	(void)value;
	mux->is_stopped = true;
	return true;
}

/* Signals of a channel that is closed, or does not exist, are taken notice of only. */
static bool take_status(struct cmux *mux, struct fota_bytes value)
{
	unsigned channel = channel_of(value);

	if (value.len < 2) { return false; }
	if (is_channel(channel) && mux->channels[channel].is_open) {
		mux->channels[channel].signals = value.ptr[1] & (uint8_t)~CMUX_EA;
		mux->cfg->event(mux->cfg->ctx, channel, CMUX_EVENT_SIGNAL);
	}
	return true;
}

/* There is no speed to set: what the host asks for is agreed to, 9600 8N1 if it asks
 * what is set. */
static bool take_port(struct cmux *mux, struct fota_bytes value)
{
	uint8_t answer[] = { 0, 3, 3, 0, 0, 0, 0x7f, 0 };

	if (value.len != 1) { return value.len == sizeof(answer); }
	answer[0] = value.ptr[0];
	send(mux, RPN, false, (struct fota_bytes) { answer, sizeof(answer) });
	return false;
}

static bool take_line_status(struct cmux *mux, struct fota_bytes value)
{
	(void)mux;
	return value.len == 2;
}

/* Parameters of a channel (27.010 5.4.6.3.1): UIH frames without convergence layer; the
 * frame size that was asked for, if it fits. */
static bool take_parameters(struct cmux *mux, struct fota_bytes value)
{
	uint8_t answer[8];
	unsigned channel, wanted;

	if (value.len != sizeof(answer)) { return false; }
	memcpy(answer, value.ptr, sizeof(answer));
	channel = answer[0] & 0x3f;
	wanted = answer[4] | (unsigned)answer[5] << 8;
	if (wanted == 0) { wanted = cmux_default_info_bytes(mux); }
	if (wanted > CMUX_INFO_MAX) { wanted = CMUX_INFO_MAX; }
	answer[1] = 0;
	answer[4] = (uint8_t)wanted;
	answer[5] = (uint8_t)(wanted >> 8);
	if (is_channel(channel)) { mux->channels[channel].info_bytes = (uint16_t)wanted; }
	send(mux, PN, false, (struct fota_bytes) { answer, sizeof(answer) });
	return false;
}

static const struct {
	uint8_t type;
	bool (*take)(struct cmux *mux, struct fota_bytes value);
} commands[] = {
	{ PN, take_parameters }, { PSC, take_sleep },     { CLD, take_end },
	{ TEST, take_test },     { FC_ON, take_flow_on }, { FC_OFF, take_flow_off },
	{ MSC, take_status },    { RPN, take_port },      { RLS, take_line_status },
};

/* ---- all messages ---- */

/* What the host sent, with C/R 0, in a frame of its size. */
static void send_back(struct cmux *mux, uint8_t *bytes, size_t len)
{
	bytes[0] &= (uint8_t)~CMUX_CR;
	cmux_frame_send(mux, 0, CMUX_UIH, true, (struct fota_bytes) { bytes, len });
}

static void take_command(struct cmux *mux, uint8_t *bytes, size_t len, struct message message)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].type != message.type) { continue; }
		if (commands[i].take(mux, message.value)) { send_back(mux, bytes, len); }
		return;
	}
	send(mux, NSC, false, (struct fota_bytes) { bytes, 1 });
}

static void take_answer(struct cmux *mux, struct message message)
{
	unsigned channel = channel_of(message.value);

	if (message.type == MSC && is_channel(channel)) { mux->channels[channel].tries_left = 0; }
}

/* Octets of the length field of a message, 0 if it is cut off; *len is what it says. */
static size_t read_length(struct fota_bytes bytes, size_t *len)
{
	*len = 0;
	for (size_t i = 0; i < bytes.len && i < 2; i++) {
		*len |= (size_t)(bytes.ptr[i] >> 1) << (7 * i);
		if (bytes.ptr[i] & CMUX_EA) { return i + 1; }
	}
	return 0;
}

/* The message at `bytes`; its size, 0 if there is none. A type of several octets has
 * no meaning in 27.010. */
static size_t read_message(struct fota_bytes bytes, struct message *message)
{
	size_t len, octets;

	if (bytes.len < 2 || !(bytes.ptr[0] & CMUX_EA)) { return 0; }
	octets = read_length((struct fota_bytes) { bytes.ptr + 1, bytes.len - 1 }, &len);
	if (octets == 0 || len > bytes.len - 1 - octets) { return 0; }
	message->type = bytes.ptr[0] & (uint8_t) ~(CMUX_EA | CMUX_CR);
	message->value = (struct fota_bytes) { bytes.ptr + 1 + octets, len };
	return 1 + octets + len;
}

void cmux_control_take(struct cmux *mux, struct fota_bytes info)
{
	struct message message;
	size_t len;

	while (!mux->is_ended && (len = read_message(info, &message)) > 0) {
		uint8_t *bytes = mux->info + (info.ptr - mux->info);

		if (bytes[0] & CMUX_CR) {
			take_command(mux, bytes, len, message);
		} else {
			take_answer(mux, message);
		}
		info.ptr += len;
		info.len -= len;
	}
}
