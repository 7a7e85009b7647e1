-- Deliveries of events to the webhooks of plant files: who is told of what, in which order, and what came of it.
-- Addresses stand in the plan version, secrets nowhere in the database.

-- Events whose deliveries have not been made yet. By a trigger, so that no writer forgets it: a queue knows what
-- is left whatever the order in which transactions end, which the highest event_no seen would not.
CREATE TABLE event_waiting (
    event_no bigint PRIMARY KEY REFERENCES event
);

CREATE FUNCTION event_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_waiting (event_no) VALUES (NEW.event_no);
    RETURN NULL;
END
$$;

CREATE TRIGGER event_waits AFTER INSERT ON event
    FOR EACH ROW WHEN (NOT NEW.historical) EXECUTE FUNCTION event_waits();

CREATE TABLE webhook (
    webhook_no  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_no     integer NOT NULL REFERENCES site,
    id          text    NOT NULL,                    -- as in the plant file, which says what it is
    sequence    bigint  NOT NULL DEFAULT 0,          -- of its newest delivery
    disabled_at timestamptz,                         -- it answered 410; NULL: it is delivered to
    delivered   bigint  NOT NULL DEFAULT 0,          -- attempts that were answered well, ever
    failed      bigint  NOT NULL DEFAULT 0,          -- attempts that were not
    dead        bigint  NOT NULL DEFAULT 0,          -- deliveries given up
    UNIQUE (site_no, id)
);

CREATE TABLE delivery (
    delivery_no   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_no    integer     NOT NULL REFERENCES webhook,
    sequence      bigint      NOT NULL,              -- 1, 2, … of its webhook; within a stream the order of events
    event_no      bigint      REFERENCES event,      -- NULL: a test, asked for by a person
    event_id      text        NOT NULL,              -- the webhook-id of every attempt
    type          text        NOT NULL,
    stream        text        NOT NULL,
    occurred_at   timestamptz NOT NULL,
    data          jsonb,                             -- of a test; of an event: NULL, it stands there
    made_at       timestamptz NOT NULL,
    state         text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
    tries         integer     NOT NULL DEFAULT 0,    -- failed attempts since it began to wait
    attempts      integer     NOT NULL DEFAULT 0,    -- ever
    due_at        timestamptz NOT NULL,              -- when it is tried next
    ended_at      timestamptz,                       -- when it was delivered or given up
    claimed_by    integer,                           -- number of the notifier that is sending it; NULL: nobody
    claimed_until timestamptz,                       -- by the database's clock
    UNIQUE (webhook_no, event_id),
    UNIQUE (webhook_no, sequence)
);
CREATE INDEX delivery_due ON delivery (webhook_no, due_at) WHERE state = 'waiting';
CREATE INDEX delivery_order ON delivery (webhook_no, stream, sequence) WHERE state = 'waiting';
CREATE INDEX delivery_dead ON delivery (webhook_no, sequence) WHERE state = 'dead';
CREATE INDEX delivery_claimed ON delivery (claimed_by) WHERE claimed_by IS NOT NULL;

CREATE TABLE delivery_attempt (
    delivery_no bigint      NOT NULL REFERENCES delivery,
    attempt     integer     NOT NULL,
    begun_at    timestamptz NOT NULL,
    duration_ms integer     NOT NULL,
    status      smallint,                            -- of HTTP; NULL: no answer
    error       text,                                -- why it failed, a sentence; NULL: it did not
    answer      text,                                -- the first of what was answered; NULL: nothing
    PRIMARY KEY (delivery_no, attempt)
);

-- What people asked of a webhook, each under its Idempotency-Key.
CREATE TABLE webhook_act (
    webhook_no      integer     NOT NULL REFERENCES webhook,
    idempotency_key text        NOT NULL,
    act             text        NOT NULL,            -- test, replay, replay_dead, enable
    sequence        bigint,                          -- the delivery it was about; NULL: the webhook
    deliveries      integer     NOT NULL,            -- that wait because of it
    author          text        NOT NULL,
    asked_at        timestamptz NOT NULL,
    PRIMARY KEY (webhook_no, idempotency_key)
);

-- Each notifier holds an advisory lock on its number: what it has claimed is free when its session has ended.
CREATE SEQUENCE notifier_no AS integer CYCLE;
