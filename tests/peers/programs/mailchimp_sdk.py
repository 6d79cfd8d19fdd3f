"""Everything that Mailchimp's own SDK for Python reads of an audience."""

import hashlib
import json
import os

import mailchimp_marketing

told = json.loads(os.environ["SYSTEM"])
client = mailchimp_marketing.Client()
client.set_config({"api_key": told["api_key"], "server": "us1"})
client.api_client.host = told["base_url"] + "/3.0"
assert client.ping.get()["health_status"]
at = told["list_id"]
people, offset = {}, 0
while True:
    page = client.lists.get_list_members_info(at, count=50, offset=offset)
    people |= {each["contact_id"]: each["email_address"] for each in page["members"]}
    offset += 50
    if offset >= page["total_items"]:
        break
name = hashlib.md5(next(iter(people.values())).lower().encode(), usedforsecurity=False).hexdigest()
client.lists.update_list_member(at, name, {"merge_fields": {"FNAME": "Peer"}})
assert client.lists.get_list_member(at, name)["merge_fields"]["FNAME"] == "Peer"
client.lists.update_list_member_tags(at, name, {"tags": [{"name": "peer", "status": "active"}]})
fields = client.lists.get_list_merge_fields(at)["merge_fields"]
print(
    json.dumps(
        {"people": people, "also": {"fields": len(fields), "lists": client.lists.get_all_lists()["total_items"]}}
    )
)
