"""What a stage leaves behind: manifests, hashes, locks, logs."""
