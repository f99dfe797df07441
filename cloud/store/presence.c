/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table in shards, each with its lock, so that two HTTP threads seldom meet. An entry
 * carries the time of the last check and a hash of what the device said; the text itself is
 * kept only while it waits to be written. A flush takes what is due out of a shard under its
 * lock and writes it without. */
#include "store/presence.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

#define SHARD_COUNT    64u
#define BUCKET_INITIAL 16u
#define FORGET_S       60

/* What a device said, one allocation: three texts in a row. */
struct info {
	struct fota_bytes version, target, attributes;
	uint8_t bytes[];
};

struct entry {
	struct entry *next;
	int64_t seq;
	int64_t seen_s;
	int64_t stored_s; /* last_seen in the database */
	uint64_t said;    /* hash of version, target and attributes; 0: ask again */
	uint64_t version; /* hash of the version alone */
	uint64_t hash;
	struct info *pending; /* to be written; NULL: only the time */
	size_t name_len;
	uint8_t name[];
};

struct shard {
	pthread_mutex_t lock;
	struct entry **buckets;
	size_t bucket_count; /* a power of two, or 0 */
	size_t entry_count;
	size_t pending_count;
};

struct cloud_presence {
	struct shard shards[SHARD_COUNT];
};

/* One row to write, taken out of its shard. */
struct note {
	struct note *next;
	int64_t seq;
	int64_t seen_s;
	struct info *info;
	size_t name_len;
	uint8_t name[];
};

/* FNV-1a, 64 bits. A device that makes two of its own states collide only hides its own
 * change; whose entry is whose is decided by comparing names. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	}
	return hash;
}

static uint64_t hash_text(uint64_t hash, struct fota_bytes text)
{
	return hash_bytes(hash_bytes(hash, &text.len, sizeof(text.len)), text.ptr, text.len);
}

static const uint64_t hash_start = UINT64_C(0xcbf29ce484222325);

static uint64_t hash_of_name(int64_t seq, struct fota_bytes name)
{
	uint64_t hash = hash_bytes(hash_bytes(hash_start, &seq, sizeof(seq)), name.ptr, name.len);

	return hash ^ hash >> 29;
}

static uint64_t hash_of_said(const struct fota_check_request *request)
{
	uint64_t hash = hash_text(hash_text(hash_start, request->version), request->target);

	for (size_t i = 0; i < request->attribute_count; i++) {
		hash = hash_text(hash_text(hash, request->attributes[i].name), request->attributes[i].value);
	}
	return hash;
}

struct cloud_presence *cloud_presence_new(void)
{
	struct cloud_presence *presence = calloc(1, sizeof(*presence));

	for (size_t i = 0; presence && i < SHARD_COUNT; i++) {
		pthread_mutex_init(&presence->shards[i].lock, NULL);
	}
	return presence;
}

static void free_entry(struct entry *entry)
{
	free(entry->pending);
	free(entry);
}

void cloud_presence_free(struct cloud_presence *presence)
{
	for (size_t i = 0; presence && i < SHARD_COUNT; i++) {
		struct shard *shard = &presence->shards[i];

		for (size_t k = 0; k < shard->bucket_count; k++) {
			while (shard->buckets[k]) {
				struct entry *entry = shard->buckets[k];

				shard->buckets[k] = entry->next;
				free_entry(entry);
			}
		}
		free(shard->buckets);
		pthread_mutex_destroy(&shard->lock);
	}
	free(presence);
}

static struct shard *shard_of(struct cloud_presence *presence, uint64_t hash)
{
	return &presence->shards[hash >> 58];
}

static struct entry *find(struct shard *shard, uint64_t hash, int64_t seq, struct fota_bytes name)
{
	struct entry *entry = shard->bucket_count ? shard->buckets[hash & (shard->bucket_count - 1)] : NULL;

	while (entry && (entry->hash != hash || entry->seq != seq || entry->name_len != name.len ||
			 memcmp(entry->name, name.ptr, name.len) != 0)) {
		entry = entry->next;
	}
	return entry;
}

/* Doubles the buckets when they are full. Without memory the chains get longer. */
static bool grow(struct shard *shard)
{
	size_t count = shard->bucket_count ? 2 * shard->bucket_count : BUCKET_INITIAL;
	struct entry **buckets;

	if (shard->entry_count < shard->bucket_count) { return true; }
	buckets = calloc(count, sizeof(struct entry *));
	if (!buckets) { return shard->bucket_count != 0; }
	for (size_t i = 0; i < shard->bucket_count; i++) {
		while (shard->buckets[i]) {
			struct entry *entry = shard->buckets[i];

			shard->buckets[i] = entry->next;
			entry->next = buckets[entry->hash & (count - 1)];
			buckets[entry->hash & (count - 1)] = entry;
		}
	}
	free(shard->buckets);
	shard->buckets = buckets;
	shard->bucket_count = count;
	return true;
}

