"""The exceptions of the API that name a cause: subclasses of those for a status, one for each code.

The body of an error has the code in `error.details.error_code`. Names, codes and statuses are those of the `anthropic`
package, which has some of the classes only in `anthropic.types`. Codes of the endpoints for administration are missing:
an error with one of them, or with a code that is new, gets the class of its status.
"""

from __future__ import annotations

from streamcore.errors._api import (
    APIStatusError,
    BadRequestError,
    ConflictError,
    ContentTooLargeError,
    NotFoundError,
    OverloadedError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)

__all__ = [
    "AvailableToolsLimitExceededError",
    "BetaCMEKNotApprovedError",
    "BetaExternalKeyNotFoundError",
    "BetaExternalKeyProviderMismatchError",
    "BetaGCPProjectControlledByAnotherOrganizationError",
    "BetaGCPProjectNotVerifiedError",
    "BetaOrganizationNotEnrolledInBetaError",
    "BetaRegionNotSupportedError",
    "BetaRequestBodyTimeoutError",
    "BetaStorageInUseError",
    "BetaStorageNotApprovedError",
    "BetaUnsupportedCharsetError",
    "CMEKContextUnavailableError",
    "CMEKKeyDisabledError",
    "CMEKKeyNetworkBlockedError",
    "CMEKKeyUnreachableError",
    "ChangeOutcomeUnknownError",
    "ClaudeCodeKeyCreatorNotMemberError",
    "ClaudeCodeVersionTooOldError",
    "CompactionBlockAmbiguousError",
    "CompactionBlockMisplacedError",
    "CompactionContentMismatchError",
    "CompactionIncompleteTurnError",
    "CompactionNothingToSummarizeError",
    "CompactionSignatureInvalidError",
    "CompactionTooManyToolReferencesError",
    "CompactionToolChangesMismatchError",
    "CompactionUnavailableError",
    "ConcurrentMembershipChangeError",
    "ContractSpendLimitReachedError",
    "EnforcedSpendLimitReachedError",
    "FileExpiredError",
    "FileNotDownloadableError",
    "ImageDimensionsTooLargeError",
    "LinkedOrganizationBillingUnavailableError",
    "LinkedOrganizationSpendLimitReachedError",
    "OrgMemberLimitExceededError",
    "OrganizationOnHoldError",
    "OrganizationTypeNotSupportedError",
    "ParentOrganizationRequiredError",
    "RBACRoleNotFoundError",
    "RampLimitExceededError",
    "RequestBodyEncodingInvalidError",
    "RequestBodyEncodingUnsupportedError",
    "RequestBodyTooLargeAfterDecodingError",
    "SandboxEgressRestrictedError",
    "SkillReadBlockedUndecryptableError",
    "StorageQuotaExceededError",
    "ThreadAlreadyContinuedError",
    "ThreadContinueInFlightError",
    "ThreadFingerprintMismatchError",
    "ThreadNotFoundError",
    "ThreadUnsupportedRequestError",
    "ToolNameConflictError",
    "ToolReferenceUnresolvedError",
    "UserProfileBillingNotAuthorizedError",
    "UserProfileNotBillableError",
    "UserProfileNotFoundError",
    "UserProfileRequiredError",
    "WorkspaceHumanReviewDisabledError",
]


class CompactionBlockAmbiguousError(BadRequestError):
    """Several compaction blocks in `messages` have content."""

    error_code: str | None = "compaction_block_ambiguous"


class CompactionBlockMisplacedError(BadRequestError):
    """A compaction block is in a place where it is not allowed."""

    error_code: str | None = "compaction_block_misplaced"


class CompactionContentMismatchError(BadRequestError):
    """A compaction block does not match the conversation that it summarizes."""

    error_code: str | None = "compaction_content_mismatch"


class CompactionIncompleteTurnError(BadRequestError):
    """Compaction was asked for in the middle of a turn."""

    error_code: str | None = "compaction_incomplete_turn"


class CompactionNothingToSummarizeError(BadRequestError):
    """The conversation has nothing to compact."""

    error_code: str | None = "compaction_nothing_to_summarize"


class CompactionSignatureInvalidError(BadRequestError):
    """A compaction block was changed since the API made it."""

    error_code: str | None = "compaction_signature_invalid"


class CompactionTooManyToolReferencesError(BadRequestError):
    """The compacted part refers to too many tools."""

    error_code: str | None = "compaction_too_many_tool_references"


