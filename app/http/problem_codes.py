"""The one table of problem codes: their statuses, what they mean, and what to do about them; in English.

`app/http/problem_codes_zh.py` says the same in Chinese, code by code. Those of the work behind the hours stand in
files of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.http.problem_codes_of_work import PROBLEMS_OF_WORK
from app.http.problem_forms import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEMS: Mapping[str, Problem] = {
    "already-disputed": Problem(
        409,
        "Already disputed",
        "The volunteer contests this already, and the dispute is still open.",
        "Wait for its answer, or withdraw it and file a new one.",
    ),
    "already-exists": Problem(
        409,
        "Already exists",
        "Another resource of this kind has this code in the community.",
        "Choose another code, or use the resource that is there.",
    ),
    "already-registered": Problem(
        409,
        "Already registered",
        "A volunteer with this phone or ID number, a beneficiary with this name, phone and address, or a vendor with"
        " this phone is registered in the community. Whose it is is not told.",
        "Look for the person in the list before you register anybody again.",
    ),
    "already-reversed": Problem(
        409,
        "Already reversed",
        "The transaction was reversed before; that happens once at most.",
        "Nothing is left to do; look at the reversing transaction.",
    ),
    "already-verified": Problem(
        409,
        "Already verified",
        "The service record has been decided: approved, rejected or corrected.",
        "Read the record. A manager can correct one that was approved.",
    ),
    "already-witnessed": Problem(
        409,
        "Already witnessed",
        "The witness has signed this checkpoint already.",
        "Nothing is left to do; read the checkpoint.",
    ),
    "balance-out-of-bounds": Problem(
        409,
        "Balance out of bounds",
        "The movement would take an account below its floor or above its ceiling.",
        "Read the balance and ask for no more than it allows.",
    ),
    "body-too-large": Problem(
        413,
        "Body too large",
        "The request's body is longer than this service takes.",
        "Send less at once; records can go in several batches.",
    ),
    "dispute-not-open": Problem(
        409,
        "Dispute not open",
        "The dispute was upheld, rejected or withdrawn before; that happens once at most.",
        "Read the dispute. If something is still wrong, file a new one.",
    ),
    "guardian-required": Problem(
        422,
        "Guardian required",
        "A volunteer under 14 on the day of registration needs a guardian's consent.",
        "Ask the guardian, and send the consent as `guardian`.",
    ),
    "idempotency-answer-erased": Problem(
        410,
        "Answer erased",
        "The request took place before; its answer named a person who has been erased since.",
        "Do not send it again: it has happened, and cannot be shown any more.",
    ),
    "idempotency-answer-expired": Problem(
        410,
        "Answer no longer kept",
        "The request took place before, longer ago than answers are kept. It did not happen again.",
        "Read the resource itself. For something new take a new key.",
    ),
    "idempotency-key-in-flight": Problem(
        409,
        "Key in flight",
        "A request with this key is still being carried out.",
        "Send the same request with the same key again in a moment.",
    ),
    "idempotency-key-missing": Problem(
        400,
        "Idempotency-Key missing",
        "Every POST that creates or moves something needs an Idempotency-Key of 1 to 255 visible ASCII characters.",
        "Make a key for each new request, and keep it for when the request has to be sent again.",
    ),
    "idempotency-key-reused": Problem(
        422,
        "Idempotency-Key reused",
        "The key was used before for another request.",
        "Take a new key for a new request; an old key goes with exactly the old request.",
    ),
    "insufficient-points": Problem(
        409,
        "Not enough points",
        "The volunteer's free points do not cover what was asked for.",
        "Ask for less, or wait until more points are earned or set free; `balance` and `needed` say how many.",
    ),
    "invalid-cursor": Problem(
        422,
        "Invalid cursor",
        "The cursor is broken, or was made for another list or with other filters.",
        "Begin again without `cursor`, and pass on `next_cursor` as it is, with the same filters.",
    ),
    "invalid-request": Problem(
        422,
        "Invalid request",
        "Something in the request is missing or wrong; `errors` points to each place.",
        "Correct each place and send the request again; the same key may be used.",
    ),
    "invalid-signature": Problem(
        422,
        "Invalid signature",
        "The line is not a signature of this witness, with its key, under this checkpoint, or its time is to come.",
        "Sign the text of the checkpoint's note as c2sp.org/tlog-cosignature says, version 1; see to your clock.",
    ),
    "invalid-token": Problem(
        401,
        "Not authenticated",
        "The access token is missing, malformed, expired or not meant for this service.",
        "Get a new one from `POST /oauth2/token` and send it as `Authorization: Bearer`.",
    ),
    "limit-reached": Problem(
        409,
        "Limit reached",
        "The person has had as many of this article as the period allows.",
        "Ask for fewer, or wait for the next period.",
    ),
    "linked-entry-refused": Problem(
        409,
        "Linked entry refused",
        "An entry linked with this one does not hold; linked entries stand or fall together.",
        "Correct the other entry and send all of them again.",
    ),
    "manager-required": Problem(
        403,
        "A manager is required",
        "The record takes the volunteer above eight hours on a day; only a manager may verify it.",
        "Leave it pending and ask a manager.",
    ),
    "method-not-allowed": Problem(
        405,
        "Method not allowed",
        "The resource does not know this method; `Allow` lists those it knows.",
        "Use one of those; a change of state is a POST to a noun below the resource.",
    ),
    "not-found": Problem(
        404,
        "Not found",
        "There is no such resource here, or it belongs to another community.",
        "Check the path, the id and the community.",
    ),
    "not-yet-sealed": Problem(
        409,
        "Not yet sealed",
        "The signed tree does not reach so far yet; that is a moment's matter. The receipt holds meanwhile.",
        "Ask again in a second.",
    ),
    "out-of-stock": Problem(
        409,
        "Out of stock",
        "Fewer pieces are free on the shelf than were asked for.",
        "Ask for fewer, or wait for the next delivery; `shelf` says how many there are.",
    ),
    "overlapping-service": Problem(
        409,
        "Overlapping service",
        "The volunteer has a live record over a part of the same time; `service_record_id` names it.",
        "Compare the two. Correct the times, or leave out what is recorded already.",
    ),
    "precondition-failed": Problem(
        412,
        "Precondition failed",
        "The resource was changed since it was read; nothing was changed now.",
        "Read it again, look at what is different, and send the change with the new ETag.",
    ),
    "precondition-required": Problem(
        428,
        "Precondition required",
        "A PATCH has to say in If-Match on which ETag of the resource it was made.",
        "Read the resource and send its ETag as If-Match; `*` takes it as it is.",
    ),
    "rate-limited": Problem(
        429,
        "Too many requests",
        "Too many requests without a valid token came from this address within a minute.",
        "Wait as many seconds as Retry-After says. Requests with a valid token are not counted.",
    ),
    "record-not-approved": Problem(
        409,
        "Record not approved",
        "Only an approved service record can be corrected; `record_status` says what this one is.",
        "Reject a pending record instead of correcting it. A rejected one earned nothing.",
    ),
    "redemption-not-collected": Problem(
        409,
        "Redemption not collected",
        "Only a collected redemption can be returned; `redemption_status` says what this one is.",
        "Cancel a reserved one instead. Of one that was cancelled, lapsed or returned everything is back already.",
    ),
    "redemption-not-open": Problem(
        409,
        "Redemption not open",
        "The redemption is not reserved any more; `redemption_status` says what it is.",
        "Read the redemption. For the same goods make a new one.",
    ),
    "redemptions-open": Problem(
        409,
        "Redemptions open",
        "Points are held for the volunteer's open redemptions; `points_reserved` says how many.",
        "Let the goods be collected or cancel the redemptions, then erase.",
    ),
    "reference-reused": Problem(
        409,
        "Reference reused",
        "The reference was seen before with other content.",
        "Give the other record a reference of its own; a mistake in the first is corrected, not sent again.",
    ),
    "role-missing": Problem(
        403,
        "Role missing",
        "The caller's role may not do this; `roles` lists those that may.",
        "Ask someone with one of these roles.",
    ),
    "rule-exists": Problem(
        409,
        "Rule exists",
        "The service kind has a version of its earning rule from that date.",
        "Choose another date; a version is never edited.",
    ),
    "self-verification": Problem(
        409,
        "Self-verification",
        "The one who recorded a service may not verify it.",
        "Leave the decision to somebody else.",
    ),
    "unavailable": Problem(
        503,
        "Unavailable",
        "The service is too busy or its database does not answer.",
        "Send the same request again, with the same key, after `Retry-After` seconds.",
    ),
    "unbalanced-entry": Problem(
        422,
        "Unbalanced entry",
        "The entry's amounts do not sum to zero for every unit.",
        "Make them sum to zero for each unit.",
    ),
    "unexpected": Problem(
        500,
        "Unexpected error",
        "The service made a mistake, which is in its log under the request's id. Nothing was stored.",
        "Tell those who run the service the `X-Request-Id`.",
    ),
    "unknown-account": Problem(
        422,
        "Unknown account",
        "The ledger has no such account in the community.",
        "Check the account's address and unit.",
    ),
    "unknown-goods": Problem(
        422,
        "Unknown goods",
        "The catalogue of the community has no such article.",
        "Take `goods_id` from the list of goods.",
    ),
    "unknown-household": Problem(
        422,
        "Unknown household",
        "The community has no such household.",
        "Take `household_id` from the list of households, or make the household first.",
    ),
    "unknown-service-kind": Problem(
        422,
        "Unknown service kind",
        "The community has no service kind with this code.",
        "Take the code from the list of service kinds, or have a manager create it.",
    ),
    "unknown-service-record": Problem(
        422,
        "Unknown service record",
        "The volunteer has no service record with this id.",
        "Take `service_record_id` from the list of the volunteer's service records.",
    ),
    "unknown-transaction": Problem(
        422,
        "Unknown transaction",
        "The community's ledger has no transaction with this number.",
        "Take the number from the statement or the ledger.",
    ),
    "unknown-volunteer": Problem(
        422,
        "Unknown volunteer",
        "The community has no such volunteer.",
        "Take `volunteer_id` from the list of volunteers, or register the person first.",
    ),
    "unknown-witness": Problem(
        422,
        "Unknown witness",
        "Nobody named a witness of this log as the signature's line does.",
        "Have a manager name the witness with its public key first.",
    ),
    "unmapped": Problem(
        400,
        "Bad request",
        "The request cannot be understood as HTTP for this service.",
        "Compare it with the OpenAPI document, `/openapi.json`.",
    ),
    "unsupported-media-type": Problem(
        415,
        "Unsupported media type",
        "The body has to be application/json.",
        "Send JSON and `Content-Type: application/json`.",
    ),
    "volunteer-erased": Problem(
        410,
        "Volunteer erased",
        "The volunteer's personal data was erased on request and cannot be brought back.",
        "Balance and statement remain. Who volunteers again is registered anew.",
    ),
    "wrong-pickup-code": Problem(
        409,
        "Wrong pickup code",
        "The code is not the one of this redemption.",
        "Ask the volunteer for the six digits that belong to it.",
    ),
    **PROBLEMS_OF_WORK,
}
