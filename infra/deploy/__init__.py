"""Packing the functions and deploying them with CloudFormation."""
