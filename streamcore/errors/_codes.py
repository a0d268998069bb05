"""The exceptions of the API that name a cause: subclasses of those for a status, one for each code.

The body of an error has the code in `error.details.error_code`. Names, codes and statuses are those of the `anthropic`
package, which has some of the classes only in `anthropic.types`. Codes of the endpoints for administration are missing:
an error with one of them, or with a code that is new, gets the class of its status.
"""

from streamcore.errors._statuses import (
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


class CompactionBlockAmbiguousError(BadRequestError, code="compaction_block_ambiguous"):
    """Several compaction blocks in `messages` have content."""


class CompactionBlockMisplacedError(BadRequestError, code="compaction_block_misplaced"):
    """A compaction block is in a place where it is not allowed."""


class CompactionContentMismatchError(BadRequestError, code="compaction_content_mismatch"):
    """A compaction block does not match the conversation that it summarizes."""


class CompactionIncompleteTurnError(BadRequestError, code="compaction_incomplete_turn"):
    """Compaction was asked for in the middle of a turn."""


class CompactionNothingToSummarizeError(BadRequestError, code="compaction_nothing_to_summarize"):
    """The conversation has nothing to compact."""


class CompactionSignatureInvalidError(BadRequestError, code="compaction_signature_invalid"):
    """A compaction block was changed since the API made it."""


class CompactionTooManyToolReferencesError(BadRequestError, code="compaction_too_many_tool_references"):
    """The compacted part refers to too many tools."""


class CompactionToolChangesMismatchError(BadRequestError, code="compaction_tool_changes_mismatch"):
    """The changes of tools in a compaction block do not match."""


class CompactionUnavailableError(OverloadedError, code="compaction_unavailable"):
    """Compaction has no capacity for the moment."""


class AvailableToolsLimitExceededError(BadRequestError, code="available_tools_limit_exceeded"):
    """The request makes too many tools available."""


class ToolNameConflictError(BadRequestError, code="tool_name_conflict"):
    """Two tools have the same name."""


class ToolReferenceUnresolvedError(BadRequestError, code="tool_reference_unresolved"):
    """`messages` refer to a tool that the request does not have."""


class ThreadAlreadyContinuedError(BadRequestError, code="thread_already_continued"):
    """The thread was already continued from this turn."""


class ThreadContinueInFlightError(BadRequestError, code="thread_continue_in_flight"):
    """Another request is continuing the thread."""


class ThreadFingerprintMismatchError(BadRequestError, code="thread_fingerprint_mismatch"):
    """Something that must stay the same in a thread has changed."""


class ThreadNotFoundError(NotFoundError, code="thread_not_found"):
    """The thread does not exist."""


class ThreadUnsupportedRequestError(BadRequestError, code="thread_unsupported_request"):
    """The request uses a feature that threads do not support."""


class FileExpiredError(NotFoundError, code="file_expired"):
    """The file has expired."""


class FileNotDownloadableError(BadRequestError, code="file_not_downloadable"):
    """The content of the file cannot be downloaded."""


class SkillReadBlockedUndecryptableError(ConflictError, code="skill_read_blocked_undecryptable"):
    """The skill cannot be decrypted."""


class StorageQuotaExceededError(BadRequestError, code="storage_quota_exceeded"):
    """The organization's storage is full."""


class BetaStorageInUseError(ConflictError, code="storage_in_use"):
    """The bucket is in use, or was recently."""


class BetaStorageNotApprovedError(BadRequestError, code="storage_not_approved"):
    """Anthropic has not approved storage in the customer's bucket, or has withdrawn the approval."""


class RequestBodyEncodingInvalidError(BadRequestError, code="request_body_encoding_invalid"):
    """The body is not encoded as its header says."""


class RequestBodyEncodingUnsupportedError(BadRequestError, code="request_body_encoding_unsupported"):
    """The API does not know the body's encoding."""


class RequestBodyTooLargeAfterDecodingError(ContentTooLargeError, code="request_body_too_large_after_decoding"):
    """The body is too large once decoded."""


class ImageDimensionsTooLargeError(BadRequestError, code="image_dimensions_too_large"):
    """An image has more pixels on a side than the API accepts."""


class BetaRequestBodyTimeoutError(BadRequestError, code="request_body_timeout"):
    """The body took too long to arrive."""


class BetaUnsupportedCharsetError(BadRequestError, code="unsupported_charset"):
    """The body is not in UTF-8."""


class BetaOrganizationNotEnrolledInBetaError(BadRequestError, code="organization_not_enrolled_in_beta"):
    """The organization is not enrolled in the beta."""


class CMEKContextUnavailableError(ServiceUnavailableError, code="cmek_context_unavailable"):
    """Something that encryption with the customer's key needs is not available."""


class CMEKKeyDisabledError(BadRequestError, code="cmek_key_disabled"):
    """The customer's key is disabled."""


class CMEKKeyNetworkBlockedError(BadRequestError, code="cmek_key_network_blocked"):
    """The customer's network rules block the access to the key."""


class CMEKKeyUnreachableError(ServiceUnavailableError, code="cmek_key_unreachable"):
    """The customer's key cannot be reached."""


class BetaCMEKNotApprovedError(BadRequestError, code="cmek_not_approved"):
    """Anthropic has not approved encryption with the customer's keys, or has withdrawn the approval."""


class BetaExternalKeyNotFoundError(BadRequestError, code="external_key_not_found"):
    """The organization has no active external key with this id."""


class BetaExternalKeyProviderMismatchError(BadRequestError, code="external_key_provider_mismatch"):
    """The external key is in a key management service that the endpoint does not accept."""


class BetaGCPProjectNotVerifiedError(BadRequestError, code="gcp_project_not_verified"):
    """The organization has not proved that it owns the Google Cloud project."""


class BetaGCPProjectControlledByAnotherOrganizationError(
    ConflictError, code="gcp_project_controlled_by_another_organization"
):
    """Another organization has data controls for the Google Cloud project."""


class ContractSpendLimitReachedError(RateLimitError, code="contract_spend_limit_reached"):
    """The limit on spending in the contract is reached."""


class EnforcedSpendLimitReachedError(RateLimitError, code="enforced_spend_limit_reached"):
    """The limit on spending that Anthropic has set is reached."""


class RampLimitExceededError(RateLimitError, code="ramp_limit_exceeded"):
    """Use has grown faster than allowed."""


class LinkedOrganizationBillingUnavailableError(PaymentRequiredError, code="linked_organization_billing_unavailable"):
    """The organization that pays cannot be billed."""


class LinkedOrganizationSpendLimitReachedError(PaymentRequiredError, code="linked_organization_spend_limit_reached"):
    """The organization that pays has reached its limit."""


class OrganizationOnHoldError(BadRequestError, code="organization_on_hold"):
    """The organization is on hold."""


class OrganizationTypeNotSupportedError(BadRequestError, code="organization_type_not_supported"):
    """Organizations of this type are not supported."""


class ParentOrganizationRequiredError(BadRequestError, code="parent_organization_required"):
    """The organization must have a parent."""


class OrgMemberLimitExceededError(BadRequestError, code="org_member_limit_exceeded"):
    """The organization has reached its limit of members."""


class ConcurrentMembershipChangeError(ConflictError, code="concurrent_membership_change"):
    """Another request changed the membership at the same time."""


class RBACRoleNotFoundError(NotFoundError, code="rbac_role_not_found"):
    """The role does not exist."""


class SandboxEgressRestrictedError(PermissionDeniedError, code="sandbox_egress_restricted"):
    """The sandbox must not reach this address."""


class BetaRegionNotSupportedError(BadRequestError, code="region_not_supported"):
    """The organization cannot use this region here."""


class WorkspaceHumanReviewDisabledError(BadRequestError, code="workspace_human_review_disabled"):
    """The workspace has human review turned off, and the request needs it."""


class ChangeOutcomeUnknownError(ServiceUnavailableError, code="change_outcome_unknown"):
    """Some changes may have been saved. The same request can be sent again to finish it."""


class UserProfileBillingNotAuthorizedError(PermissionDeniedError, code="user_profile_billing_not_authorized"):
    """This key is not authorized to bill the user profile."""


class UserProfileNotBillableError(PermissionDeniedError, code="user_profile_not_billable"):
    """The user profile cannot be billed."""


class UserProfileNotFoundError(BadRequestError, code="user_profile_not_found"):
    """The user profile does not exist."""


class UserProfileRequiredError(BadRequestError, code="user_profile_required"):
    """The request must name a user profile."""


class ClaudeCodeKeyCreatorNotMemberError(BadRequestError, code="claude_code_key_creator_not_member"):
    """The creator of the Claude Code key is not a member any longer."""


class ClaudeCodeVersionTooOldError(BadRequestError, code="claude_code_version_too_old"):
    """This version of Claude Code is too old."""
