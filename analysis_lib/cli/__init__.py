"""The console command ``stgbook``, a file a group of commands."""
