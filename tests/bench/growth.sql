-- Years of deposits, as rows of the service's own tables: what it would have written itself, only faster. Needs
-- `bench_volunteers` (peers.sql) and a ledger in which nothing was posted yet. Community after community has a deposit
-- in turn, and in each volunteer after volunteer, an hour on each day from 1990 on. All is recorded after whatever was
-- there before, a microsecond after the other.
CREATE FUNCTION bench_grow(deposits int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    day_one timestamptz := '1990-01-01T00:00:00Z';
BEGIN
    -- Neither keys nor sums are checked row by row here; an audit afterwards finds what does not hold.
    SET LOCAL session_replication_role = replica;
    ALTER TABLE ledger_postings DISABLE TRIGGER ledger_postings_add_up;

    CREATE TEMPORARY TABLE grown ON COMMIT DROP AS
    SELECT v.*, n, 1 + (n - 1) / crowd AS turn, h.event_number + n AS event, gen_random_uuid() AS record_id,
           v.community_id || '-0123456789abcdef' AS caller,
           day_one + interval '1 day' * ((n - 1) / crowd) AS started_at,
           h.last_at + interval '1 microsecond' * n AS recorded_at
    FROM generate_series(1, deposits) AS n
    CROSS JOIN ledger_heads h
    JOIN LATERAL (SELECT count(*)::int AS crowd FROM bench_volunteers WHERE community_id = h.community_id) c ON crowd > 0
    JOIN bench_volunteers v ON v.community_id = h.community_id AND v.place = 1 + (n - 1) % crowd
    ORDER BY n, v.community_id;

    INSERT INTO events (community_id, number, type, occurred_at, data)
    SELECT community_id, event, 'service_record.approved', recorded_at,
           jsonb_build_object('service_record_id', record_id, 'volunteer_id', volunteer_id) FROM grown;
    INSERT INTO service_records (
        community_id, service_record_id, number, volunteer_id, service_kind, activity_name, place, content, organiser,
        external_ids, started_at, ended_at, service_date, minutes, late, manager_required, recorded_by, recorded_at,
        status)
    SELECT community_id, record_id, event, volunteer_id, 'home_visit', '入户探访', '祁连家园',
           '量血压、打扫卫生、陪老人聊天', '祁连路西社区居委会', '{}', started_at, started_at + interval '1 hour',
           started_at::date, 60, false, false, caller, recorded_at, 'approved' FROM grown;
    INSERT INTO ledger_transactions (
        community_id, transaction_number, kind, posted_at, posted_by, reference, postings_count)
    SELECT community_id, n, 'deposit', recorded_at, caller, 'service-records/' || record_id, 4 FROM grown;
    INSERT INTO ledger_postings (community_id, account_number, version, transaction_number, amount, balance_after)
    SELECT community_id, account, version, n, amount, amount * version
    FROM grown, LATERAL (
        VALUES (minutes_given, n, -60), (minutes, turn, 60), (points_issued, n, -10), (points, turn, 10)
    ) AS m (account, version, amount);
    INSERT INTO verifications (
        community_id, service_record_id, decision, verified_by, verified_at, earning_rule_id, points, minutes_counted,
        clipped, transaction_number)
    SELECT community_id, record_id, 'approve', caller, recorded_at, earning_rule_id, 10, 60, '[]', n FROM grown;
    INSERT INTO idempotency_keys (community_id, caller, key, request_hash, created_at)
    SELECT community_id, caller, gen_random_uuid(), repeat('0123456789abcdef', 4), recorded_at FROM grown;

    UPDATE ledger_balances b SET version = last.version, balance = last.balance
    FROM (
        SELECT community_id, account, max(version) AS version, sum(amount) AS balance
        FROM grown, LATERAL (
            VALUES (minutes_given, n, -60), (minutes, turn, 60), (points_issued, n, -10), (points, turn, 10)
        ) AS m (account, version, amount)
        GROUP BY community_id, account
    ) AS last
    WHERE b.community_id = last.community_id AND b.account_number = last.account;
    UPDATE due_work d SET unsealed_since = h.last_at FROM ledger_heads h
    WHERE d.community_id = h.community_id AND d.community_id IN (SELECT community_id FROM grown);
    UPDATE ledger_heads SET transaction_number = deposits, event_number = event_number + deposits,
           last_at = last_at + interval '1 microsecond' * deposits
    WHERE community_id IN (SELECT community_id FROM grown);
    UPDATE due_work SET unsealed_since = day_one WHERE community_id IN (SELECT community_id FROM grown);

    ALTER TABLE ledger_postings ENABLE ALWAYS TRIGGER ledger_postings_add_up;
END $$;
