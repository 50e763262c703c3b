"""The AWS CLI v1, told to leave the endpoint of RDS in us-east-1 alone.

It would send these calls to https://rds.amazonaws.com whatever AWS_ENDPOINT_URL_RDS says.
Runs in the environment `aws`.
"""

from __future__ import annotations

import importlib
import sys

if __name__ == "__main__":
    importlib.import_module("awscli.customizations.overridesslcommonname").SSL_COMMON_NAMES.pop("rds", None)
    sys.exit(importlib.import_module("awscli.clidriver").main())