/* The attributes as a JSON object. NULL: no memory. The caller frees. */
static char *attributes_text(const struct fota_check_request *request)
{
	json_t *object = json_object();
	char *text;

	for (size_t i = 0; i < request->attribute_count; i++) {
		const struct fota_attribute *a = &request->attributes[i];

		(void)json_object_setn_new(object, (const char *)a->name.ptr, a->name.len,
					   json_stringn((const char *)a->value.ptr, a->value.len));
	}
	text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(object);
	return text;
}

static struct fota_bytes put_text(uint8_t **to, struct fota_bytes text)
{
	struct fota_bytes copy = { *to, text.len };

	if (text.len) { memcpy(*to, text.ptr, text.len); }
	*to += text.len;
	return copy;
}

static struct info *make_info(struct fota_bytes version, struct fota_bytes target, struct fota_bytes attributes)
{
	struct info *info = malloc(sizeof(*info) + version.len + target.len + attributes.len);
	uint8_t *to;

	if (!info) { return NULL; }
	to = info->bytes;
	info->version = put_text(&to, version);
	info->target = put_text(&to, target);
	info->attributes = put_text(&to, attributes);
	return info;
}

static struct info *new_info(const struct fota_check_request *request)
{
	char *attributes = attributes_text(request);
	struct info *info = attributes ? make_info(request->version, request->target, fota_bytes_of(attributes)) : NULL;

	free(attributes);
	return info;
}

static void set_pending(struct shard *shard, struct entry *entry, struct info *info)
{
	shard->pending_count += (info != NULL) - (size_t)(entry->pending != NULL);
	free(entry->pending);
	entry->pending = info;
}

/* True if the device is known here; then it is noted. */
static bool note_known(struct shard *shard, uint64_t hash, int64_t seq, const struct fota_check_request *request,
		       uint64_t said, int64_t now_s)
{
	struct entry *entry;

	pthread_mutex_lock(&shard->lock);
	entry = find(shard, hash, seq, request->device);
	if (entry) { entry->seen_s = now_s; }
	if (entry && entry->said != said) {
		entry->said = said;
		entry->version = hash_text(hash_start, request->version);
		set_pending(shard, entry, new_info(request));
	}
	pthread_mutex_unlock(&shard->lock);
	return entry != NULL;
}

/* Asks the database what it has of the device. Returns its last_seen, and drops *info if the
 * database has the same already. */
static int64_t compare_stored(struct cloud_db *db, int64_t seq, struct fota_bytes name, struct info **info)
{
	struct cloud_stmt *stmt = cloud_db_query(db, CLOUD_SQL_DEVICE_FIND, cloud_int(seq), cloud_text_of(name));
	int64_t last_seen_s = 0;

	if (cloud_db_next(stmt) != CLOUD_DB_ROW) { return 0; }
	last_seen_s = cloud_col_int(stmt, 4);
	if (fota_bytes_is_equal(cloud_col_bytes(stmt, 1), (*info)->version) &&
	    fota_bytes_is_equal(cloud_col_bytes(stmt, 2), (*info)->target) &&
	    fota_bytes_is_equal(cloud_col_bytes(stmt, 3), (*info)->attributes)) {
		free(*info);
		*info = NULL;
	}
	cloud_db_end(stmt);
	return last_seen_s;
}

