"""The formats of known servers whose lines one expression takes apart, as their documentation describes them.

- Apache and nginx: `common`, `combined` and their forms with the virtual host in front.
- Amazon's classic load balancer (`elb`): "Access logs for your Classic Load Balancer".
- Amazon's application load balancer (`alb`): "Access logs for your Application Load Balancer".
- Amazon S3 (`s3`): "Amazon S3 server access log format".
- HAProxy (`haproxy`): its configuration manual, "HTTP log format".
"""

from footfall.importing.formats.log_format import compile_log_format
from footfall.importing.formats.pattern import PatternFormat
from footfall.importing.times import Times

_QUOTED = r'"(?P<{}>[^"\\]*(?:\\.[^"\\]*)*)"'
_AGENT = _QUOTED.format("user_agent")
_REQUEST = _QUOTED.format("request")
_REFERRER = _QUOTED.format("referrer")

_APACHE = {
    "common": '%h %l %u %t "%r" %>s %b',
    "combined": '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"',
    "vhost_common": '%v %h %l %u %t "%r" %>s %b',
    "vhost_combined": '%v %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"',
}
# Further fields behind those of combined are common, and say nothing that is recorded.
_MORE = {"combined", "vhost_combined"}
_BALANCER_REQUEST = (
    r'"(?:(?P<method>[A-Z]+) (?P<scheme>https?|wss?)://(?P<host>[^/ "]*)'
    r'(?P<target>/[^"\\]*(?:\\.[^"\\]*)*?) HTTP/[\d.]+|[^"]*)"'
)
_ELB = (
    r"(?P<time>\S+) \S+ (?P<address>\S+?)(?::\d+)? \S+ \S+ (?P<duration>\S+) \S+ (?P<status>\S+) \S+ \d+ "
    rf"(?P<length>\d+) {_BALANCER_REQUEST} {_AGENT}(?: .*)?"
)
_S3 = (
    r"\S+ (?P<host>\S+) \[(?P<time>[^\]]+)\] (?P<address>\S+) \S+ \S+ \S+ \S+ "
    rf"(?:{_REQUEST}|-) (?P<status>\S+) \S+ (?P<length>\S+) \S+ \S+ \S+ {_REFERRER} {_AGENT}(?: .*)?"
)
_HAPROXY = (
    r"(?:.*? )?(?P<address>[0-9a-fA-F.:]{2,45}?):\d+ \[(?P<time>[^\]]+)\] \S+ \S+ [-+\d/]+ (?P<status>-?\d+) "
    rf"\+?(?P<length>\d+) \S+ \S+ \S{{4}} [-+\d/]+ \d+/\d+ (?:\{{[^}}]*\}} ){{0,2}}{_REQUEST}"
)


def server_formats(times: Times) -> list[PatternFormat]:
    """The formats, those that fit fewer lines first."""
    return [
        PatternFormat("alb", rf"(?:https?|h2|wss?|grpcs?) {_ELB}", times),
        PatternFormat("elb", _ELB, times),
        PatternFormat("s3", _S3, times),
        PatternFormat("haproxy", _HAPROXY, times),
        *(
            compile_log_format(_APACHE[name], times, name, more=name in _MORE)
            for name in ("vhost_combined", "combined", "vhost_common", "common")
        ),
    ]
