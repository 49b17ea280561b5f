"""What stands before and beside the functions in AWS."""
