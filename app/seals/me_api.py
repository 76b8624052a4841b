"""What volunteers can check of their own."""

from __future__ import annotations

from app.access.guard import AdmittedDep
from app.http.lists import ShortListingDep
from app.http.operations import OWN, operation
from app.http.routes import Router
from app.seals import proofs
from app.seals.schemas import ReceiptModel, ReceiptPage

router = Router(prefix="/v1/me", tags=["own data"])


@router.get(
    "/receipts",
    response_model=ReceiptPage,
    **operation(roles=OWN, summary="List one's own receipts", problems=["invalid-cursor"]),
)
async def list_own_receipts(listing: ShortListingDep, admitted: AdmittedDep) -> ReceiptPage:
    """Receipts and proofs of all that moved on the caller's accounts, newest first, to be checked anywhere."""
    volunteer_id = str(admitted.volunteer_id)
    page = await listing.page(
        f"receipts/{volunteer_id}",
        admitted.community,
        proofs.list_evidence,
        filters={"volunteer_id": volunteer_id},
        place=lambda one: one.transaction_id,
    )
    return ReceiptPage.of(page, ReceiptModel.of)
