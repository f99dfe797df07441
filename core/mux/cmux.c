/* SPDX-License-Identifier: Apache-2.0 */
/* Channels of the multiplexer. The host asks with SABM and DISC, the module answers
 * with UA, or DM if there is no such channel; it opens none itself. Channel 0 comes first,
 * and its end is the end of the multiplexer.
 *
 * A status that the host does not answer is sent again repeat_max times and then given
 * up: hosts that never answer work as well. After PSC the module answers a flag with a flag,
 * as the waking host expects; it wakes the host itself with a few flags, not waiting
 * for the host's. */
#include "mux/cmux_priv.h"

#define INFO_BYTES_DEFAULT 31u /* 27.010 5.7 */
#define REPEAT_MS_DEFAULT  300u
#define REPEAT_MAX_DEFAULT 3u
#define SIGNALS_READY      (CMUX_SIGNAL_RTC | CMUX_SIGNAL_RTR)

uint16_t cmux_default_info_bytes(const struct cmux *mux)
{
	return mux->cfg->info_bytes ? mux->cfg->info_bytes : INFO_BYTES_DEFAULT;
}

static uint16_t repeat_ms(const struct cmux *mux)
{
	return mux->cfg->repeat_ms ? mux->cfg->repeat_ms : REPEAT_MS_DEFAULT;
}

static void answer(struct cmux *mux, unsigned channel, enum cmux_frame_type type)
{
	cmux_frame_send(mux, channel, (uint8_t)(type | (mux->control & CMUX_PF)), false, fota_bytes_of(""));
}

static bool is_known(unsigned channel)
{
	return channel <= CMUX_CHANNEL_MAX;
}

/* ---- channels ---- */

static void send_status(struct cmux *mux, unsigned channel)
{
	mux->channels[channel].sent_ms = mux->now_ms;
	cmux_control_send_status(mux, channel);
}

static void begin_status(struct cmux *mux, unsigned channel)
{
	mux->channels[channel].tries_left = 1u + (mux->cfg->repeat_max ? mux->cfg->repeat_max : REPEAT_MAX_DEFAULT);
	send_status(mux, channel);
}

static void close_channel(struct cmux *mux, unsigned channel)
{
	struct cmux_channel *it = &mux->channels[channel];

	if (!it->is_open) { return; }
	*it = (struct cmux_channel) { .info_bytes = cmux_default_info_bytes(mux) };
	if (channel > 0) { mux->cfg->event(mux->cfg->ctx, channel, CMUX_EVENT_CLOSE); }
}

static void close_data_channels(struct cmux *mux)
{
	for (unsigned i = 1; i <= CMUX_CHANNEL_MAX; i++) {
		close_channel(mux, i);
	}
}

static void close_all(struct cmux *mux)
{
	close_data_channels(mux);
	close_channel(mux, 0);
}

void cmux_host_ended(struct cmux *mux)
{
	close_all(mux);
	mux->is_ended = true;
	mux->cfg->event(mux->cfg->ctx, 0, CMUX_EVENT_END);
}

/* ---- frames ---- */

static void take_open(struct cmux *mux, unsigned channel)
{
	struct cmux_channel *it;

	if (!is_known(channel) || (channel > 0 && !mux->channels[0].is_open)) {
		answer(mux, channel, CMUX_DM);
		return;
	}
	it = &mux->channels[channel];
	it->is_open = true;
	it->signals = SIGNALS_READY;
	it->own_signals = SIGNALS_READY;
	answer(mux, channel, CMUX_UA);
	if (channel == 0) {
		close_data_channels(mux); /* of a host that started anew */
		return;
	}
	begin_status(mux, channel);
	mux->cfg->event(mux->cfg->ctx, channel, CMUX_EVENT_OPEN);
}

static void take_close(struct cmux *mux, unsigned channel)
{
	if (!is_known(channel) || !mux->channels[channel].is_open) {
		answer(mux, channel, CMUX_DM);
		return;
	}
	answer(mux, channel, CMUX_UA);
	if (channel == 0) {
		cmux_host_ended(mux);
	} else {
		close_channel(mux, channel);
	}
}

static void take_refusal(struct cmux *mux, unsigned channel)
{
	if (is_known(channel) && channel > 0) { close_channel(mux, channel); }
}

/* Nothing to do: the module asks for no channel. */
static void take_consent(struct cmux *mux, unsigned channel)
{
	(void)mux;
	(void)channel;
}

static void take_data(struct cmux *mux, unsigned channel)
{
	struct fota_bytes info = { mux->info, mux->info_len };

	if (!is_known(channel) || !mux->channels[channel].is_open) {
		mux->control |= CMUX_PF;
		answer(mux, channel, CMUX_DM);
	} else if (channel == 0) {
		cmux_control_take(mux, info);
	} else if (info.len > 0) {
		mux->cfg->data(mux->cfg->ctx, channel, info.ptr, info.len);
	}
}

/* C/R of the address: 1 in commands of the host, 0 in its answers. In data it is not
 * looked at, since hosts differ. */
static const struct {
	uint8_t type;
	uint8_t cr_mask, cr;
	void (*take)(struct cmux *mux, unsigned channel);
} frames[] = {
	{ CMUX_SABM, CMUX_CR, CMUX_CR, take_open },
	{ CMUX_DISC, CMUX_CR, CMUX_CR, take_close },
	{ CMUX_UIH, 0, 0, take_data },
	{ CMUX_DM, 0, 0, take_refusal },
	{ CMUX_UA, 0, 0, take_consent },
};

