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
);
INSERT INTO answers VALUES(1,'00000000-0000-4000-8000-000000000000','a.jpg','positive','key','me',500,NULL,1790000000.0,'standing');
INSERT INTO answers VALUES(2,'00000000-0000-4000-8000-000000000001','b c.jpg','negative','timeout','me',501,0.25,1790000001.0,'superseded');
INSERT INTO answers VALUES(3,'00000000-0000-4000-8000-000000000002','späte Übung''.png','skipped','button','you',502,0.25,1790000002.0,'standing');
INSERT INTO answers VALUES(4,'00000000-0000-4000-8000-000000000003','b c.jpg','positive','key','me',503,0.25,1790000003.0,'standing');
INSERT INTO answers VALUES(5,'00000000-0000-4000-8000-000000000004','d.jpg','negative','api','you',504,0.25,1790000004.0,'undone');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('answers',5);
CREATE INDEX answers_of_path ON answers (path, seq);
CREATE INDEX answers_of_client ON answers (client, seq) WHERE state <> 'undone';
CREATE INDEX answers_standing ON answers (seq) WHERE state = 'standing';
COMMIT;
PRAGMA user_version = 1;
