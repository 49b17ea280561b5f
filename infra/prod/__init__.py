"""What a machine of one's own on the internet needs beside the functions."""
