"""What a chapter is: parameters, edition, session, recorded tables."""
