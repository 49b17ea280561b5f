"""The form of media between the processes of a stream: messages, and AAC headers."""
