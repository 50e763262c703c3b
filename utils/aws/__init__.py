"""The gateways: the AWS SDK in, typed values and the pipeline's own errors out."""
