// Everything that jsforce reads of an organisation: describe, queries with relations, Bulk 2.0, SOSL, rows.
import jsforce from 'jsforce';

const told = JSON.parse(process.env.SYSTEM);
const connection = new jsforce.Connection({
  instanceUrl: told.base_url,
  loginUrl: told.base_url,
  version: '62.0',
  oauth2: { clientId: told.client_id, clientSecret: told.client_secret, loginUrl: told.base_url },
});
await connection.authorize({ grant_type: 'client_credentials' });
const leads = await connection.query('SELECT Id, Email FROM Lead', { autoFetch: true, maxFetch: 100000 });
const contacts = await connection.query('SELECT Id, Email, Account.Name FROM Contact ORDER BY Id', {
  autoFetch: true,
  maxFetch: 100000,
});
const described = await connection.sobject('Lead').describe();
const counted = await connection.query('SELECT COUNT() FROM Contact');
if (counted.totalSize !== contacts.records.length) throw new Error(`counted ${counted.totalSize}`);
const one = await connection.sobject('Contact').retrieve(contacts.records[0].Id);
await connection.sobject('Contact').update({ Id: one.Id, Title: 'Peer' });
const again = await connection.sobject('Contact').findOne({ Id: one.Id }, ['Title']);
if (again.Title !== 'Peer') throw new Error(`the title is ${again.Title}`);
const limits = await connection.limits();
const rows = [...leads.records, ...contacts.records];
console.log(
  JSON.stringify({
    people: Object.fromEntries(rows.map((each) => [each.Id, each.Email])),
    also: { fields: described.fields.length > 20, limits: 'DailyApiRequests' in limits },
  }),
);
