-- The peer of deposits: one function that writes the rows of a deposit into the service's own tables, with their
-- triggers, keys and policies. It checks less than the service does: neither overlaps nor caps nor repeats.
CREATE TABLE bench_volunteers AS
SELECT v.community_id, (row_number() OVER (PARTITION BY v.community_id ORDER BY v.volunteer_id))::int AS place,
       v.volunteer_id, r.earning_rule_id, mg.account_number AS minutes_given, m.account_number AS minutes,
       pi.account_number AS points_issued, p.account_number AS points
FROM volunteers v
JOIN earning_rules r ON r.community_id = v.community_id
JOIN ledger_accounts mg ON mg.community_id = v.community_id AND mg.address = 'community/minutes_given'
JOIN ledger_accounts pi ON pi.community_id = v.community_id AND pi.address = 'community/points_issued'
JOIN ledger_accounts m ON m.community_id = v.community_id AND m.address = 'volunteer/' || v.volunteer_id || '/minutes'
JOIN ledger_accounts p ON p.community_id = v.community_id AND p.address = 'volunteer/' || v.volunteer_id || '/points';
ALTER TABLE bench_volunteers ADD PRIMARY KEY (community_id, place);
GRANT SELECT ON bench_volunteers TO lovebank_app;
ANALYZE bench_volunteers;

CREATE FUNCTION bench_deposit(community int, at_place int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    who bench_volunteers;
    head ledger_heads;
    moment timestamptz;
    record_id uuid := gen_random_uuid();
    caller text := community || '.0123456789abcdef';
    used_key text := gen_random_uuid()::text;
BEGIN
    PERFORM set_config('lovebank.communities', community::text, true);
    SELECT * INTO head FROM ledger_heads WHERE community_id = community FOR UPDATE;
    SELECT * INTO who FROM bench_volunteers WHERE community_id = community AND place = at_place;
    moment := greatest(clock_timestamp(), head.last_at);
    INSERT INTO events (community_id, number, type, occurred_at, data) VALUES (
        community, head.event_number + 1, 'service_record.approved', moment,
        jsonb_build_object('service_record_id', record_id, 'volunteer_id', who.volunteer_id));
    INSERT INTO service_records (
        community_id, service_record_id, number, volunteer_id, service_kind, activity_name, place, content, organiser,
        external_ids, started_at, ended_at, service_date, minutes, late, manager_required, recorded_by, recorded_at,
        status
    ) VALUES (
        community, record_id, head.event_number + 1, who.volunteer_id, 'home_visit', '入户探访', '祁连家园',
        '量血压、打扫卫生、陪老人聊天', '祁连路西社区居委会', '{}', moment - interval '1 hour', moment,
        moment::date, 60, false, false, caller, moment, 'approved');
    INSERT INTO ledger_transactions (
        community_id, transaction_number, kind, posted_at, posted_by, reference, postings_count, salt, evidence, leaf
    ) VALUES (
        community, head.transaction_number + 1, 'deposit', moment, caller, 'service-records/' || record_id, 4,
        uuid_send(gen_random_uuid()), sha256(uuid_send(record_id)), sha256(uuid_send(who.volunteer_id)));
    INSERT INTO ledger_postings (
        community_id, account_number, version, transaction_number, amount, balance_after
    )
    SELECT b.community_id, b.account_number, b.version + 1, head.transaction_number + 1, m.amount, b.balance + m.amount
    FROM (VALUES (who.minutes_given, -60), (who.minutes, 60), (who.points_issued, -10), (who.points, 10))
        AS m (account_number, amount)
    JOIN ledger_balances b ON b.community_id = community AND b.account_number = m.account_number;
    UPDATE ledger_balances b SET version = b.version + 1, balance = b.balance + m.amount
    FROM (VALUES (who.minutes_given, -60), (who.minutes, 60), (who.points_issued, -10), (who.points, 10))
        AS m (account_number, amount)
    WHERE b.community_id = community AND b.account_number = m.account_number;
    INSERT INTO verifications (
        community_id, service_record_id, decision, verified_by, verified_at, earning_rule_id, points, minutes_counted,
        clipped, transaction_number
    ) VALUES (
        community, record_id, 'approve', caller, moment, who.earning_rule_id, 10, 60, '[]',
        head.transaction_number + 1);
    INSERT INTO idempotency_keys (community_id, caller, key, request_hash, created_at)
    VALUES (community, caller, used_key, repeat('0123456789abcdef', 4), moment);
    INSERT INTO idempotency_answers (community_id, caller, key, status, location, body, created_at)
    VALUES (community, caller, used_key, 201, '/v1/communities/' || who.volunteer_id || '/service-records/' || record_id,
            repeat('0123456789abcdef', 70), moment);
    UPDATE ledger_heads SET transaction_number = transaction_number + 1, event_number = event_number + 1,
        last_at = moment WHERE community_id = community;
    RETURN head.transaction_number + 1;
END $$;
