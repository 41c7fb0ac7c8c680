import { get, getOf, request, smuggled } from '../bytes.ts'
import { closed, echoed, kept, must, policy, type Row, type Table } from '../row.ts'

const offer = ['Connection: upgrade', 'Upgrade: echo']
const switched = { status: 101, fields: { connection: 'upgrade', upgrade: 'echo' } }

/** The connection speaks the new protocol, and this came back by it. */
const spoken = (rest: string) => ({ answers: [switched], afterwards: 'closed' as const, rest })

const ignoredRows: readonly Row[] = [
  must(
    '9110 7.8',
    'an offer that nobody takes is ignored',
    get('Connection: upgrade', 'Upgrade: unknown/1'),
    echoed({ method: 'GET' }),
  ),
  must(
    '9110 7.8',
    'an offer of h2c is ignored',
    get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA'),
    echoed({ method: 'GET' }),
  ),
  must(
    '9110 7.8',
    'the request behind an ignored offer is the next one',
    get(...offer) + getOf('/2'),
    echoed({ path: '/' }, { path: '/2' }),
  ),
  must(
    '9110 7.8',
    'Upgrade that Connection does not name is no offer',
    getOf('/upgrade', 'Upgrade: echo'),
    kept({ status: 426, fields: { upgrade: 'echo', connection: 'upgrade' } }),
  ),
  must(
    '9110 7.8',
    'Upgrade that Connection names otherwise is no offer',
    getOf('/upgrade', 'Connection: upgraded, x-upgrade', 'Upgrade: echo'),
    kept({ status: 426 }),
  ),
  must(
    '9110 7.8',
    'HTTP/1.0 cannot offer',
    request('GET /upgrade HTTP/1.0', 'Connection: upgrade', 'Upgrade: echo'),
    closed({ status: 426, fields: { upgrade: 'echo', connection: 'close, upgrade' } }),
  ),
  must(
    '9110 7.8',
    'a handler does not see what is no offer',
    get('Upgrade: echo', 'X: v', 'Upgrade: echo'),
    echoed({
      headers: [
        ['host', 'a'],
        ['x', 'v'],
      ],
    }),
  ),
  must(
    '9110 7.8',
    'a handler sees an offer',
    get(...offer),
    echoed({
      headers: [
        ['host', 'a'],
        ['connection', 'upgrade'],
        ['upgrade', 'echo'],
      ],
    }),
  ),
  must(
    '9110 7.8',
    'a request behind what is no offer is the next one',
    getOf('/upgrade', 'Upgrade: echo') + getOf('/2'),
    kept({ status: 426 }, { status: 200, saw: { path: '/2' } }),
  ),
  must(
    '9110 7.8',
    'an ignored offer may come with a body',
    `${request('POST / HTTP/1.1', 'Host: a', ...offer, 'Content-Length: 5')}hello`,
    echoed({ body: 'hello' }),
  ),
  must(
    '9110 15.5.22',
    'who must upgrade is told so with 426',
    getOf('/upgrade'),
    kept({ status: 426, fields: { upgrade: 'echo', connection: 'upgrade' } }),
  ),
]

const takenRows: readonly Row[] = [
  must(
    '9110 7.8',
    'an offer that is taken is answered 101',
    [getOf('/upgrade', ...offer), { answer: switched }, 'hello.'],
    { answers: [], afterwards: 'closed', rest: 'hello.' },
  ),
  must(
    '9110 7.8',
    'the bytes behind the offer go to the new protocol',
    `${getOf('/upgrade', ...offer)}hello.`,
    spoken('hello.'),
  ),
  must(
    '9110 7.8',
    'a request behind the offer goes to the new protocol',
    `${getOf('/upgrade', ...offer)}${smuggled}.`,
    spoken(`${smuggled}.`),
  ),
  must(
    '9110 7.8',
    'the offer may come byte by byte',
    [{ bytewise: getOf('/upgrade', ...offer) }, 'hello.'],
    spoken('hello.'),
  ),
  must(
    '9110 7.8',
    'Connection is a list, its options in any case',
    `${getOf('/upgrade', 'Connection: keep-alive, UPGRADE', 'Upgrade: echo')}hello.`,
    spoken('hello.'),
  ),
  must(
    '9112 9.3.2',
    'an offer waits for the answers before it',
    `${getOf('/later')}${getOf('/upgrade', ...offer)}hello.`,
    {
      answers: [{ status: 200, body: 'later' }, switched],
      afterwards: 'closed',
      rest: 'hello.',
    },
  ),
  policy(
    '9110 7.8',
    'a handler may write the 101 itself',
    `${getOf('/raw-upgrade', ...offer)}hello.`,
    spoken('hello.'),
  ),
]

export const upgrade: Table = { topic: 'Upgrade', rows: [...ignoredRows, ...takenRows] }
