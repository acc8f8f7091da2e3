BEGIN TRANSACTION;
CREATE TABLE healthkit_channels (
	name VARCHAR(64) NOT NULL, 
	failures INTEGER NOT NULL, 
	failing_since DATETIME, 
	retry_at DATETIME, 
	error TEXT, 
	last_sent_at DATETIME, 
	PRIMARY KEY (name)
);
INSERT INTO "healthkit_channels" VALUES('telegram',0,NULL,NULL,NULL,'2026-11-20 10:02:40.000000');
INSERT INTO "healthkit_channels" VALUES('email',1,'2026-11-20 10:02:40.000000','2026-11-20 10:07:40.000000','not reached: connection refused',NULL);
CREATE TABLE healthkit_deliveries (
	id INTEGER NOT NULL, 
	event INTEGER NOT NULL, 
	channel VARCHAR(64) NOT NULL, 
	due DATETIME NOT NULL, 
	digest BOOLEAN NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	attempts INTEGER NOT NULL, 
	batch INTEGER, 
	origin VARCHAR(64), 
	error TEXT, 
	changed_at DATETIME NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(event) REFERENCES healthkit_events (id)
);
INSERT INTO "healthkit_deliveries" VALUES(1,1,'telegram','2026-11-20 10:00:40.000000',0,'sent',1,1,NULL,NULL,'2026-11-20 10:02:40.000000');
INSERT INTO "healthkit_deliveries" VALUES(2,2,'telegram','2026-11-20 10:00:50.000000',0,'dead',1,2,NULL,'refused: HTTP 400: chat not found','2026-11-20 10:02:40.000000');
INSERT INTO "healthkit_deliveries" VALUES(3,2,'email','2026-11-20 10:00:50.000000',0,'waiting',1,3,NULL,'not reached: connection refused','2026-11-20 10:02:40.000000');
INSERT INTO "healthkit_deliveries" VALUES(4,3,'email','2026-11-21 01:00:00.000000',1,'waiting',0,NULL,NULL,NULL,'2026-11-20 10:00:50.000000');
INSERT INTO "healthkit_deliveries" VALUES(5,4,'telegram','2026-11-20 10:01:50.000000',0,'waiting',0,NULL,NULL,NULL,'2026-11-20 10:01:50.000000');
INSERT INTO "healthkit_deliveries" VALUES(6,4,'email','2026-11-20 10:01:50.000000',0,'waiting',0,NULL,NULL,NULL,'2026-11-20 10:01:50.000000');
CREATE TABLE healthkit_events (
	id INTEGER NOT NULL, 
	incident INTEGER, 
	rank INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "healthkit_events" VALUES(1,NULL,1,'2026-11-20 10:00:40.000000','{"kind":"flapping","check":{"name":"queue","label":"Queue","severity":"high","role":"required","interval":"PT10S","timeout":"PT0.2S","fail_after":3,"recover_after":2,"depends_on":[],"tags":[],"runbook":null,"target":null},"at":"2026-11-20T10:00:40Z","outcome":{"status":"unhealthy","message":"connection refused","details":{"port":5432,"at":"2026-11-20T10:00:00Z"}},"since":null,"until":null,"incident":null,"hides":[],"count":4}');
INSERT INTO "healthkit_events" VALUES(2,1,0,'2026-11-20 10:00:50.000000','{"kind":"down","check":{"name":"database","label":"Database","severity":"critical","role":"required","interval":"PT10S","timeout":"PT0.2S","fail_after":2,"recover_after":2,"depends_on":[],"tags":["core"],"runbook":null,"target":"db.example:5432"},"at":"2026-11-20T10:00:50Z","outcome":{"status":"unhealthy","message":"connection refused","details":{"port":5432,"at":"2026-11-20T10:00:00Z"}},"since":"2026-11-20T10:00:40Z","until":"2026-11-20T10:00:50Z","incident":1,"hides":["Frontend"],"count":0}');
INSERT INTO "healthkit_events" VALUES(3,2,2,'2026-11-20 10:00:50.000000','{"kind":"degraded","check":{"name":"disk","label":"Disk","severity":"medium","role":"advisory","interval":"PT10S","timeout":"PT0.2S","fail_after":2,"recover_after":2,"depends_on":[],"tags":[],"runbook":null,"target":null},"at":"2026-11-20T10:00:50Z","outcome":{"status":"degraded","message":"86 % used","details":{"used":86.0}},"since":"2026-11-20T10:00:40Z","until":"2026-11-20T10:00:50Z","incident":2,"hides":[],"count":0}');
INSERT INTO "healthkit_events" VALUES(4,1,0,'2026-11-20 10:01:50.000000','{"kind":"reminder","check":{"name":"database","label":"Database","severity":"critical","role":"required","interval":"PT10S","timeout":"PT0.2S","fail_after":2,"recover_after":2,"depends_on":[],"tags":["core"],"runbook":null,"target":"db.example:5432"},"at":"2026-11-20T10:01:50Z","outcome":{"status":"unhealthy","message":"connection refused","details":{"port":5432,"at":"2026-11-20T10:00:00Z"}},"since":"2026-11-20T10:00:40Z","until":"2026-11-20T10:01:50Z","incident":1,"hides":["Frontend"],"count":1}');
CREATE TABLE healthkit_heartbeats (
	name VARCHAR(64) NOT NULL, 
	waiting_since DATETIME NOT NULL, 
	last_at DATETIME, 
	PRIMARY KEY (name)
);
INSERT INTO "healthkit_heartbeats" VALUES('nightly','2026-11-20 10:00:00.000000','2026-11-20 10:00:00.000000');
INSERT INTO "healthkit_heartbeats" VALUES('weekly','2026-11-20 10:00:00.000000',NULL);
CREATE TABLE healthkit_history (
	id INTEGER NOT NULL, 
	check_name VARCHAR(64) NOT NULL, 
	at DATETIME NOT NULL, 
	hour INTEGER NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	seconds FLOAT, 
	PRIMARY KEY (id)
);
INSERT INTO "healthkit_history" VALUES(1,'database','2026-11-20 10:00:00.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(2,'disk','2026-11-20 10:00:00.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(3,'queue','2026-11-20 10:00:00.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(4,'frontend','2026-11-20 10:00:00.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(5,'database','2026-11-20 10:00:10.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(6,'disk','2026-11-20 10:00:10.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(7,'queue','2026-11-20 10:00:10.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(8,'frontend','2026-11-20 10:00:10.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(9,'database','2026-11-20 10:00:20.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(10,'disk','2026-11-20 10:00:20.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(11,'queue','2026-11-20 10:00:20.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(12,'frontend','2026-11-20 10:00:20.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(13,'database','2026-11-20 10:00:30.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(14,'disk','2026-11-20 10:00:30.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(15,'queue','2026-11-20 10:00:30.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(16,'frontend','2026-11-20 10:00:30.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(17,'database','2026-11-20 10:00:40.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(18,'disk','2026-11-20 10:00:40.000000',498658,'degraded',0.012);
INSERT INTO "healthkit_history" VALUES(19,'queue','2026-11-20 10:00:40.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(20,'frontend','2026-11-20 10:00:40.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(21,'database','2026-11-20 10:00:50.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(22,'disk','2026-11-20 10:00:50.000000',498658,'degraded',0.012);
INSERT INTO "healthkit_history" VALUES(23,'queue','2026-11-20 10:00:50.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(24,'frontend','2026-11-20 10:00:50.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(25,'database','2026-11-20 10:01:00.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(26,'disk','2026-11-20 10:01:00.000000',498658,'degraded',0.012);
INSERT INTO "healthkit_history" VALUES(27,'queue','2026-11-20 10:01:00.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(28,'frontend','2026-11-20 10:01:00.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(29,'database','2026-11-20 10:01:10.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(30,'disk','2026-11-20 10:01:10.000000',498658,'degraded',0.012);
INSERT INTO "healthkit_history" VALUES(31,'queue','2026-11-20 10:01:10.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(32,'frontend','2026-11-20 10:01:10.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(33,'database','2026-11-20 10:01:20.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(34,'disk','2026-11-20 10:01:20.000000',498658,'degraded',0.012);
INSERT INTO "healthkit_history" VALUES(35,'queue','2026-11-20 10:01:20.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(36,'frontend','2026-11-20 10:01:20.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(37,'database','2026-11-20 10:01:30.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(38,'disk','2026-11-20 10:01:30.000000',498658,'degraded',0.012);
INSERT INTO "healthkit_history" VALUES(39,'queue','2026-11-20 10:01:30.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(40,'frontend','2026-11-20 10:01:30.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(41,'database','2026-11-20 10:01:40.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(42,'disk','2026-11-20 10:01:40.000000',498658,'degraded',0.012);
INSERT INTO "healthkit_history" VALUES(43,'queue','2026-11-20 10:01:40.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(44,'frontend','2026-11-20 10:01:40.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(45,'database','2026-11-20 10:01:50.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(46,'disk','2026-11-20 10:01:50.000000',498658,'degraded',0.012);
INSERT INTO "healthkit_history" VALUES(47,'queue','2026-11-20 10:01:50.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(48,'frontend','2026-11-20 10:01:50.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(49,'database','2026-11-20 10:02:00.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(50,'disk','2026-11-20 10:02:00.000000',498658,'degraded',0.012);
INSERT INTO "healthkit_history" VALUES(51,'queue','2026-11-20 10:02:00.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(52,'frontend','2026-11-20 10:02:00.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(53,'database','2026-11-20 10:02:10.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(54,'disk','2026-11-20 10:02:10.000000',498658,'degraded',0.012);
INSERT INTO "healthkit_history" VALUES(55,'queue','2026-11-20 10:02:10.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(56,'frontend','2026-11-20 10:02:10.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(57,'database','2026-11-20 10:02:20.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(58,'disk','2026-11-20 10:02:20.000000',498658,'degraded',0.012);
INSERT INTO "healthkit_history" VALUES(59,'queue','2026-11-20 10:02:20.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(60,'frontend','2026-11-20 10:02:20.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(61,'database','2026-11-20 10:02:30.000000',498658,'unhealthy',0.012);
INSERT INTO "healthkit_history" VALUES(62,'disk','2026-11-20 10:02:30.000000',498658,'degraded',0.012);
INSERT INTO "healthkit_history" VALUES(63,'queue','2026-11-20 10:02:30.000000',498658,'healthy',0.012);
INSERT INTO "healthkit_history" VALUES(64,'frontend','2026-11-20 10:02:30.000000',498658,'unhealthy',0.012);
CREATE TABLE healthkit_history_daily (
	check_name VARCHAR(64) NOT NULL, 
	day INTEGER NOT NULL, 
	total INTEGER NOT NULL, 
	healthy INTEGER NOT NULL, 
	degraded INTEGER NOT NULL, 
	unhealthy INTEGER NOT NULL, 
	seconds FLOAT NOT NULL, 
	slowest FLOAT NOT NULL, 
	PRIMARY KEY (check_name, day)
);
CREATE TABLE healthkit_history_hourly (
	check_name VARCHAR(64) NOT NULL, 
	hour INTEGER NOT NULL, 
	total INTEGER NOT NULL, 
	healthy INTEGER NOT NULL, 
	degraded INTEGER NOT NULL, 
	unhealthy INTEGER NOT NULL, 
	seconds FLOAT NOT NULL, 
	slowest FLOAT NOT NULL, 
	PRIMARY KEY (check_name, hour)
);
INSERT INTO "healthkit_history_hourly" VALUES('database',498658,16,4,0,12,1.92000000000000031752e-01,0.012);
INSERT INTO "healthkit_history_hourly" VALUES('disk',498658,16,4,12,0,1.92000000000000031752e-01,0.012);
INSERT INTO "healthkit_history_hourly" VALUES('frontend',498658,16,4,0,12,1.92000000000000031752e-01,0.012);
INSERT INTO "healthkit_history_hourly" VALUES('queue',498658,16,8,0,8,1.92000000000000031752e-01,0.012);
CREATE TABLE healthkit_incidents (
	id INTEGER NOT NULL, 
	check_name VARCHAR(64) NOT NULL, 
	label TEXT NOT NULL, 
	severity VARCHAR(16) NOT NULL, 
	level INTEGER NOT NULL, 
	error TEXT, 
	began_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	acknowledged_at DATETIME, 
	acknowledged_by TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "healthkit_incidents" VALUES(1,'database','Database','critical',2,'connection refused','2026-11-20 10:00:40.000000',NULL,NULL,NULL);
INSERT INTO "healthkit_incidents" VALUES(2,'disk','Disk','medium',1,'86 % used','2026-11-20 10:00:40.000000',NULL,'2026-11-20 10:02:40.000000','budi');
INSERT INTO "healthkit_incidents" VALUES(3,'frontend','Frontend','high',2,'connection refused','2026-11-20 10:00:40.000000',NULL,NULL,NULL);
CREATE TABLE healthkit_lease (
	name VARCHAR(64) NOT NULL, 
	epoch INTEGER NOT NULL, 
	holder VARCHAR(200) NOT NULL, 
	since DATETIME, 
	until DATETIME, 
	PRIMARY KEY (name)
);
INSERT INTO "healthkit_lease" VALUES('watch',1,'','2026-11-20 10:00:00.000000',NULL);
CREATE TABLE healthkit_schema (
	version INTEGER NOT NULL
);
INSERT INTO "healthkit_schema" VALUES(2);
CREATE TABLE healthkit_silences (
	id INTEGER NOT NULL, 
	until DATETIME NOT NULL, 
	reason TEXT NOT NULL, 
	checks TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "healthkit_silences" VALUES(1,'2026-12-20 10:00:00.000000','new disk is ordered','["disk"]','["core"]','ana','2026-11-20 10:02:40.000000');
CREATE TABLE healthkit_states (
	check_name VARCHAR(64) NOT NULL, 
	state TEXT NOT NULL, 
	incident INTEGER, 
	epoch INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (check_name)
);
INSERT INTO "healthkit_states" VALUES('database','{"level":2,"told":2,"degraded":{"reached":true,"count":12,"since":"2026-11-20T10:00:40Z"},"down":{"reached":true,"count":12,"since":"2026-11-20T10:00:40Z"},"since":"2026-11-20T10:00:40Z","down_since":"2026-11-20T10:00:40Z","until":null,"down_until":null,"recent":"11111111","flapping":false,"told_flapping":false,"hold":0,"acknowledged":false,"reminders":1,"remind_at":"2026-11-20T10:03:50Z","escalate_at":"2026-11-20T11:00:50Z"}',1,1,61,'2026-11-20 10:02:30.000000');
INSERT INTO "healthkit_states" VALUES('disk','{"level":1,"told":1,"degraded":{"reached":true,"count":12,"since":"2026-11-20T10:00:40Z"},"down":{"reached":false,"count":16,"since":"2026-11-20T10:00:00Z"},"since":"2026-11-20T10:00:40Z","down_since":null,"until":null,"down_until":null,"recent":"11111111","flapping":false,"told_flapping":false,"hold":0,"acknowledged":false,"reminders":0,"remind_at":null,"escalate_at":null}',2,1,63,'2026-11-20 10:02:30.000000');
INSERT INTO "healthkit_states" VALUES('queue','{"level":0,"told":0,"degraded":{"reached":false,"count":1,"since":"2026-11-20T10:02:30Z"},"down":{"reached":false,"count":1,"since":"2026-11-20T10:02:30Z"},"since":null,"down_since":null,"until":null,"down_until":null,"recent":"10101010","flapping":true,"told_flapping":true,"hold":0,"acknowledged":false,"reminders":0,"remind_at":null,"escalate_at":null}',NULL,1,64,'2026-11-20 10:02:30.000000');
INSERT INTO "healthkit_states" VALUES('frontend','{"level":2,"told":0,"degraded":{"reached":true,"count":12,"since":"2026-11-20T10:00:40Z"},"down":{"reached":true,"count":12,"since":"2026-11-20T10:00:40Z"},"since":"2026-11-20T10:00:40Z","down_since":"2026-11-20T10:00:40Z","until":null,"down_until":null,"recent":"11111111","flapping":false,"told_flapping":false,"hold":2,"acknowledged":false,"reminders":0,"remind_at":null,"escalate_at":null}',3,1,62,'2026-11-20 10:02:30.000000');
CREATE INDEX healthkit_incidents_open ON healthkit_incidents (ended_at);
CREATE INDEX healthkit_events_incident ON healthkit_events (incident);
CREATE INDEX healthkit_history_hour ON healthkit_history (hour, check_name);
CREATE INDEX healthkit_deliveries_due ON healthkit_deliveries (state, channel, due);
CREATE INDEX healthkit_deliveries_event ON healthkit_deliveries (event);
COMMIT;
