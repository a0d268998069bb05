"""The exceptions of the API that name a cause: children of those by status, one for each code that a program may meet.

The body of such an error has the code under `error.details.error_code`. Names, codes and statuses are those of the
`anthropic` package, which has some of them in `anthropic.types` only. Codes of the endpoints for administration are not
here: an error with one of them, or with one that is new, is the class of its status.
"""

from __future__ import annotations

from streamcore.api.errors import (
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
    "BY_CODE",
    "AvailableToolsLimitExceededError",
    "BetaOrganizationNotEnrolledInBetaError",
    "BetaRequestBodyTimeoutError",
    "BetaUnsupportedCharsetError",
    "CMEKContextUnavailableError",
    "CMEKKeyDisabledError",
    "CMEKKeyNetworkBlockedError",
    "CMEKKeyUnreachableError",
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
]


class CompactionBlockAmbiguousError(BadRequestError):
    """Several compaction blocks in `messages` have content."""

    error_code: str | None = "compaction_block_ambiguous"


class CompactionBlockMisplacedError(BadRequestError):
    """A compaction block stands where none may stand."""

    error_code: str | None = "compaction_block_misplaced"


class CompactionContentMismatchError(BadRequestError):
    """A compaction block does not fit the conversation it sums up."""

    error_code: str | None = "compaction_content_mismatch"


class CompactionIncompleteTurnError(BadRequestError):
    """Compaction was asked for in the middle of a turn."""

    error_code: str | None = "compaction_incomplete_turn"


class CompactionNothingToSummarizeError(BadRequestError):
    """The conversation has nothing to compact."""

    error_code: str | None = "compaction_nothing_to_summarize"


class CompactionSignatureInvalidError(BadRequestError):
    """A compaction block is not as the API made it."""

    error_code: str | None = "compaction_signature_invalid"


class CompactionTooManyToolReferencesError(BadRequestError):
    """The compacted part refers to too many tools."""

    error_code: str | None = "compaction_too_many_tool_references"


class CompactionToolChangesMismatchError(BadRequestError):
    """The changes of tools in a compaction block do not fit."""

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
    """The thread has gone on from this turn before."""

    error_code: str | None = "thread_already_continued"


class ThreadContinueInFlightError(BadRequestError):
    """Another request is going on with the thread."""

    error_code: str | None = "thread_continue_in_flight"


class ThreadFingerprintMismatchError(BadRequestError):
    """What has to stay the same in a thread has changed."""

    error_code: str | None = "thread_fingerprint_mismatch"


class ThreadNotFoundError(NotFoundError):
    """There is no such thread."""

    error_code: str | None = "thread_not_found"


class ThreadUnsupportedRequestError(BadRequestError):
    """The request uses what threads do not have."""

    error_code: str | None = "thread_unsupported_request"


class FileExpiredError(NotFoundError):
    """The file was there and is no more."""

    error_code: str | None = "file_expired"


class FileNotDownloadableError(BadRequestError):
    """The content of the file is not given out."""

    error_code: str | None = "file_not_downloadable"


class SkillReadBlockedUndecryptableError(ConflictError):
    """The skill cannot be decrypted."""

    error_code: str | None = "skill_read_blocked_undecryptable"


class StorageQuotaExceededError(BadRequestError):
    """The organization's storage is full."""

    error_code: str | None = "storage_quota_exceeded"


class RequestBodyEncodingInvalidError(BadRequestError):
    """The body is not encoded as its header says."""

    error_code: str | None = "request_body_encoding_invalid"


class RequestBodyEncodingUnsupportedError(BadRequestError):
    """The API does not know the body's encoding."""

    error_code: str | None = "request_body_encoding_unsupported"


class RequestBodyTooLargeAfterDecodingError(ContentTooLargeError):
    """The body is too large once decoded."""

    error_code: str | None = "request_body_too_large_after_decoding"


class BetaRequestBodyTimeoutError(BadRequestError):
    """The body took too long to arrive."""

    error_code: str | None = "request_body_timeout"


class BetaUnsupportedCharsetError(BadRequestError):
    """The body is not in UTF-8."""

    error_code: str | None = "unsupported_charset"


class BetaOrganizationNotEnrolledInBetaError(BadRequestError):
    """The organization does not take part in the beta."""

    error_code: str | None = "organization_not_enrolled_in_beta"


class CMEKContextUnavailableError(ServiceUnavailableError):
    """What encryption with the customer's key needs is not available."""

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


