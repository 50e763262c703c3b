"""SNS: what a message may be."""

from tests.conformance.bench import Bench
from tests.conformance.fact import fact

_PUBLISHING = "SNS API, Publish"


@fact("sns", _PUBLISHING)
def a_message_has_256_kilobytes(bench: Bench) -> None:
    """A message of more than 262,144 bytes: InvalidParameter."""
    topics, topic = bench.client("sns"), bench.made.topic
    bench.refused("InvalidParameter", lambda: topics.publish(TopicArn=topic, Message="x" * 262_145))


@fact("sns", _PUBLISHING)
def a_subject_is_a_hundred_characters_without_a_line_break(bench: Bench) -> None:
    """A subject of more than 100 characters, or with a line break: InvalidParameter."""
    topics, topic = bench.client("sns"), bench.made.topic
    bench.refused("InvalidParameter", lambda: topics.publish(TopicArn=topic, Message="x", Subject="x" * 101))
    bench.refused("InvalidParameter", lambda: topics.publish(TopicArn=topic, Message="x", Subject="a\nb"))


@fact("sns", _PUBLISHING)
def a_message_is_not_empty(bench: Bench) -> None:
    """An empty message: InvalidParameter."""
    topics, topic = bench.client("sns"), bench.made.topic
    bench.refused("InvalidParameter", lambda: topics.publish(TopicArn=topic, Message=""))


@fact("sns", _PUBLISHING)
def a_missing_topic_is_told(bench: Bench) -> None:
    """Publish to no topic: NotFound."""
    topics, topic = bench.client("sns"), bench.made.topic
    bench.refused("NotFound", lambda: topics.publish(TopicArn=f"{topic}-none", Message="x"))
