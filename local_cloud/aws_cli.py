"""The AWS CLI v1, told to leave the endpoints of RDS in us-east-1, and of SQS, alone.

It would send these calls to https://rds.amazonaws.com and the like whatever AWS_ENDPOINT_URL says.
Runs in the environment `aws`.
"""

from __future__ import annotations

import importlib
import sys

if __name__ == "__main__":
    importlib.import_module("awscli.customizations.overridesslcommonname").SSL_COMMON_NAMES.clear()
    sys.exit(importlib.import_module("awscli.clidriver").main())
