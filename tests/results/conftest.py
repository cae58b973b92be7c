"""A server that speaks S3, where a test asks for one."""

from tests.support.s3_fixtures import bucket, s3_server  # noqa: F401 - fixtures
