"""Running chapters, and making pages and the site of them."""
