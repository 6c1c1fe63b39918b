"""Attribution methods, and the checks that any of them is put through."""
