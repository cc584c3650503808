// What imapflow is used for, on an account whose INBOX holds attachment-pdf.eml, html-alternative.eml
// and plain.eml: node imapflow.cjs HOST PORT USER PASSWORD MAIL-FOLDER. Any surprise is an exception.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { once } = require('node:events');
const { ImapFlow } = require('imapflow');

const [host, port, user, pass, mail] = process.argv.slice(2);

function made(more = {}) {
    return new ImapFlow({
        host, port: Number(port), secure: false, auth: { user, pass }, logger: false,
        tls: { rejectUnauthorized: false }, ...more,
    });
}

async function connected() {
    const client = made();
    await client.connect();
    return client;
}

const octets = name => fs.readFileSync(path.join(mail, name), 'latin1').replace(/\n/g, '\r\n');

async function collected(stream) {
    const pieces = [];
    for await (const piece of stream)
        pieces.push(piece);
    return Buffer.concat(pieces);
}

async function folders(client) {
    const uses = {};
    for (const box of await client.list({ statusQuery: { messages: true, unseen: true } })) {
        uses[box.path] = box.specialUse;
        assert.equal(box.delimiter, '/');
        assert.equal(box.status.messages, box.path === 'INBOX' ? 3 : 0);
    }
    assert.deepEqual(uses, { INBOX: '\\Inbox', Archive: '\\Archive', Drafts: '\\Drafts',
        Junk: '\\Junk', Sent: '\\Sent', Trash: '\\Trash' });
    assert.equal((await client.mailboxCreate(['Kunden', 'Müller & Söhne'])).created, true);
    assert.equal((await client.mailboxCreate('Kunden/Müller & Söhne')).created, false);
    await client.mailboxSubscribe('Kunden/Müller & Söhne');
    await client.mailboxRename('Kunden', 'Customers');
    const names = (await client.list()).map(box => box.path);
    assert(names.includes('Customers/Müller & Söhne') && !names.includes('Kunden'));
    await client.mailboxDelete('Customers/Müller & Söhne');
    await client.mailboxDelete('Customers');
    assert.equal((await client.status('INBOX', { uidNext: true })).uidNext, 4);
}

async function reading(client) {
    const box = await client.mailboxOpen('INBOX');
    assert.equal(box.exists, 3);
    assert.equal(box.uidNext, 4);
    const found = {};
    for await (const message of client.fetch('1:*', {
        uid: true, flags: true, envelope: true, bodyStructure: true, size: true, internalDate: true,
        headers: ['x-priority', 'content-language'],
    }))
        found[message.uid] = message;
    assert.deepEqual(Object.keys(found), ['1', '2', '3']);
    assert.equal(found[1].envelope.subject, 'Rechnung 2026-1187 für Oktober');
    assert.equal(found[1].envelope.from[0].name, 'Hosting Müller GmbH');
    assert.equal(found[1].size, octets('attachment-pdf.eml').length);
    assert.match(found[1].headers.toString(), /^Content-Language: de\r\nX-Priority: 3\r\n/m);
    assert.deepEqual(found[1].bodyStructure.childNodes.map(node => node.type),
        ['text/plain', 'application/pdf']);
    assert.equal(found[1].bodyStructure.childNodes[1].dispositionParameters.filename,
        'Rechnung Müller 2026-1187.pdf');
    assert.equal(found[2].bodyStructure.type, 'multipart/alternative');

    const { source } = await client.fetchOne('3', { source: true });
    assert.equal(source.toString('latin1'), octets('plain.eml'));
    const part = await client.download('1', '2', { uid: true });
    assert.equal(part.meta.contentType, 'application/pdf');
    const pdf = await collected(part.content);
    assert.equal(pdf.subarray(0, 8).toString(), '%PDF-1.4');
    assert.equal(pdf.length, 561);
    const text = await client.download('1', '1', { uid: true });
    assert.match((await collected(text.content)).toString(), /über 184,50 €/);
    assert(!(await client.fetchOne('1', { flags: true })).flags.has('\\Seen'), 'it only peeks');
}

