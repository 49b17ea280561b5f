"""The only package that uses boto3. SDK errors become domain or port errors here."""
