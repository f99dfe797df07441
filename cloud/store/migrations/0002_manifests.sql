-- SPDX-License-Identifier: Apache-2.0
-- Signed manifests. Versions that are older than this have none, and are not offered until they get one.

-- The public keys that may sign for a product. `kid` is 16 hex digits, `point` is x || y on P-256.
CREATE TABLE product_key (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	product INTEGER NOT NULL REFERENCES product (seq) ON DELETE CASCADE,
	kid TEXT NOT NULL,
	point BLOB NOT NULL,
	pem TEXT NOT NULL,
	name TEXT NOT NULL,
	created INTEGER NOT NULL,
	UNIQUE (product, kid)
);

-- The envelope as it came, and what of it is looked at: its sequence number, and size and digest of the
-- image that it describes.
ALTER TABLE version ADD COLUMN manifest BLOB;
ALTER TABLE version ADD COLUMN sequence INTEGER;
ALTER TABLE version ADD COLUMN image_digest TEXT;
ALTER TABLE version ADD COLUMN image_size INTEGER;
CREATE UNIQUE INDEX version_sequence ON version (product, sequence);

-- Which keys of its product have signed a version's manifest: all of them, at any time.
CREATE TABLE signature (
	version INTEGER NOT NULL REFERENCES version (id) ON DELETE CASCADE,
	product_key INTEGER NOT NULL REFERENCES product_key (id) ON DELETE CASCADE,
	PRIMARY KEY (version, product_key)
);
CREATE INDEX signature_key ON signature (product_key);
