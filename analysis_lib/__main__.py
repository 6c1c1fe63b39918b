"""``python -m analysis_lib`` is ``stgbook``."""

from analysis_lib.cli.main import main

if __name__ == "__main__":
    main()
