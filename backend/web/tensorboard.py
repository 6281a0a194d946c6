"""TensorBoard through our own port and token: it listens only on loopback, at PORT + 1."""

from collections.abc import AsyncIterator

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

NOT_HANDED_ON = {"host", "cookie", "authorization", "origin", "connection", "keep-alive", "te", "upgrade"}
NOT_HANDED_BACK = {"connection", "keep-alive", "transfer-encoding", "x-frame-options"}
TIMEOUT_S = 30.0


class TensorBoard:
    """Hands requests on to the TensorBoard of this run."""

    def __init__(self, port: int, token: str | None) -> None:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        transport = httpx.AsyncHTTPTransport(verify=False)  # plain HTTP on loopback: no certificate need be read
        self._client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers=headers,
            timeout=TIMEOUT_S,
            trust_env=False,
            transport=transport,
        )

    async def answer(self, request: Request) -> Response:
        """The answer of TensorBoard to this request, or one sentence while TensorBoard does not run."""
        headers = [(name, value) for name, value in request.headers.items() if name not in NOT_HANDED_ON]
        try:
            url = httpx.URL(path=request.scope["path"], query=request.scope["query_string"])
        except httpx.InvalidURL:
            return JSONResponse({"detail": "TensorBoard has no such page."}, 404)
        asked = self._client.build_request(request.method, url, headers=headers, content=await request.body())
        try:
            answered = await self._client.send(asked, stream=True)
        except httpx.HTTPError:
            return JSONResponse({"detail": "TensorBoard does not answer; it may still be starting."}, 502)
        kept = {name: value for name, value in answered.headers.items() if name not in NOT_HANDED_BACK}
        if "content-security-policy" in kept:  # TensorBoard lets anybody frame it.
            kept["content-security-policy"] += ", frame-ancestors 'self'"
        return StreamingResponse(_body(answered), answered.status_code, kept)

    async def close(self) -> None:
        """Close the connections to TensorBoard."""
        await self._client.aclose()


async def _body(answered: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answered.aiter_raw():
            yield chunk
    finally:
        await answered.aclose()