class CompactionToolChangesMismatchError(BadRequestError):
    """The changes of tools in a compaction block do not match."""

    error_code: str | None = "compaction_tool_changes_mismatch"


class CompactionUnavailableError(OverloadedError):
    """Compaction has no capacity for the moment."""

    error_code: str | None = "compaction_unavailable"


class AvailableToolsLimitExceededError(BadRequestError):
    """The request makes too many tools available."""

    error_code: str | None = "available_tools_limit_exceeded"


class ToolNameConflictError(BadRequestError):
    """Two tools have the same name."""

    error_code: str | None = "tool_name_conflict"


class ToolReferenceUnresolvedError(BadRequestError):
    """`messages` refer to a tool that the request does not have."""

    error_code: str | None = "tool_reference_unresolved"


class ThreadAlreadyContinuedError(BadRequestError):
    """The thread was already continued from this turn."""

    error_code: str | None = "thread_already_continued"


class ThreadContinueInFlightError(BadRequestError):
    """Another request is continuing the thread."""

    error_code: str | None = "thread_continue_in_flight"


class ThreadFingerprintMismatchError(BadRequestError):
    """Something that must stay the same in a thread has changed."""

    error_code: str | None = "thread_fingerprint_mismatch"


class ThreadNotFoundError(NotFoundError):
    """The thread does not exist."""

    error_code: str | None = "thread_not_found"


class ThreadUnsupportedRequestError(BadRequestError):
    """The request uses a feature that threads do not support."""

    error_code: str | None = "thread_unsupported_request"


class FileExpiredError(NotFoundError):
    """The file has expired."""

    error_code: str | None = "file_expired"


class FileNotDownloadableError(BadRequestError):
    """The content of the file cannot be downloaded."""

    error_code: str | None = "file_not_downloadable"


class SkillReadBlockedUndecryptableError(ConflictError):
    """The skill cannot be decrypted."""

    error_code: str | None = "skill_read_blocked_undecryptable"


class StorageQuotaExceededError(BadRequestError):
    """The organization's storage is full."""

    error_code: str | None = "storage_quota_exceeded"


class BetaStorageInUseError(ConflictError):
    """The bucket is in use, or was recently."""

    error_code: str | None = "storage_in_use"


class BetaStorageNotApprovedError(BadRequestError):
    """Anthropic has not approved storage in the customer's bucket, or has withdrawn the approval."""

    error_code: str | None = "storage_not_approved"


class RequestBodyEncodingInvalidError(BadRequestError):
    """The body is not encoded as its header says."""

    error_code: str | None = "request_body_encoding_invalid"


class RequestBodyEncodingUnsupportedError(BadRequestError):
    """The API does not know the body's encoding."""

    error_code: str | None = "request_body_encoding_unsupported"


class RequestBodyTooLargeAfterDecodingError(ContentTooLargeError):
    """The body is too large once decoded."""

    error_code: str | None = "request_body_too_large_after_decoding"


class ImageDimensionsTooLargeError(BadRequestError):
    """An image has more pixels on a side than the API accepts."""

    error_code: str | None = "image_dimensions_too_large"


class BetaRequestBodyTimeoutError(BadRequestError):
    """The body took too long to arrive."""

    error_code: str | None = "request_body_timeout"


class BetaUnsupportedCharsetError(BadRequestError):
    """The body is not in UTF-8."""

    error_code: str | None = "unsupported_charset"


class BetaOrganizationNotEnrolledInBetaError(BadRequestError):
    """The organization is not enrolled in the beta."""

    error_code: str | None = "organization_not_enrolled_in_beta"


class CMEKContextUnavailableError(ServiceUnavailableError):
    """Something that encryption with the customer's key needs is not available."""

    error_code: str | None = "cmek_context_unavailable"


class CMEKKeyDisabledError(BadRequestError):
    """The customer's key is disabled."""

    error_code: str | None = "cmek_key_disabled"


class CMEKKeyNetworkBlockedError(BadRequestError):
    """The customer's network rules block the access to the key."""

    error_code: str | None = "cmek_key_network_blocked"


class CMEKKeyUnreachableError(ServiceUnavailableError):
    """The customer's key cannot be reached."""

    error_code: str | None = "cmek_key_unreachable"


class BetaCMEKNotApprovedError(BadRequestError):
    """Anthropic has not approved encryption with the customer's keys, or has withdrawn the approval."""

    error_code: str | None = "cmek_not_approved"


