"""Why a claim is wrong, and what puts it right."""
