-- What version 4 of the database wrote: answers of people, an import that the page can take back, and one of the command line.
BEGIN TRANSACTION;
CREATE TABLE answers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    label TEXT NOT NULL,
    source TEXT NOT NULL,
    client TEXT NOT NULL,
    shown_ms INTEGER,
    probability REAL,
    time REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'standing' CHECK (state IN ('standing', 'superseded', 'undone'))
, group_id TEXT, repeat INTEGER NOT NULL DEFAULT 0, audit INTEGER NOT NULL DEFAULT 0, checkpoint INTEGER, copy_of TEXT, reviewed INTEGER NOT NULL DEFAULT 0);
INSERT INTO "answers" VALUES(1,'00000000-0000-4000-8000-000000000001','a.jpg','positive','key','ann',900,0.75,1700000001.0,'standing',NULL,0,0,3,NULL,0);
INSERT INTO "answers" VALUES(2,'00000000-0000-4000-8000-000000000002','b.jpg','negative','grid','ann',NULL,NULL,1700000002.0,'standing','11111111-1111-4111-8111-111111111111',0,0,NULL,NULL,0);
INSERT INTO "answers" VALUES(3,'00000000-0000-4000-8000-000000000003','c.jpg','skipped','grid','ann',NULL,NULL,1700000003.0,'standing','11111111-1111-4111-8111-111111111111',0,0,NULL,NULL,0);
INSERT INTO "answers" VALUES(4,'00000000-0000-4000-8000-000000000004','d.jpg','negative','key','ann',NULL,NULL,1700000004.0,'standing',NULL,0,1,NULL,NULL,0);
INSERT INTO "answers" VALUES(5,'00000000-0000-4000-8000-000000000005','i.jpg','positive','import','import',NULL,NULL,1700000005.0,'standing',NULL,0,0,NULL,NULL,0);
INSERT INTO "answers" VALUES(6,'00000000-0000-4000-8000-000000000006','e.jpg','positive','import','import',NULL,NULL,1700000006.0,'standing','22222222-2222-5222-9222-222222222222',0,0,NULL,NULL,0);
INSERT INTO "answers" VALUES(7,'00000000-0000-4000-8000-000000000007','f.jpg','negative','key','bob',NULL,NULL,1700000007.0,'standing','22222222-2222-5222-9222-222222222222',0,0,NULL,NULL,0);
CREATE TABLE contents (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, changed TEXT NOT NULL, inode TEXT NOT NULL,
    ends BLOB NOT NULL, digest BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE finishes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    client TEXT NOT NULL,
    time REAL NOT NULL,
    threshold REAL NOT NULL,
    checkpoint INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('writing', 'standing', 'undone'))
);
CREATE TABLE model_labels (
    finish INTEGER NOT NULL,
    path TEXT NOT NULL,
    label TEXT NOT NULL,
    probability REAL NOT NULL,
    PRIMARY KEY (finish, path)
) WITHOUT ROWID;
CREATE TABLE moves (seq INTEGER PRIMARY KEY, old TEXT NOT NULL, new TEXT NOT NULL, time REAL NOT NULL);
CREATE TABLE splits (path TEXT PRIMARY KEY, client TEXT NOT NULL, time REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX answers_of_path ON answers (path, seq);
CREATE INDEX answers_of_client ON answers (client, seq) WHERE state <> 'undone';
CREATE INDEX answers_standing ON answers (seq) WHERE state = 'standing';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('answers',7);
COMMIT;
PRAGMA user_version = 4;
