"""The only place that knows boto3. SDK errors become domain errors or port errors here, never further in."""
