-- What is removed by its age is found by an index.
CREATE INDEX audit_at ON audit (at);
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL AND told = 1;
CREATE INDEX points_asked ON points (asked_at);
