"""What aiosalesforce reads and writes: queries, rows, limits, Bulk 2.0."""

import asyncio
import json
import os

import httpx
from aiosalesforce import Salesforce
from aiosalesforce.auth import ClientCredentialsFlow

told = json.loads(os.environ["SYSTEM"])
there = httpx.URL(told["base_url"])


class Elsewhere(httpx.AsyncHTTPTransport):
    """It takes addresses of the vendor alone: they are answered by the stand-in."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme=there.scheme, host=there.host, port=there.port)
        return await super().handle_async_request(request)


async def main() -> None:
    flow = ClientCredentialsFlow(told["client_id"], told["client_secret"])
    async with httpx.AsyncClient(transport=Elsewhere()) as http:
        client = Salesforce(http, "https://peer.my.salesforce.com", flow, version="62.0")
        people = {}
        for name in ("Lead", "Contact"):
            async for row in client.query(f"SELECT Id, Email FROM {name}"):
                people[row["Id"]] = row["Email"]
        one = next(each for each in people if each.startswith("003"))
        await client.sobject.update("Contact", one, {"Title": "Peer"})
        assert (await client.sobject.get("Contact", one))["Title"] == "Peer"
        await client.bulk_v2.update("Contact", [{"Id": one, "Title": "Bulk"}])
        assert (await client.sobject.get("Contact", one))["Title"] == "Bulk"
        limits = await client.get_limits()
        print(json.dumps({"people": people, "also": {"limits": "DailyApiRequests" in limits}}))


asyncio.run(main())
