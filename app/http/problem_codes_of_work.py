"""Problem codes of the work behind the hours: activities, sign-ups, visits, clinics, teams, stalls and needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.http.problem_forms import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEMS_OF_WORK: Mapping[str, Problem] = {
    "activity-ended": Problem(
        409,
        "Activity ended",
        "The activity has ended: nothing is added to it, and it cannot end again.",
        "Create a new activity for what goes on.",
    ),
    "already-checked-in": Problem(
        409,
        "Already checked in",
        "Whoever checks in is there already, or stands in the list as having come.",
        "Check out when leaving; the organiser's list mends what is wrong.",
    ),
    "already-drawn": Problem(
        409,
        "Already drawn",
        "The shift's seats were drawn before, once and for good.",
        "Read the draw. Who comes now gets a seat that is free, or waits.",
    ),
    "already-ended": Problem(
        409,
        "Already ended",
        "The service, the membership or the posting ends on that day already, or before it.",
        "Nothing is left to do; to go on, begin a new one. An end can be brought forward, not put off.",
    ),
    "already-in-team": Problem(
        409,
        "Already in a team",
        "The member serves on a team in that time, and a member serves on one team at a time.",
        "End that membership with the day before the new one begins.",
    ),
    "already-posted": Problem(
        409,
        "Already posted",
        "The team is posted to a community in that time, and a team serves in one community at a time.",
        "End that posting with the day before the new one begins.",
    ),
    "already-signed-up": Problem(
        409,
        "Already signed up",
        "The participant has a place in this shift, waits for one, or takes part in every shift of the series.",
        "Nothing is left to do; for another position, cancel the sign-up first.",
    ),
    "already-told": Problem(
        409,
        "Already told",
        "Whoever asked was told already.",
        "Nothing is left to do.",
    ),
    "attendance-closed": Problem(
        409,
        "Attendance closed",
        "The shift ended more than an hour ago, and nobody checks in or out of it any more.",
        "Record who came by the organiser's list.",
    ),
    "attendance-incomplete": Problem(
        409,
        "Attendance incomplete",
        "It is not known whether somebody came, or until when; or it was no whole minute, or more than 24 hours.",
        "Record it by the organiser's list, and submit it then.",
    ),
    "attendance-submitted": Problem(
        409,
        "Attendance submitted",
        "The attendance was submitted, and does not change any more.",
        "Correct the service record that was made of it, if it is wrong.",
    ),
    "beneficiary-ended": Problem(
        409,
        "Beneficiary ended",
        "The person is served no more, so nothing about them is changed.",
        "Register anew whoever comes back.",
    ),
    "beneficiary-erased": Problem(
        410,
        "Beneficiary erased",
        "The beneficiary's personal data was erased on request and cannot be brought back.",
        "What was done for the person stays. Who is to be served again is registered anew.",
    ),
    "cancellation-too-late": Problem(
        409,
        "Too late to cancel",
        "So shortly before the shift, a seat is not given back by oneself any more.",
        "Tell the desk, which still can.",
    ),
    "draw-not-due": Problem(
        409,
        "Draw not due",
        "The shift's seats are drawn later; until then anybody may apply.",
        "Wait until `draws_at`; the service draws by itself then.",
    ),
    "escalation-closed": Problem(
        409,
        "Escalation closed",
        "Somebody has seen to it and closed the escalation; that happens once.",
        "Nothing is left to do. Two absences more would escalate anew.",
    ),
    "feed-revoked": Problem(
        409,
        "Feed revoked",
        "The calendar feed was revoked before; that happens once.",
        "Nothing is left to do; make a new feed if its calendar is needed.",
    ),
    "member-erased": Problem(
        410,
        "Team member erased",
        "The member's personal data was erased. On which team the member served stays, under the member's id.",
        "Nothing is left to do; register the person anew if the person serves again.",
    ),
    "need-erased": Problem(
        409,
        "Need erased",
        "What was personal in the need is erased already.",
        "Nothing is left to do; that it was asked, and what became of it, stays.",
    ),
    "need-not-decided": Problem(
        409,
        "Need not decided",
        "The need is open or withdrawn, so there is nothing to tell anybody.",
        "Plan or answer it first.",
    ),
    "need-not-open": Problem(
        409,
        "Need not open",
        "The need was planned, answered or withdrawn before.",
        "Read the need. File a new one if there is more.",
    ),
    "no-shift-here": Problem(
        409,
        "No shift here",
        "The volunteer has no seat in a shift that is on at this place.",
        "Look at your sign-ups, or ask the desk.",
    ),
    "nobody-to-tell": Problem(
        409,
        "Nobody to tell",
        "The need was filed without a person.",
        "Nothing is left to do; name the person the next time.",
    ),
    "not-a-clinic": Problem(
        409,
        "Not a clinic",
        "Heads are counted at free clinics alone, and the shift is of another kind of activity.",
        "Choose a shift of a free clinic.",
    ),
    "not-checked-in": Problem(
        409,
        "Not checked in",
        "Nobody checks out who has not checked in, or twice.",
        "Check in first; the organiser's list mends what was forgotten.",
    ),
    "not-posted-here": Problem(
        409,
        "Not posted here",
        "The member serves on no team that is posted to this community on that day.",
        "Look at the teams that are posted here on that day, and at their members.",
    ),
    "overlapping-signup": Problem(
        409,
        "Overlapping sign-up",
        "The participant has a seat in another shift that goes on at the same time.",
        "Cancel the sign-up that the problem names, or choose another shift.",
    ),
    "person-registered": Problem(
        409,
        "Person registered",
        "Whoever asked is registered as a volunteer or a beneficiary, whose key the texts are under.",
        "Erase that person; the texts go with them.",
    ),
    "place-code-invalid": Problem(
        409,
        "Place code invalid",
        "The code is not one that a place shows at this moment.",
        "Read the code again: it changes every thirty seconds.",
    ),
    "positions-full": Problem(
        409,
        "Positions full",
        "The activity has as many positions as one activity may have.",
        "Create another activity for the rest.",
    ),
    "qualification-missing": Problem(
        409,
        "Qualification missing",
        "The position needs a qualification that the volunteer does not hold, checked and valid, on the shift's day.",
        "Have the qualification checked at the desk, or choose another position.",
    ),
    "qualification-revoked": Problem(
        409,
        "Qualification revoked",
        "The qualification was revoked before; that happens once.",
        "Check in a new one if the volunteer holds it again.",
    ),
    "series-ended": Problem(
        409,
        "Series ended",
        "The series ends on that day, or earlier, already.",
        "Give an earlier last day, or create a new series for what goes on.",
    ),
    "shift-begun": Problem(
        409,
        "Shift begun",
        "The shift has begun; only one that has not can be moved or skipped.",
        "Note in its attendance what became of it, and make a new shift if it is made up for.",
    ),
    "shift-not-begun": Problem(
        409,
        "Shift not begun",
        "The shift has not begun: nobody can have come to it or been counted yet. One checks in from an hour before.",
        "Wait until then.",
    ),
    "shift-over": Problem(
        409,
        "Shift over",
        "It is too late for this shift: one signs up by oneself before it begins, at the desk until ten days after it,"
        " and a sign-up is cancelled before the shift begins.",
        "Choose a shift to come, or ask the desk; who did not come to one that has begun is excused in its attendance.",
    ),
    "shift-skipped": Problem(
        409,
        "Shift skipped",
        "The shift was skipped and does not take place.",
        "Choose another shift, or make a new one.",
    ),
    "signup-not-open": Problem(
        409,
        "Sign-up not open",
        "The sign-up was cancelled or released before.",
        "Read the sign-up; to take part, sign up anew.",
    ),
    "site-code-taken": Problem(
        409,
        "Site code taken",
        "The community has another site with this code.",
        "Choose another code, or use the site that there is.",
    ),
    "too-many-feeds": Problem(
        409,
        "Too many feeds",
        "So many addresses of this calendar are live that there may be no further one.",
        "Revoke one that is not used any more, and make a new one then.",
    ),
    "unknown-activity": Problem(
        422,
        "Unknown activity",
        "The community has no such activity.",
        "Take the id from the list of activities.",
    ),
    "unknown-beneficiary": Problem(
        422,
        "Unknown beneficiary",
        "The community serves no such beneficiary, or serves this one no more.",
        "Take the id from the list of beneficiaries, or register the person.",
    ),
    "unknown-community": Problem(
        422,
        "Unknown community",
        "The city has no community with this id.",
        "Take `community_id` from the list of communities.",
    ),
    "unknown-department": Problem(
        422,
        "Unknown department",
        "The city has no department with this id.",
        "Take `department_id` from the list of departments, or create the department first.",
    ),
    "unknown-member": Problem(
        422,
        "Unknown team member",
        "There is no team member with this id, or the member's data was erased.",
        "Take `member_id` from the list of members, or register the member first.",
    ),
    "unknown-partner": Problem(
        422,
        "Unknown partner",
        "The community has no partner with this id.",
        "Take `partner_id` from the list of partners, or take the partner up first.",
    ),
    "unknown-position": Problem(
        422,
        "Unknown position",
        "The activity of the shift or series has no such position.",
        "Take `position_id` from the activity.",
    ),
    "unknown-shift": Problem(
        422,
        "Unknown shift",
        "The community has no such shift.",
        "Take `shift_id` from the list of open shifts.",
    ),
    "unknown-subject": Problem(
        422,
        "Unknown subject",
        "The community has no such volunteer, no such team is posted to it today, or no activity is at such a site.",
        "Take the id from the list of volunteers, of the teams that are posted here, or of sites.",
    ),
    "unknown-vendor": Problem(
        422,
        "Unknown vendor",
        "No vendor with this id comes to the community: none is registered, or the vendor comes no more.",
        "Take the id from the list of vendors, or register the vendor first.",
    ),
    "vendor-barred": Problem(
        409,
        "Vendor barred",
        "The vendor did not come to a pitch twice within 60 days, and applies for none for 30 days after the second.",
        "Apply again after `until`; who did come has the attendance put right at the desk.",
    ),
    "vendor-ended": Problem(
        409,
        "Vendor ended",
        "The vendor comes no more; that ends once.",
        "Register anew whoever comes back.",
    ),
    "vendor-erased": Problem(
        410,
        "Vendor erased",
        "The vendor's personal data was erased on request and cannot be brought back.",
        "Which pitches the vendor had stays. Who comes again is registered anew.",
    ),
    "visit-in-vain": Problem(
        409,
        "Visit in vain",
        "Of the visit it was said that nobody was at home, or that it was not wanted; the attendance says otherwise.",
        "Record that the visit was done, if it was; otherwise record by the list that nobody gave time there.",
    ),
    "visit-plan-ended": Problem(
        409,
        "Visit plan ended",
        "No visit of the plan is to come any more, so nobody else can visit by it.",
        "Create a new plan of visits.",
    ),
    "wrong-participant": Problem(
        409,
        "Wrong participant",
        "The position is for participants of another kind.",
        "Choose a position for this kind of participants.",
    ),
}
