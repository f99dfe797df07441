-- SPDX-License-Identifier: Apache-2.0
-- The first schema. Times are UNIX seconds in UTC; states are numbers, named in
-- cloud/domain/catalog.h. Ids are never used twice.

CREATE TABLE setting (
	name TEXT PRIMARY KEY,
	value BLOB NOT NULL
);

-- Access tokens of the admin API: the SHA-256 only.
CREATE TABLE token (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL,
	hash BLOB NOT NULL UNIQUE,
	created INTEGER NOT NULL
);

CREATE TABLE oem (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	created INTEGER NOT NULL
);

CREATE TABLE model (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	oem INTEGER NOT NULL REFERENCES oem (id),
	name TEXT NOT NULL,
	created INTEGER NOT NULL,
	UNIQUE (oem, name)
);

-- `id` is the product ID of AT+CSCFOTA; `seq` is ours. The secret is an HMAC key, so it
-- has to be here in the clear: the data directory is for the platform's user only.
CREATE TABLE product (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL UNIQUE,
	model INTEGER NOT NULL REFERENCES model (id),
	name TEXT NOT NULL,
	secret TEXT NOT NULL,
	created INTEGER NOT NULL
);
CREATE INDEX product_model ON product (model);

-- state: 0 draft, 1 published, 2 withdrawn
CREATE TABLE version (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	product INTEGER NOT NULL REFERENCES product (seq),
	name TEXT NOT NULL,
	notes TEXT NOT NULL,
	state INTEGER NOT NULL,
	digest TEXT,
	size INTEGER,
	created INTEGER NOT NULL,
	published INTEGER,
	withdrawn INTEGER,
	UNIQUE (product, name)
);
CREATE INDEX version_digest ON version (digest);

-- The versions that may take a version; no row: all may.
CREATE TABLE version_from (
	version INTEGER NOT NULL REFERENCES version (id) ON DELETE CASCADE,
	position INTEGER NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY (version, position)
);

CREATE TABLE upload (
	id TEXT PRIMARY KEY,
	version INTEGER NOT NULL REFERENCES version (id) ON DELETE CASCADE,
	size INTEGER NOT NULL,
	digest TEXT NOT NULL,
	created INTEGER NOT NULL,
	UNIQUE (version, size, digest)
);
CREATE INDEX upload_digest ON upload (digest);

-- state: 0 closed, 1 open
CREATE TABLE deployment (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	product INTEGER NOT NULL REFERENCES product (seq),
	version INTEGER NOT NULL REFERENCES version (id),
	state INTEGER NOT NULL,
	created INTEGER NOT NULL,
	closed INTEGER
);
CREATE INDEX deployment_version ON deployment (version);

CREATE TABLE device (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	product INTEGER NOT NULL REFERENCES product (seq),
	name TEXT NOT NULL,
	version TEXT NOT NULL,
	target TEXT NOT NULL,
	attributes TEXT NOT NULL, -- a JSON object of texts
	first_seen INTEGER NOT NULL,
	last_seen INTEGER NOT NULL,
	UNIQUE (product, name)
);
CREATE INDEX device_name ON device (name);

-- All reports, as they came; state as in the device API.
CREATE TABLE report (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	deployment INTEGER NOT NULL REFERENCES deployment (id),
	device INTEGER NOT NULL REFERENCES device (id),
	report_id BLOB NOT NULL,
	state INTEGER NOT NULL,
	code INTEGER NOT NULL,
	received INTEGER,
	version TEXT NOT NULL,
	time INTEGER NOT NULL, -- when it arrived
	UNIQUE (device, report_id)
);
CREATE INDEX report_deployment ON report (deployment, id);

-- Where each device stands in each deployment: its latest report that counts.
CREATE TABLE progress (
	deployment INTEGER NOT NULL REFERENCES deployment (id),
	device INTEGER NOT NULL REFERENCES device (id),
	state INTEGER NOT NULL,
	report INTEGER NOT NULL REFERENCES report (id),
	PRIMARY KEY (deployment, device)
);

-- How many devices are in which state of a deployment: the sums of progress, kept with it, so
-- that a list of deployments does not read every device.
CREATE TABLE progress_count (
	deployment INTEGER NOT NULL REFERENCES deployment (id),
	state INTEGER NOT NULL,
	devices INTEGER NOT NULL,
	PRIMARY KEY (deployment, state)
);
