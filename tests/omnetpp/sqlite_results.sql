-- The tables of OMNeT++'s sqliteresultfileschema.cc that hold scalars, with one run in them.
PRAGMA page_size = 4096;
CREATE TABLE run (runId INTEGER PRIMARY KEY, runName TEXT, simtimeExp INTEGER);
CREATE TABLE runAttr (runId INTEGER, attrName TEXT, attrValue TEXT);
CREATE TABLE runItervar (runId INTEGER, itervarName TEXT, itervarValue TEXT);
CREATE TABLE runConfig (runId INTEGER, configKey TEXT, configValue TEXT, configOrder INTEGER);
CREATE TABLE scalar
    (scalarId INTEGER PRIMARY KEY, runId INTEGER, moduleName TEXT, scalarName TEXT, scalarValue REAL);
CREATE TABLE scalarAttr (scalarId INTEGER, attrName TEXT, attrValue TEXT);
CREATE TABLE statistic
    (statId INTEGER PRIMARY KEY, runId INTEGER, moduleName TEXT, statName TEXT, isHistogram INTEGER,
     isWeighted INTEGER, statCount INTEGER, statMean REAL, statStddev REAL, statSum REAL,
     statSqrsum REAL, statMin REAL, statMax REAL, statWeights REAL, statWeightedSum REAL,
     statSqrSumWeights REAL, statWeightedSqrSum REAL);
CREATE TABLE statisticAttr (statId INTEGER, attrName TEXT, attrValue TEXT);
INSERT INTO run VALUES (1, 'r-1', -12);
INSERT INTO runAttr VALUES (1, 'configname', 'General');
INSERT INTO runItervar VALUES (1, 'q', '2');
INSERT INTO runConfig VALUES (1, 'a', 'b', 0);
INSERT INTO scalar VALUES (1, 1, 'Net.a', 'n:mean', 1.5), (2, 1, 'Net.a', 'nothing', NULL);
INSERT INTO scalarAttr VALUES (1, 'unit', 's'), (1, 'title', 'my n');
INSERT INTO statistic (statId, runId, moduleName, statName, isHistogram, isWeighted, statCount, statMean)
    VALUES (1, 1, 'Net.a', 'h', 0, 0, 3, 2.0);
