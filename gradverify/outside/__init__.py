"""The edge of the package: files of strangers, names that people type, terminals."""
