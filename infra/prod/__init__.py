"""What stands before and beside the functions: CloudFront and its bucket, or nginx on a machine of one's own."""
