-- How gaps of counters that want another profile than flat are filled. A row says what the intervals of its gap that are of
-- one plan version's time rest on, so who changes an interval finds the gaps to fill anew. Rows are never changed: what is
-- said otherwise by a later batch is superseded, for who asks what was known before.

CREATE TABLE gap_fill (
    point_no         integer     NOT NULL,
    from_at          timestamptz NOT NULL,       -- of the reading kept before the gap
    to_at            timestamptz NOT NULL,       -- of the one after it
    plan_version     integer     NOT NULL,
    asked            smallint    NOT NULL,       -- the profile of the plant file: 1 same_hour, 2 production
    used             smallint    NOT NULL,       -- the same, or 0 flat
    because          smallint    NOT NULL,       -- why flat: 1 an interval has no weight, 2 all weights are 0, 3 another version
                                                 -- is in force in a part of it; 0 it is not
    source_no        integer     NOT NULL,       -- the point whose closed intervals that begin in
    source_from      timestamptz NOT NULL,       -- [source_from, source_to) are the weights, those that are not there too
    source_to        timestamptz NOT NULL,
    batch_no         bigint      NOT NULL,       -- that said so
    superseded_batch bigint,                     -- that said otherwise, or that it is no gap; NULL: it stands
    PRIMARY KEY (point_no, from_at, plan_version, batch_no),
    CHECK (from_at < to_at)
);
CREATE INDEX gap_fill_source ON gap_fill (source_no, source_to) WHERE superseded_batch IS NULL;
