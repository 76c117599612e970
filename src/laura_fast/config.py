"""One frozen, validated configuration: defaults < TOML file < environment < flags."""