async function searching(client) {
    assert.deepEqual(await client.search({ all: true }, { uid: true }), [1, 2, 3]);
    assert.deepEqual(await client.search({ subject: 'für' }, { uid: true }), [1]);
    assert.deepEqual(await client.search({ body: 'Brake pads', seen: false }, { uid: true }), [2]);
    assert.deepEqual(await client.search({ or: [{ from: 'anna' }, { to: 'nobody' }] },
        { uid: true }), [3]);
    assert.deepEqual(await client.search({ sentBefore: '2026-11-05', larger: 1000 },
        { uid: true }), [1]);
    assert.deepEqual(await client.search({ keyword: '$Never' }, { uid: true }), []);
}

async function changing(client) {
    assert(await client.messageFlagsAdd('1:2', ['\\Seen', '$Later'], { uid: true }));
    assert(await client.messageFlagsRemove('2', ['\\Seen'], { uid: true }));
    assert(await client.messageFlagsSet('3', ['\\Flagged'], { uid: true }));
    const flags = {};
    for await (const message of client.fetch('1:*', { flags: true }))
        flags[message.uid] = [...message.flags].filter(flag => flag !== '\\Recent').sort();
    assert.deepEqual(flags, { 1: ['$Later', '\\Seen'], 2: ['$Later'], 3: ['\\Flagged'] });

    const draft = await client.append('Drafts', octets('plain.eml'), ['\\Draft', '\\Seen'],
        new Date('2026-11-17T10:00:00Z'));
    assert.equal(draft.destination, 'Drafts');
    assert.equal(draft.uid, 1);
    const copied = await client.messageCopy('1,3', 'Archive', { uid: true });
    assert.deepEqual([...copied.uidMap], [[1, 1], [3, 2]]);
    const moved = await client.messageMove('2', 'Trash', { uid: true });
    assert.deepEqual([...moved.uidMap], [[2, 1]]);
    assert.equal(client.mailbox.exists, 2);
    assert(await client.messageDelete('1', { uid: true }));
    assert.deepEqual(await client.search({ all: true }, { uid: true }), [3]);

    const lock = await client.getMailboxLock('Drafts', { readOnly: true });
    const message = await client.fetchOne('1', { flags: true, internalDate: true });
    assert(message.flags.has('\\Draft'));
    assert.equal(message.internalDate.toISOString(), '2026-11-17T10:00:00.000Z');
    lock.release();
}

async function hearing(client) {
    const other = await connected();
    await client.mailboxOpen('INBOX');
    const idling = client.idle();
    const exists = once(client, 'exists');
    await other.append('INBOX', octets('html-alternative.eml'));
    const [news] = await exists;
    assert.deepEqual([news.path, news.prevCount, news.count], ['INBOX', 1, 2]);
    await other.mailboxOpen('INBOX');
    const flags = once(client, 'flags');
    await other.messageFlagsAdd('2', ['\\Answered']);
    assert((await flags)[0].flags.has('\\Answered'));
    const expunge = once(client, 'expunge');
    await other.messageDelete('1');
    assert.equal((await expunge)[0].seq, 1);
    await other.logout();
    await client.noop();
    await idling;
    assert.equal((await client.fetchOne('*', { uid: true })).uid, 4);
}

(async () => {
    const client = await connected();
    assert.equal(client.serverInfo.name, 'Tandem');
    assert(client.secureConnection, 'by STARTTLS');
    await folders(client);
    await reading(client);
    await searching(client);
    await changing(client);
    await hearing(client);
    await client.logout();
    const stranger = made({ auth: { user, pass: 'wrong' } });
    await assert.rejects(stranger.connect(), error => error.authenticationFailed &&
        error.serverResponseCode === 'AUTHENTICATIONFAILED');
    stranger.close();
})().catch(error => {
    console.error(error);
    process.exit(1);
});
