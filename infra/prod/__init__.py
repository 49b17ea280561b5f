"""The fronts of production: CloudFront and its bucket, or nginx on a machine of the operator."""
