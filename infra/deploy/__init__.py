"""Package the functions and deploy them with CloudFormation."""
