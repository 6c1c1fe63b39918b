"""The chapter *gradcam*."""
