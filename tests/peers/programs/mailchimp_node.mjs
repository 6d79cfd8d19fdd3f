// Everything that Mailchimp's own SDK for Node reads of an audience.
import mailchimp from '@mailchimp/mailchimp_marketing';

const told = JSON.parse(process.env.SYSTEM);
mailchimp.setConfig({ apiKey: told.api_key, server: 'us1' });
for (const api of Object.values(mailchimp)) if (api && api.apiClient) api.apiClient.basePath = told.base_url + '/3.0';
const people = {};
for (let offset = 0, total = 1; offset < total; offset += 100) {
  const page = await mailchimp.lists.getListMembersInfo(told.list_id, { count: 100, offset });
  for (const each of page.members) people[each.contact_id] = each.email_address;
  total = page.total_items;
}
const lists = await mailchimp.lists.getAllLists();
const batch = await mailchimp.lists.batchListMembers(told.list_id, {
  members: [{ email_address: Object.values(people)[0], status: 'subscribed' }],
});
if (batch.error_count !== 1) throw new Error('a member who is there was made again');
console.log(JSON.stringify({ people, also: { lists: lists.total_items } }));
