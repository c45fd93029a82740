"""Every operation that is offered, by its name; called with the state's lock held."""

from __future__ import annotations

from collections.abc import Mapping

from pavedroad.localcloud.objects import (
    acl,
    copying,
    deleting,
    listing,
    locking,
    parts,
    reading,
    restoring,
    selecting,
    tagging,
    uploads,
    writing,
)
from pavedroad.localcloud.objects.buckets import documents, policies
from pavedroad.localcloud.objects.buckets import operations as buckets
from pavedroad.localcloud.objects.call import Operation, Preparation

_OF_OBJECTS: Mapping[str, Operation] = {
    "AbortMultipartUpload": uploads.abort_multipart_upload,
    "CompleteMultipartUpload": uploads.complete_multipart_upload,
    "CopyObject": copying.copy_object,
    "CreateMultipartUpload": uploads.create_multipart_upload,
    "DeleteObject": deleting.delete_object,
    "DeleteObjectTagging": tagging.delete_object_tagging,
    "DeleteObjects": deleting.delete_objects,
    "GetObject": reading.get_object,
    "GetObjectAcl": acl.get_object_acl,
    "GetObjectAttributes": reading.get_object_attributes,
    "GetObjectLegalHold": locking.get_object_legal_hold,
    "GetObjectRetention": locking.get_object_retention,
    "GetObjectTagging": tagging.get_object_tagging,
    "HeadObject": reading.head_object,
    "ListMultipartUploads": listing.list_multipart_uploads,
    "ListObjectVersions": listing.list_object_versions,
    "ListObjects": listing.list_objects,
    "ListObjectsV2": listing.list_objects_v2,
    "ListParts": parts.list_parts,
    "PutObject": writing.put_object,
    "PutObjectAcl": acl.put_object_acl,
    "PutObjectLegalHold": locking.put_object_legal_hold,
    "PutObjectRetention": locking.put_object_retention,
    "PutObjectTagging": tagging.put_object_tagging,
    "RestoreObject": restoring.restore_object,
    "SelectObjectContent": selecting.select_object_content,
    "UploadPart": uploads.upload_part,
    "UploadPartCopy": copying.upload_part_copy,
}

_OF_BUCKETS: Mapping[str, Operation] = {
    "CreateBucket": buckets.create_bucket,
    "DeleteBucket": buckets.delete_bucket,
    "GetBucketAcl": buckets.get_bucket_acl,
    "GetBucketLocation": buckets.get_bucket_location,
    "GetBucketPolicyStatus": policies.get_bucket_policy_status,
    "GetBucketVersioning": buckets.get_bucket_versioning,
    "HeadBucket": buckets.head_bucket,
    "ListBuckets": buckets.list_buckets,
    "PutBucketAcl": buckets.put_bucket_acl,
    "PutBucketVersioning": buckets.put_bucket_versioning,
    **documents.operations(),
}

OPERATIONS: Mapping[str, Operation] = {**_OF_OBJECTS, **_OF_BUCKETS}

PREPARED: Mapping[str, Preparation] = {
    "CompleteMultipartUpload": uploads.prepare_completion,
    "CopyObject": copying.prepare_object,
    "SelectObjectContent": selecting.prepare,
    "UploadPartCopy": copying.prepare_part,
}
"""What is to be done first, without the lock, as it reads contents: the call as it goes on from there."""
