"""What is kept on disk, byte by byte: docs/evidence.md is its description for strangers."""
