"""SNS: the message at the end of an operation."""

from typing import TYPE_CHECKING

from utils.aws_errors import aws_call

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient


class Notifier:
    """Publishes to the notification topic."""

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, subject: str, text: str) -> str:
        """Publish a message and return its id; SNS takes subjects of at most 100 ASCII characters."""
        with aws_call("sns:Publish"):
            answer = self._client.publish(TopicArn=self._topic_arn, Subject=subject[:100], Message=text)
        return answer["MessageId"]