static void take_frame(struct cmux *mux)
{
	uint8_t type = mux->control & (uint8_t)~CMUX_PF;

	mux->is_asleep = false;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		if (frames[i].type == type && (mux->address & frames[i].cr_mask) == frames[i].cr) {
			frames[i].take(mux, mux->address >> 2);
			return;
		}
	}
}

static void answer_flag(struct cmux *mux, uint8_t c)
{
	static const uint8_t flag = CMUX_FLAG;

	if (mux->is_asleep && c == CMUX_FLAG && !cmux_frame_is_inside(mux)) {
		mux->cfg->write(mux->cfg->ctx, &flag, 1);
	}
}

/* ---- bytes and time ---- */

static uint64_t since(uint64_t now_ms, uint64_t then_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

size_t cmux_feed(struct cmux *mux, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	size_t done = 0;

	if (len == 0) { return 0; }
	if (now_ms > mux->now_ms) { mux->now_ms = now_ms; }
	if (since(mux->now_ms, mux->byte_ms) >= CMUX_SILENCE_MS) { cmux_frame_drop(mux); }
	mux->byte_ms = mux->now_ms;
	while (done < len && !mux->is_ended) {
		uint8_t c = bytes[done++];

		if (cmux_frame_take(mux, c)) {
			take_frame(mux);
		} else {
			answer_flag(mux, c);
		}
	}
	return done;
}

static void wake_host(struct cmux *mux)
{
	static const uint8_t flags[] = { CMUX_FLAG, CMUX_FLAG, CMUX_FLAG, CMUX_FLAG };

	if (mux->is_asleep) { mux->cfg->write(mux->cfg->ctx, flags, sizeof(flags)); }
	mux->is_asleep = false;
}

size_t cmux_send(struct cmux *mux, unsigned channel, struct fota_bytes data)
{
	size_t done = 0;

	if (!cmux_is_ready(mux, channel)) { return 0; }
	wake_host(mux);
	while (done < data.len) {
		size_t len = data.len - done;
		size_t limit = mux->channels[channel].info_bytes;

		if (len > limit) { len = limit; }
		cmux_frame_send(mux, channel, CMUX_UIH, true, (struct fota_bytes) { data.ptr + done, len });
		done += len;
	}
	return done;
}

void cmux_set_signals(struct cmux *mux, unsigned channel, uint8_t signals)
{
	if (channel == 0 || !cmux_is_open(mux, channel)) { return; }
	mux->channels[channel].own_signals = signals;
	wake_host(mux);
	begin_status(mux, channel);
}

void cmux_tick(struct cmux *mux, uint64_t now_ms)
{
	if (now_ms > mux->now_ms) { mux->now_ms = now_ms; }
	for (unsigned i = 1; i <= CMUX_CHANNEL_MAX; i++) {
		struct cmux_channel *it = &mux->channels[i];

		if (it->tries_left == 0 || since(mux->now_ms, it->sent_ms) < repeat_ms(mux)) { continue; }
		if (--it->tries_left > 0) { send_status(mux, i); }
	}
}

uint32_t cmux_next_ms(const struct cmux *mux, uint64_t now_ms)
{
	uint32_t least = UINT32_MAX;

	for (unsigned i = 1; i <= CMUX_CHANNEL_MAX; i++) {
		const struct cmux_channel *it = &mux->channels[i];
		uint64_t passed_ms = since(now_ms, it->sent_ms);
		uint32_t left_ms = passed_ms < repeat_ms(mux) ? (uint32_t)(repeat_ms(mux) - passed_ms) : 0;

		if (it->tries_left > 0 && left_ms < least) { least = left_ms; }
	}
	return least;
}

/* ---- life ---- */

enum fota_err cmux_init(struct cmux *mux, const struct cmux_cfg *cfg)
{
	if (!cfg || !cfg->write || !cfg->data || !cfg->event) { return FOTA_ERR_CONTRACT; }
	if (cfg->info_bytes > CMUX_INFO_MAX) { return FOTA_ERR_RANGE; }
	memset(mux, 0, sizeof(*mux));
	mux->cfg = cfg;
	for (unsigned i = 0; i <= CMUX_CHANNEL_MAX; i++) {
		mux->channels[i].info_bytes = cmux_default_info_bytes(mux);
	}
	return FOTA_ERR_OK;
}

void cmux_end(struct cmux *mux)
{
	if (mux->is_ended) { return; }
	if (mux->channels[0].is_open) {
		wake_host(mux);
		cmux_control_send_end(mux);
	}
	close_all(mux);
	mux->is_ended = true;
}

bool cmux_is_open(const struct cmux *mux, unsigned channel)
{
	return is_known(channel) && mux->channels[channel].is_open;
}

bool cmux_is_ready(const struct cmux *mux, unsigned channel)
{
	return channel > 0 && cmux_is_open(mux, channel) && !mux->is_stopped &&
	       !(mux->channels[channel].signals & CMUX_SIGNAL_FC);
}

bool cmux_is_ended(const struct cmux *mux)
{
	return mux->is_ended;
}

uint8_t cmux_get_signals(const struct cmux *mux, unsigned channel)
{
	return is_known(channel) ? mux->channels[channel].signals : 0;
}

void cmux_get_stats(const struct cmux *mux, struct cmux_stats *stats)
{
	*stats = mux->stats;
}