static void insert(struct shard *shard, struct entry *entry)
{
	pthread_mutex_lock(&shard->lock);
	if (find(shard, entry->hash, entry->seq, (struct fota_bytes) { entry->name, entry->name_len }) ||
	    !grow(shard)) {
		free_entry(entry); /* another thread was faster, or no memory: the next check notes it */
	} else {
		struct entry **bucket = &shard->buckets[entry->hash & (shard->bucket_count - 1)];

		entry->next = *bucket;
		*bucket = entry;
		shard->entry_count++;
		shard->pending_count += entry->pending != NULL;
	}
	pthread_mutex_unlock(&shard->lock);
}

void cloud_presence_note(struct cloud_presence *presence, struct cloud_db *db, int64_t seq,
			 const struct fota_check_request *request, int64_t now_s)
{
	uint64_t hash = hash_of_name(seq, request->device);
	uint64_t said = hash_of_said(request);
	struct shard *shard = shard_of(presence, hash);
	struct entry *entry;
	struct info *info;

	if (note_known(shard, hash, seq, request, said, now_s)) { return; }
	entry = malloc(sizeof(*entry) + request->device.len);
	info = new_info(request);
	if (!entry || !info) {
		free(entry);
		free(info);
		return;
	}
	*entry = (struct entry) {
		.seq = seq,
		.seen_s = now_s,
		.said = said,
		.version = hash_text(hash_start, request->version),
		.hash = hash,
		.name_len = request->device.len,
	};
	memcpy(entry->name, request->device.ptr, request->device.len);
	entry->stored_s = compare_stored(db, seq, request->device, &info);
	entry->pending = info;
	insert(shard, entry);
}

void cloud_presence_reported(struct cloud_presence *presence, int64_t seq, struct fota_bytes device,
			     struct fota_bytes version)
{
	uint64_t hash = hash_of_name(seq, device);
	uint64_t version_hash = hash_text(hash_start, version);
	struct shard *shard = shard_of(presence, hash);
	struct entry *entry;

	pthread_mutex_lock(&shard->lock);
	entry = find(shard, hash, seq, device);
	if (entry && entry->version != version_hash) {
		const struct info *old = entry->pending;

		entry->said = 0;
		entry->version = version_hash;
		if (old) { set_pending(shard, entry, make_info(version, old->target, old->attributes)); }
	}
	pthread_mutex_unlock(&shard->lock);
}

bool cloud_presence_is_changed(struct cloud_presence *presence)
{
	bool is_changed = false;

	for (size_t i = 0; i < SHARD_COUNT && !is_changed; i++) {
		pthread_mutex_lock(&presence->shards[i].lock);
		is_changed = presence->shards[i].pending_count != 0;
		pthread_mutex_unlock(&presence->shards[i].lock);
	}
	return is_changed;
}

static bool is_stale(const struct entry *entry, int64_t now_s)
{
	return entry->seen_s > entry->stored_s && now_s - entry->stored_s >= CLOUD_SEEN_GRAIN_S;
}

static bool is_wanted(const struct entry *entry, enum cloud_flush what, int64_t now_s)
{
	if (entry->pending) { return true; }
	if (what == CLOUD_FLUSH_ALL) { return entry->seen_s > entry->stored_s; }
	return what == CLOUD_FLUSH_DUE && is_stale(entry, now_s);
}

static bool is_forgettable(const struct entry *entry, int64_t now_s)
{
	return !entry->pending && entry->seen_s <= entry->stored_s && now_s - entry->seen_s > FORGET_S;
}

