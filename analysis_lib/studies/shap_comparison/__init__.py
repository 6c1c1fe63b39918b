"""The chapter *shap_comparison*."""
