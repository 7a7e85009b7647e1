-- Alerts. Where rules stand and what episodes were is ingest's, in the transaction of the batch that made it so; what
-- people do about them is the service's (`alert_act`, `alert_silence`), handed to ingest by an inbox row of kind 'alert'.

-- Where a rule stands: a row of each that is under way, remembers something, or waits for data.
CREATE TABLE alert_state (
    site_no    integer          NOT NULL REFERENCES site,
    rule       text             NOT NULL,
    watches    text             NOT NULL,   -- what it watched; a rule that watches something else begins anew
    state      smallint         NOT NULL,   -- 0 inactive, 1 pending, 2 firing
    told       boolean          NOT NULL,
    pending_us bigint,                      -- of the last episode; instants here are µs since 1970, as kernels have them
    fired_us   bigint,
    held_from  bigint,                      -- since when nothing is known or it is quiet
    held_us    bigint           NOT NULL,   -- how long that was before, since pending
    seen_us    bigint,                      -- up to which instant it has been judged
    born_us    bigint,                      -- since when it is looked at
    excess     double precision NOT NULL,   -- amount above the limit since pending
    told_at    bigint[]         NOT NULL,   -- when a dampened rule was told
    past_at    bigint[]         NOT NULL,   -- what a rule on changes remembers
    past_value double precision[] NOT NULL,
    batch_no   bigint           NOT NULL,
    PRIMARY KEY (site_no, rule)
);

CREATE TABLE alert_episode (
    episode      text        PRIMARY KEY,    -- site.rule.µs of pending
    episode_no   bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,   -- in the order in which they became known
    site_no      integer     NOT NULL REFERENCES site,
    rule         text        NOT NULL,
    severity     text        NOT NULL,
    subject_kind text        NOT NULL,
    subject_id   text        NOT NULL,
    unit_path    text,
    window_us    bigint      NOT NULL,      -- so far back before it was pending it rests on its subject
    pending_at   timestamptz NOT NULL,
    fired_at     timestamptz NOT NULL,
    told_at      timestamptz,               -- when people were told; NULL: they were not
    mute         text        CHECK (mute IN ('historical', 'silenced', 'parent', 'dampened')),   -- why not at once
    resolved_at  timestamptz,
    data         jsonb       NOT NULL,      -- of the newest event
    noted        integer     NOT NULL DEFAULT 0,   -- how often what it rests on was revised
    batch_no     bigint      NOT NULL
);
CREATE INDEX alert_episode_in_time ON alert_episode (site_no, fired_at);
CREATE INDEX alert_episode_end ON alert_episode (site_no, resolved_at);

-- What people do about an episode.
CREATE TABLE alert_act (
    act_no          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_no         integer     NOT NULL REFERENCES site,
    episode         text        NOT NULL REFERENCES alert_episode,
    kind            text        NOT NULL CHECK (kind IN ('acknowledge', 'comment', 'assign')),
    note            text        NOT NULL,
    assignee        text,
    author          text        NOT NULL,
    at              timestamptz NOT NULL,
    inbox_no        bigint      NOT NULL UNIQUE,   -- the row that hands it to ingest, and knows its Idempotency-Key
    CHECK ((kind = 'assign') = (assignee IS NOT NULL))
);
CREATE INDEX alert_act_of_episode ON alert_act (episode, act_no);

-- For what people want to hear nothing: of a rule, of a unit and what is below it, or of the whole site.
CREATE TABLE alert_silence (
    silence_no      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_no         integer     NOT NULL REFERENCES site,
    rule            text,
    unit_path       text,
    from_at         timestamptz NOT NULL,
    to_at           timestamptz NOT NULL,   -- [from_at, to_at); ended early: when it was ended
    reason          text        NOT NULL,
    author          text        NOT NULL,
    made_at         timestamptz NOT NULL,
    ended_by        text,                   -- who ended it early
    inbox_no        bigint      NOT NULL UNIQUE,
    CHECK (from_at <= to_at)
);
CREATE INDEX alert_silence_in_time ON alert_silence (site_no, to_at);