/* Puts a note of the entry in front of *notes. Without memory it stays for the next flush. */
static void take_note(struct shard *shard, struct entry *entry, struct note **notes)
{
	struct note *note = malloc(sizeof(*note) + entry->name_len);

	if (!note) { return; }
	*note = (struct note) {
		.next = *notes,
		.seq = entry->seq,
		.seen_s = entry->seen_s,
		.info = entry->pending,
		.name_len = entry->name_len,
	};
	memcpy(note->name, entry->name, entry->name_len);
	shard->pending_count -= entry->pending != NULL;
	entry->pending = NULL;
	entry->stored_s = entry->seen_s;
	*notes = note;
}

static struct note *take_notes(struct shard *shard, enum cloud_flush what, int64_t now_s)
{
	struct note *notes = NULL;

	pthread_mutex_lock(&shard->lock);
	if (what == CLOUD_FLUSH_CHANGED && shard->pending_count == 0) {
		pthread_mutex_unlock(&shard->lock);
		return NULL;
	}
	for (size_t i = 0; i < shard->bucket_count; i++) {
		struct entry **at = &shard->buckets[i];

		while (*at) {
			struct entry *entry = *at;

			if (is_wanted(entry, what, now_s)) { take_note(shard, entry, &notes); }
			if (what == CLOUD_FLUSH_DUE && is_forgettable(entry, now_s)) {
				*at = entry->next;
				shard->entry_count--;
				free_entry(entry);
				continue;
			}
			at = &entry->next;
		}
	}
	pthread_mutex_unlock(&shard->lock);
	return notes;
}

static bool write_note(struct cloud_db *db, const struct note *note)
{
	struct fota_bytes name = { note->name, note->name_len };
	const struct info *info = note->info;

	if (!info) {
		return cloud_db_exec(db, CLOUD_SQL_DEVICE_TOUCH, cloud_int(note->seq), cloud_text_of(name),
				     cloud_int(note->seen_s)) == CLOUD_DB_DONE;
	}
	/* A product that was deleted meanwhile is no failure: there is no device of it to keep. */
	return cloud_db_exec(db, CLOUD_SQL_DEVICE_SEEN, cloud_int(note->seq), cloud_text_of(name),
			     cloud_text_of(info->version), cloud_text_of(info->target), cloud_text_of(info->attributes),
			     cloud_int(note->seen_s)) != CLOUD_DB_ERROR;
}

bool cloud_presence_flush(struct cloud_presence *presence, struct cloud_db *db, enum cloud_flush what, int64_t now_s)
{
	bool is_ok = true;

	for (size_t i = 0; i < SHARD_COUNT; i++) {
		struct note *notes = take_notes(&presence->shards[i], what, now_s);

		while (notes) {
			struct note *note = notes;

			is_ok = is_ok && write_note(db, note);
			notes = note->next;
			free(note->info);
			free(note);
		}
	}
	return is_ok;
}

static bool is_shard_due(struct shard *shard, int64_t now_s)
{
	bool is_due = shard->pending_count != 0;

	for (size_t i = 0; i < shard->bucket_count && !is_due; i++) {
		for (struct entry *entry = shard->buckets[i]; entry && !is_due; entry = entry->next) {
			is_due = is_stale(entry, now_s) || is_forgettable(entry, now_s);
		}
	}
	return is_due;
}

bool cloud_presence_is_due(struct cloud_presence *presence, int64_t now_s)
{
	bool is_due = false;

	for (size_t i = 0; i < SHARD_COUNT && !is_due; i++) {
		pthread_mutex_lock(&presence->shards[i].lock);
		is_due = is_shard_due(&presence->shards[i], now_s);
		pthread_mutex_unlock(&presence->shards[i].lock);
	}
	return is_due;
}

int64_t cloud_presence_seen(struct cloud_presence *presence, int64_t seq, struct fota_bytes device)
{
	uint64_t hash = hash_of_name(seq, device);
	struct shard *shard = shard_of(presence, hash);
	struct entry *entry;
	int64_t seen_s;

	pthread_mutex_lock(&shard->lock);
	entry = find(shard, hash, seq, device);
	seen_s = entry ? entry->seen_s : 0;
	pthread_mutex_unlock(&shard->lock);
	return seen_s;
}
