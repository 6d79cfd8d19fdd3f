// Everything that HubSpot's own SDK for Node reads of an account.
import { Client } from '@hubspot/api-client';

const told = JSON.parse(process.env.SYSTEM);
const client = new Client({ accessToken: told.token, basePath: told.base_url });
const contacts = await client.crm.contacts.getAll(undefined, undefined, ['email']);
const wanted = {
  filterGroups: [{ filters: [{ propertyName: 'email', operator: 'EQ', value: contacts[0].properties.email }] }],
  properties: ['email'],
  sorts: [],
  limit: 10,
  after: '0',
};
// The search is some seconds late, as HubSpot's is.
let found = { total: 0 };
for (let tries = 0; tries < 20 && found.total === 0; tries += 1) {
  found = await client.crm.contacts.searchApi.doSearch(wanted);
  if (found.total === 0) await new Promise((done) => setTimeout(done, 1000));
}
if (found.total !== 1) throw new Error(`the search found ${found.total}`);
const owners = await client.crm.owners.ownersApi.getPage();
const people = Object.fromEntries(contacts.map((each) => [each.id, each.properties.email]));
console.log(JSON.stringify({ people, also: { owners: owners.results.length > 0 } }));
