/* SPDX-License-Identifier: Apache-2.0 */
/* Every SQL statement of the platform, by name, in what SQLite and PostgreSQL have in common
 * (placeholders and BEGIN are spelled by the driver). Parameters are ?1, ?2, … in the order of the call. A filter that
 * is NULL matches everything. Lists go on after an id (keyset), so that a page costs the same wherever it is. */
#ifndef CLOUD_STORE_SQL_H
#define CLOUD_STORE_SQL_H

/* clang-format off */
#define CLOUD_SQL_LIST(X)                                                                                      \
	X(BEGIN, "BEGIN IMMEDIATE")                                                                            \
	X(COMMIT, "COMMIT")                                                                                    \
	X(ROLLBACK, "ROLLBACK")                                                                                \
	X(SAVEPOINT, "SAVEPOINT one_job")                                                                      \
	X(RELEASE, "RELEASE one_job")                                                                          \
	X(ROLLBACK_TO, "ROLLBACK TO one_job")                                                                  \
	/* settings and tokens */                                                                              \
	X(SETTING_GET, "SELECT value FROM setting WHERE name = ?1")                                            \
	X(SETTING_PUT, "INSERT INTO setting (name, value) VALUES (?1, ?2)")                                    \
	X(TOKEN_ADD, "INSERT INTO token (name, hash, created) VALUES (?1, ?2, ?3)")                            \
	X(TOKEN_DELETE, "DELETE FROM token WHERE id = ?1")                                                     \
	X(TOKEN_COUNT, "SELECT count(*) FROM token")                                                           \
	X(TOKEN_LIST, "SELECT id, name, created FROM token WHERE id > ?1 ORDER BY id LIMIT ?2")                \
	X(TOKEN_HASHES, "SELECT hash FROM token")                                                              \
	/* OEMs and models */                                                                                  \
	X(OEM_ADD, "INSERT INTO oem (name, created) VALUES (?1, ?2)")                                          \
	X(OEM_GET, "SELECT id, name, created FROM oem WHERE id = ?1")                                          \
	X(OEM_FIND, "SELECT id FROM oem WHERE name = ?1")                                                      \
	X(OEM_LIST, "SELECT id, name, created FROM oem"                                                        \
		" WHERE id > ?1 AND (?3 IS NULL OR name = ?3) ORDER BY id LIMIT ?2")                           \
	X(OEM_DELETE, "DELETE FROM oem WHERE id = ?1")                                                         \
	X(MODEL_ADD, "INSERT INTO model (oem, name, created) VALUES (?1, ?2, ?3)")                             \
	X(MODEL_GET, "SELECT m.id, o.name, m.name, m.created FROM model m JOIN oem o ON o.id = m.oem"          \
		" WHERE m.id = ?1")                                                                            \
	X(MODEL_FIND, "SELECT m.id FROM model m JOIN oem o ON o.id = m.oem WHERE o.name = ?1 AND m.name = ?2") \
	X(MODEL_LIST, "SELECT m.id, o.name, m.name, m.created FROM model m JOIN oem o ON o.id = m.oem"         \
		" WHERE m.id > ?1 AND (?3 IS NULL OR o.name = ?3) AND (?4 IS NULL OR m.name = ?4)"             \
		" ORDER BY m.id LIMIT ?2")                                                                     \
	X(MODEL_DELETE, "DELETE FROM model WHERE id = ?1")                                                     \
	/* products */                                                                                         \
	X(PRODUCT_ADD, "INSERT INTO product (id, model, name, secret, created) VALUES (?1, ?2, ?3, ?4, ?5)")   \
	X(PRODUCT_GET, "SELECT p.seq, p.id, o.name, m.name, p.name, p.created FROM product p"                  \
		" JOIN model m ON m.id = p.model JOIN oem o ON o.id = m.oem WHERE p.id = ?1")                  \
	X(PRODUCT_LIST, "SELECT p.seq, p.id, o.name, m.name, p.name, p.created FROM product p"                 \
		" JOIN model m ON m.id = p.model JOIN oem o ON o.id = m.oem"                                   \
		" WHERE p.seq > ?1 AND (?3 IS NULL OR o.name = ?3) AND (?4 IS NULL OR m.name = ?4)"            \
		" ORDER BY p.seq LIMIT ?2")                                                                    \
	X(PRODUCT_FIND, "SELECT seq FROM product WHERE id = ?1")                                               \
	X(PRODUCT_SECRET, "SELECT secret FROM product WHERE id = ?1")                                          \
	X(PRODUCT_DELETE, "DELETE FROM product WHERE id = ?1")                                                 \
	/* keys of products */                                                                                 \
	X(KEY_ADD, "INSERT INTO product_key (product, kid, point, pem, name, created)"                         \
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                                                            \
	X(KEY_LIST, "SELECT id, kid, name, pem, created FROM product_key"                                      \
		" WHERE product = ?3 AND id > ?1 ORDER BY id LIMIT ?2")                                        \
	X(KEY_FIND, "SELECT id FROM product_key WHERE product = ?1 AND kid = ?2")                              \
	X(KEY_OF_PRODUCT, "SELECT id, kid, point FROM product_key WHERE product = ?1 ORDER BY id")             \
	X(KEY_ALONE, "SELECT v.name FROM version v JOIN signature s ON s.version = v.id"                       \
		" WHERE s.product_key = ?1 AND v.state = 1 AND NOT EXISTS (SELECT 1 FROM signature o"          \
		" WHERE o.version = v.id AND o.product_key <> ?1) ORDER BY v.id LIMIT 1")                      \
	X(KEY_DELETE, "DELETE FROM product_key WHERE id = ?1")                                                 \
	X(MANIFEST_OF_PRODUCT, "SELECT id, manifest FROM version"                                              \
		" WHERE product = ?1 AND sequence IS NOT NULL ORDER BY id")                                    \
	X(SIGNATURE_ADD, "INSERT INTO signature (version, product_key) VALUES (?1, ?2)")                       \
	X(SIGNATURE_CLEAR, "DELETE FROM signature WHERE version = ?1")                                         \
	X(SIGNATURE_LIST, "SELECT k.kid FROM signature s JOIN product_key k ON k.id = s.product_key"           \
		" WHERE s.version = ?1 ORDER BY k.id")                                                         \
	/* versions */                                                                                         \
	X(VERSION_ADD, "INSERT INTO version (product, name, notes, state, created) VALUES (?1, ?2, ?3, 0, ?4)") \
	X(VERSION_FROM_ADD, "INSERT INTO version_from (version, position, name) VALUES (?1, ?2, ?3)")          \
	X(VERSION_FROM_LIST, "SELECT name FROM version_from WHERE version = ?1 ORDER BY position")             \
	X(VERSION_GET, "SELECT v.id, p.id, v.name, v.notes, v.state, v.digest, v.size, v.created, v.published," \
		" v.withdrawn, v.product, v.sequence, v.image_size, v.image_digest FROM version v"             \
		" JOIN product p ON p.seq = v.product WHERE v.id = ?1")                                        \
	X(VERSION_LIST, "SELECT v.id, p.id, v.name, v.notes, v.state, v.digest, v.size, v.created, v.published," \
		" v.withdrawn, v.product, v.sequence, v.image_size, v.image_digest FROM version v"             \
		" JOIN product p ON p.seq = v.product"                                                         \
		" WHERE v.id > ?1 AND (?3 IS NULL OR p.id = ?3) AND (?4 IS NULL OR v.name = ?4)"               \
		" AND (?5 IS NULL OR v.state = ?5) ORDER BY v.id LIMIT ?2")                                    \
	X(VERSION_STATE, "UPDATE version SET state = ?2, published = coalesce(?3, published), withdrawn = ?4"  \
		" WHERE id = ?1")                                                                              \
	X(VERSION_PACKAGE, "UPDATE version SET digest = ?2, size = ?3 WHERE id = ?1 AND state = 0")            \
	X(VERSION_RELEASE, "SELECT v.product, o.name, m.name, v.name, v.state, v.digest, v.size, v.manifest,"  \
		" v.sequence, (SELECT max(x.sequence) FROM version x WHERE x.product = v.product"              \
		" AND x.id <> v.id) FROM version v JOIN product p ON p.seq = v.product"                        \
		" JOIN model m ON m.id = p.model JOIN oem o ON o.id = m.oem WHERE v.id = ?1")                  \
	X(VERSION_MANIFEST, "UPDATE version SET manifest = ?2, sequence = ?3, image_digest = ?4,"              \
		" image_size = ?5, digest = CASE WHEN digest = ?4 AND size = ?5 THEN digest END,"              \
		" size = CASE WHEN digest = ?4 AND size = ?5 THEN size END WHERE id = ?1")                     \
	X(VERSION_DELETE, "DELETE FROM version WHERE id = ?1 AND state = 0")                                   \
	X(BLOB_IS_USED, "SELECT 1 FROM version WHERE digest = ?1 UNION ALL"                                    \
		" SELECT 1 FROM upload WHERE digest = ?1 LIMIT 1")                                             \
	/* uploads */                                                                                          \
	X(UPLOAD_ADD, "INSERT INTO upload (id, version, size, digest, created) VALUES (?1, ?2, ?3, ?4, ?5)")   \
	X(UPLOAD_GET, "SELECT id, version, size, digest FROM upload WHERE id = ?1")                            \
	X(UPLOAD_FIND, "SELECT id, version, size, digest FROM upload"                                          \
		" WHERE version = ?1 AND size = ?2 AND digest = ?3")                                           \
	X(UPLOAD_DELETE, "DELETE FROM upload WHERE id = ?1")                                                   \
	/* deployments */                                                                                      \
	X(DEPLOYMENT_ADD, "INSERT INTO deployment (product, version, state, created) VALUES (?1, ?2, 1, ?3)")  \
	X(DEPLOYMENT_CLOSE_ALL, "UPDATE deployment SET state = 0, closed = ?2 WHERE version = ?1 AND state = 1") \
	X(DEPLOYMENT_STATE, "UPDATE deployment SET state = ?2, closed = ?3 WHERE id = ?1")                     \
	X(DEPLOYMENT_GET, "SELECT d.id, p.id, v.id, v.name, d.state, d.created, d.closed, v.state FROM deployment d" \
		" JOIN product p ON p.seq = d.product JOIN version v ON v.id = d.version WHERE d.id = ?1")     \
	X(DEPLOYMENT_LIST, "SELECT d.id, p.id, v.id, v.name, d.state, d.created, d.closed, v.state"            \
		" FROM deployment d JOIN product p ON p.seq = d.product JOIN version v ON v.id = d.version"    \
		" WHERE d.id > ?1 AND (?3 IS NULL OR p.id = ?3) AND (?4 IS NULL OR v.id = ?4)"                 \
		" AND (?5 IS NULL OR d.state = ?5) ORDER BY d.id LIMIT ?2")                                    \
	X(DEPLOYMENT_OPEN_OF, "SELECT id FROM deployment WHERE version = ?1 AND state = 1")                    \
	X(DEPLOYMENT_COUNTS, "SELECT state, devices FROM progress_count WHERE deployment = ?1 AND devices > 0" \
		" ORDER BY state")                                                                             \
	/* devices */                                                                                          \
	X(DEVICE_FIND, "SELECT id, version, target, attributes, last_seen FROM device"                         \
		" WHERE product = ?1 AND name = ?2")                                                           \
	X(DEVICE_SEEN, "INSERT INTO device (product, name, version, target, attributes, first_seen, last_seen)" \
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (product, name) DO UPDATE SET"               \
		" version = excluded.version, target = excluded.target, attributes = excluded.attributes,"     \
		" last_seen = CASE WHEN device.last_seen < excluded.last_seen THEN excluded.last_seen"          \
		" ELSE device.last_seen END")                                             \
	X(DEVICE_TOUCH, "UPDATE device SET last_seen = ?3 WHERE product = ?1 AND name = ?2 AND last_seen < ?3")   \
	X(DEVICE_REPORTED, "INSERT INTO device (product, name, version, target, attributes, first_seen, last_seen)" \
		" VALUES (?1, ?2, ?3, '', '{}', ?4, ?4) ON CONFLICT (product, name) DO UPDATE SET"             \
		" last_seen = CASE WHEN device.last_seen < excluded.last_seen"                                 \
		" THEN excluded.last_seen ELSE device.last_seen END")                                          \
	X(DEVICE_VERSION, "UPDATE device SET version = ?2 WHERE id = ?1 AND version <> ?2")                    \
	X(DEVICE_GET, "SELECT d.id, d.name, p.id, d.version, d.target, d.last_seen, d.first_seen, d.attributes," \
		" d.product FROM device d JOIN product p ON p.seq = d.product WHERE d.id = ?1")                \
	X(DEVICE_LIST, "SELECT d.id, d.name, p.id, d.version, d.target, d.last_seen, d.first_seen, d.attributes," \
		" d.product FROM device d JOIN product p ON p.seq = d.product"                                 \
		" WHERE d.id > ?1 AND (?3 IS NULL OR p.id = ?3) AND (?4 IS NULL OR d.version = ?4)"            \
		" ORDER BY d.id LIMIT ?2")                                                                     \
	X(DEVICE_LIST_NAMED, "SELECT d.id, d.name, p.id, d.version, d.target, d.last_seen, d.first_seen,"      \
		" d.attributes, d.product FROM device d JOIN product p ON p.seq = d.product"                   \
		" WHERE d.name = ?5 AND d.id > ?1 AND (?3 IS NULL OR p.id = ?3)"                               \
		" AND (?4 IS NULL OR d.version = ?4) ORDER BY d.id LIMIT ?2")                                  \
	X(DEVICE_DELETE_OF, "DELETE FROM device WHERE product = (SELECT seq FROM product WHERE id = ?1)")      \
	/* reports */                                                                                          \
	X(REPORT_ADD, "INSERT INTO report (deployment, device, report_id, state, code, received, version, time)" \
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"                                                     \
		" ON CONFLICT (device, report_id) DO NOTHING")                                                 \
	X(REPORT_LIST, "SELECT r.id, d.name, r.state, r.code, r.received, r.version, r.time, r.report_id"      \
		" FROM report r JOIN device d ON d.id = r.device"                                              \
		" WHERE r.deployment = ?3 AND r.id > ?1 AND (?4 IS NULL OR d.name = ?4)"                       \
		" ORDER BY r.id LIMIT ?2")                                                                     \
	X(PROGRESS_GET, "SELECT state FROM progress WHERE deployment = ?1 AND device = ?2")                    \
	X(PROGRESS_COUNT, "INSERT INTO progress_count (deployment, state, devices) VALUES (?1, ?2, ?3)"        \
		" ON CONFLICT (deployment, state) DO UPDATE"                                                   \
		" SET devices = progress_count.devices + excluded.devices")                                    \
	X(PROGRESS_PUT, "INSERT INTO progress (deployment, device, state, report) VALUES (?1, ?2, ?3, ?4)"     \
		" ON CONFLICT (deployment, device) DO UPDATE SET state = excluded.state, report = excluded.report") \
	/* the catalog */                                                                                      \
	X(CATALOG_PRODUCTS, "SELECT p.seq, p.id, p.secret, o.name, m.name FROM product p"                      \
		" JOIN model m ON m.id = p.model JOIN oem o ON o.id = m.oem ORDER BY p.seq")                   \
	X(CATALOG_VERSIONS, "SELECT v.id, v.product, v.name, v.state, v.digest, v.size,"                       \
		" (SELECT max(d.id) FROM deployment d WHERE d.version = v.id AND d.state = 1),"                \
		" CASE WHEN v.state = 1 THEN v.manifest END"                                                   \
		" FROM version v ORDER BY v.product, v.name")                                                  \
	X(CATALOG_FROM, "SELECT f.version, f.name FROM version_from f ORDER BY f.version, f.position")

enum cloud_sql {
#define CLOUD_SQL_ENUM(name, text) CLOUD_SQL_##name,
	CLOUD_SQL_LIST(CLOUD_SQL_ENUM)
#undef CLOUD_SQL_ENUM
	CLOUD_SQL_COUNT
};
/* clang-format on */

#endif
