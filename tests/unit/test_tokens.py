"""Tokens are taken out of tracking requests that are kept."""

import msgspec
import pytest

from footfall.queue.request import TrackingRequest, decode, encode
from footfall.queue.tokens import sealed, token_of, without_tokens

TOKEN = "0123456789abcdef0123456789abcdef"


def request(query: str = "", body: str = "", bulk_token: str = "") -> TrackingRequest:
    return TrackingRequest(1.0, "192.0.2.1", query.encode(), body.encode(), {}, bulk_token)


@pytest.mark.parametrize(
    "with_token",
    [
        request(f"idsite=1&token_auth={TOKEN}&url=x"),
        request(f"token%5Fauth={TOKEN}&idsite=1&url=x"),
        request("idsite=1&url=x", body=f"token_auth={TOKEN}"),
        request(f"idsite=1&token_auth={TOKEN[:-2]}%65%66&url=x"),
        request("idsite=1&url=x", bulk_token=TOKEN),
        request("idsite=1&token_auth=&url=x", bulk_token=TOKEN),
    ],
)
def test_a_kept_request_has_the_hash_of_its_token_and_all_else(with_token: TrackingRequest) -> None:
    kept = sealed(with_token, str.upper)
    assert kept.token_hash == TOKEN.upper()
    assert TOKEN.encode() not in encode(kept)
    assert kept.query == b"idsite=1&url=x"
    assert token_of(kept) == ""


def test_the_token_of_the_request_counts_before_that_of_the_bulk_body() -> None:
    assert token_of(request("token_auth=a", body="token_auth=b", bulk_token="c")) == "a"
    assert token_of(request("", body="token_auth=b", bulk_token="c")) == "b"


def test_without_a_secret_key_the_token_is_dropped() -> None:
    kept = sealed(request(f"idsite=1&token_auth={TOKEN}"), None)
    assert (kept.query, kept.token_hash) == (b"idsite=1", "")


def test_a_request_without_a_token_stays_as_it_is() -> None:
    plain = request("idsite=1&url=https%3A%2F%2Fexample.org%2F%C3%28")
    assert sealed(plain, str.upper) == plain


def test_a_token_inside_a_url_is_hidden() -> None:
    assert without_tokens(f"url=https%3A%2F%2Fx%2F%3Ftoken_auth%3D{TOKEN}%26a%3D1&b=2".encode()) == (
        b"url=https%3A%2F%2Fx%2F%3Ftoken_auth%3D__TOKEN_AUTH__%26a%3D1&b=2"
    )


def test_a_record_of_a_former_version_is_still_read() -> None:
    former = msgspec.msgpack.encode([1.0, "192.0.2.1", b"idsite=1", b"", {}, "t"])
    assert decode(former).token_hash == ""


def test_tokens_in_headers_and_addresses_are_cut_out_although_the_request_has_none_of_its_own() -> None:
    page = f"https://x.example/?a=1&token_auth={TOKEN}&b=2"
    sent = msgspec.structs.replace(
        request("idsite=1&urlref=https%253A%252F%252Fx%252F%253Ftoken_auth%253D" + TOKEN), headers={"referer": page}
    )
    kept = sealed(sent, str.upper)
    assert kept.headers == {"referer": "https://x.example/?a=1&token_auth=__TOKEN_AUTH__&b=2"}
    assert TOKEN.encode() not in encode(kept)
    assert kept.token_hash == ""
