"""The whole program against servers, disks, files and callers that mean it no good."""