class BetaExternalKeyNotFoundError(BadRequestError):
    """The organization has no active external key with this id."""

    error_code: str | None = "external_key_not_found"


class BetaExternalKeyProviderMismatchError(BadRequestError):
    """The external key is in a key management service that the endpoint does not accept."""

    error_code: str | None = "external_key_provider_mismatch"


class BetaGCPProjectNotVerifiedError(BadRequestError):
    """The organization has not proved that it owns the Google Cloud project."""

    error_code: str | None = "gcp_project_not_verified"


class BetaGCPProjectControlledByAnotherOrganizationError(ConflictError):
    """Another organization has data controls for the Google Cloud project."""

    error_code: str | None = "gcp_project_controlled_by_another_organization"


class ContractSpendLimitReachedError(RateLimitError):
    """The limit on spending in the contract is reached."""

    error_code: str | None = "contract_spend_limit_reached"


class EnforcedSpendLimitReachedError(RateLimitError):
    """The limit on spending that Anthropic has set is reached."""

    error_code: str | None = "enforced_spend_limit_reached"


class RampLimitExceededError(RateLimitError):
    """Use has grown faster than allowed."""

    error_code: str | None = "ramp_limit_exceeded"


class LinkedOrganizationBillingUnavailableError(PaymentRequiredError):
    """The organization that pays cannot be billed."""

    error_code: str | None = "linked_organization_billing_unavailable"


class LinkedOrganizationSpendLimitReachedError(PaymentRequiredError):
    """The organization that pays has reached its limit."""

    error_code: str | None = "linked_organization_spend_limit_reached"


class OrganizationOnHoldError(BadRequestError):
    """The organization is on hold."""

    error_code: str | None = "organization_on_hold"


class OrganizationTypeNotSupportedError(BadRequestError):
    """Organizations of this type are not supported."""

    error_code: str | None = "organization_type_not_supported"


class ParentOrganizationRequiredError(BadRequestError):
    """The organization must have a parent."""

    error_code: str | None = "parent_organization_required"


class OrgMemberLimitExceededError(BadRequestError):
    """The organization has reached its limit of members."""

    error_code: str | None = "org_member_limit_exceeded"


class ConcurrentMembershipChangeError(ConflictError):
    """Another request changed the membership at the same time."""

    error_code: str | None = "concurrent_membership_change"


class RBACRoleNotFoundError(NotFoundError):
    """The role does not exist."""

    error_code: str | None = "rbac_role_not_found"


class SandboxEgressRestrictedError(PermissionDeniedError):
    """The sandbox must not reach this address."""

    error_code: str | None = "sandbox_egress_restricted"


class BetaRegionNotSupportedError(BadRequestError):
    """The organization cannot use this region here."""

    error_code: str | None = "region_not_supported"


class WorkspaceHumanReviewDisabledError(BadRequestError):
    """The workspace has human review turned off, and the request needs it."""

    error_code: str | None = "workspace_human_review_disabled"


class ChangeOutcomeUnknownError(ServiceUnavailableError):
    """Some changes may have been saved. The same request can be sent again to finish it."""

    error_code: str | None = "change_outcome_unknown"


class UserProfileBillingNotAuthorizedError(PermissionDeniedError):
    """This key is not authorized to bill the user profile."""

    error_code: str | None = "user_profile_billing_not_authorized"


class UserProfileNotBillableError(PermissionDeniedError):
    """The user profile cannot be billed."""

    error_code: str | None = "user_profile_not_billable"


class UserProfileNotFoundError(BadRequestError):
    """The user profile does not exist."""

    error_code: str | None = "user_profile_not_found"


class UserProfileRequiredError(BadRequestError):
    """The request must name a user profile."""

    error_code: str | None = "user_profile_required"


class ClaudeCodeKeyCreatorNotMemberError(BadRequestError):
    """The creator of the Claude Code key is not a member any longer."""

    error_code: str | None = "claude_code_key_creator_not_member"


class ClaudeCodeVersionTooOldError(BadRequestError):
    """This version of Claude Code is too old."""

    error_code: str | None = "claude_code_version_too_old"


BY_CODE: dict[tuple[int, str | None], type[APIStatusError]] = {
    (cls.status_code, cls.error_code): cls
    for cls in list(globals().values())
    if isinstance(cls, type) and issubclass(cls, APIStatusError) and cls.error_code is not None
}
"""The class for a status and a code: all classes of this module."""
