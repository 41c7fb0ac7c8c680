import { connect, type Socket } from 'node:net'
import { parseArgs } from 'node:util'

// Sends --count requests over 64 connections, one at a time on each, to --sites hosts that have --pages of the --what
// each, in turn. h2load has one Host for all that it sends.
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    count: { type: 'string' },
    sites: { type: 'string' },
    /** Addresses of each site: as many for every server, so that they differ in nothing but where they stand. */
    pages: { type: 'string' },
    /** `route` or `file`. */
    what: { type: 'string' },
    routes: { type: 'string', default: '10' },
    alike: { type: 'boolean', default: false },
  },
})
const connections = 64
const { hostname, port } = new URL(values.url!)
const [sites, pages, routes] = [values.sites, values.pages, values.routes].map(Number) as [
  number,
  number,
  number,
]
let left = Number(values.count)

const four = (number: number): string => String(number).padStart(4, '0')

// All addresses come by and by: neighbours in time are none in memory.
let turn = 0
function nextRequest(): string {
  turn = (turn + 7919) % (sites * pages)
  const site = turn % sites
  const page = Math.floor(turn / sites)
  const path =
    values.what === 'file'
      ? `/${four(page)}.html`
      : `/r${four((values.alike ? 0 : site * routes) + (page % routes))}/${four(page)}`
  return `GET ${path} HTTP/1.1\r\nHost: s${four(site)}.example\r\nAccept-Encoding: br\r\n\r\n`
}

/** Calls back with the status of each answer. Every answer here has a Content-Length. */
function readAnswers(socket: Socket, answered: (status: string) => void): void {
  let rest = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    rest += text
    for (;;) {
      const head = rest.indexOf('\r\n\r\n')
      if (head === -1) return
      const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(rest.slice(0, head + 2))?.[1])
      const end = head + 4 + length
      // Also for no length at all.
      if (!(rest.length >= end)) return
      const status = rest.slice(9, 12)
      rest = rest.slice(end)
      answered(status)
    }
  })
}

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    const ask = () => {
      if (left-- > 0) socket.write(nextRequest(), 'latin1')
      else resolve(void socket.destroy())
    }
    socket.setNoDelay(true).once('connect', ask)
    socket.once('error', reject)
    socket.once('end', () => reject(new Error('The server closed a connection.')))
    readAnswers(socket, status => {
      if (status !== '200') reject(new Error(`An answer has status ${status}.`))
      else ask()
    })
  })
}

// A client that sleeps has to be woken, and the server pays for it: so this one never does.
const stay = (): void => {
  if (left > 0) setImmediate(stay)
}
stay()
await Promise.all(Array.from({ length: connections }, open))
