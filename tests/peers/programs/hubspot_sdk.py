"""Everything that HubSpot's own SDK for Python reads of an account."""

import json
import os

from hubspot import HubSpot
from hubspot.crm.contacts import BatchReadInputSimplePublicObjectId, SimplePublicObjectInput

told = json.loads(os.environ["SYSTEM"])
client = HubSpot(access_token=told["token"], host=told["base_url"])

contacts = client.crm.contacts.get_all(properties=["email", "lastname"])
some = [{"id": each.id} for each in contacts[:50]]
batch = client.crm.contacts.batch_api.read(
    BatchReadInputSimplePublicObjectId(properties=["email"], properties_with_history=[], inputs=some)
)
assert len(batch.results) == len(some)
first = contacts[0]
client.crm.contacts.basic_api.update(first.id, SimplePublicObjectInput(properties={"jobtitle": "Peer"}))
again = client.crm.contacts.basic_api.get_by_id(first.id, properties=["jobtitle"])
assert again.properties["jobtitle"] == "Peer"
archived = client.crm.contacts.get_all(archived=True, properties=["email"])
properties = client.crm.properties.core_api.get_all("contacts")
owners = client.crm.owners.get_all()
print(
    json.dumps(
        {
            "people": {each.id: each.properties["email"] for each in contacts},
            "also": {"archived": len(archived), "properties": len(properties.results) > 0, "owners": len(owners) > 0},
        }
    )
)