class ContractSpendLimitReachedError(RateLimitError):
    """The limit on spending in the contract is reached."""

    error_code: str | None = "contract_spend_limit_reached"


class EnforcedSpendLimitReachedError(RateLimitError):
    """The limit on spending that Anthropic has set is reached."""

    error_code: str | None = "enforced_spend_limit_reached"


class RampLimitExceededError(RateLimitError):
    """Use has grown faster than it may."""

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
    """Not for organizations of this type."""

    error_code: str | None = "organization_type_not_supported"


class ParentOrganizationRequiredError(BadRequestError):
    """Only for organizations that have a parent."""

    error_code: str | None = "parent_organization_required"


class OrgMemberLimitExceededError(BadRequestError):
    """The organization has as many members as it may have."""

    error_code: str | None = "org_member_limit_exceeded"


class ConcurrentMembershipChangeError(ConflictError):
    """The membership was changed by somebody else meanwhile."""

    error_code: str | None = "concurrent_membership_change"


class RBACRoleNotFoundError(NotFoundError):
    """There is no such role."""

    error_code: str | None = "rbac_role_not_found"


class SandboxEgressRestrictedError(PermissionDeniedError):
    """The sandbox may not reach this address."""

    error_code: str | None = "sandbox_egress_restricted"


class UserProfileBillingNotAuthorizedError(PermissionDeniedError):
    """The user profile may not be billed by this key."""

    error_code: str | None = "user_profile_billing_not_authorized"


class UserProfileNotBillableError(PermissionDeniedError):
    """The user profile cannot be billed."""

    error_code: str | None = "user_profile_not_billable"


class UserProfileNotFoundError(BadRequestError):
    """There is no such user profile."""

    error_code: str | None = "user_profile_not_found"


class UserProfileRequiredError(BadRequestError):
    """The request has to name a user profile."""

    error_code: str | None = "user_profile_required"


class ClaudeCodeKeyCreatorNotMemberError(BadRequestError):
    """Who made the Claude Code key is no member any more."""

    error_code: str | None = "claude_code_key_creator_not_member"


class ClaudeCodeVersionTooOldError(BadRequestError):
    """This version of Claude Code is too old."""

    error_code: str | None = "claude_code_version_too_old"


BY_CODE: dict[tuple[int, str | None], type[APIStatusError]] = {
    (cls.status_code, cls.error_code): cls
    for cls in (
        CompactionBlockAmbiguousError,
        CompactionBlockMisplacedError,
        CompactionContentMismatchError,
        CompactionIncompleteTurnError,
        CompactionNothingToSummarizeError,
        CompactionSignatureInvalidError,
        CompactionTooManyToolReferencesError,
        CompactionToolChangesMismatchError,
        CompactionUnavailableError,
        AvailableToolsLimitExceededError,
        ToolNameConflictError,
        ToolReferenceUnresolvedError,
        ThreadAlreadyContinuedError,
        ThreadContinueInFlightError,
        ThreadFingerprintMismatchError,
        ThreadNotFoundError,
        ThreadUnsupportedRequestError,
        FileExpiredError,
        FileNotDownloadableError,
        SkillReadBlockedUndecryptableError,
        StorageQuotaExceededError,
        RequestBodyEncodingInvalidError,
        RequestBodyEncodingUnsupportedError,
        RequestBodyTooLargeAfterDecodingError,
        BetaRequestBodyTimeoutError,
        BetaUnsupportedCharsetError,
        BetaOrganizationNotEnrolledInBetaError,
        CMEKContextUnavailableError,
        CMEKKeyDisabledError,
        CMEKKeyNetworkBlockedError,
        CMEKKeyUnreachableError,
        ContractSpendLimitReachedError,
        EnforcedSpendLimitReachedError,
        RampLimitExceededError,
        LinkedOrganizationBillingUnavailableError,
        LinkedOrganizationSpendLimitReachedError,
        OrganizationOnHoldError,
        OrganizationTypeNotSupportedError,
        ParentOrganizationRequiredError,
        OrgMemberLimitExceededError,
        ConcurrentMembershipChangeError,
        RBACRoleNotFoundError,
        SandboxEgressRestrictedError,
        UserProfileBillingNotAuthorizedError,
        UserProfileNotBillableError,
        UserProfileNotFoundError,
        UserProfileRequiredError,
        ClaudeCodeKeyCreatorNotMemberError,
        ClaudeCodeVersionTooOldError,
    )
}
"""The class for a status and a code."""
