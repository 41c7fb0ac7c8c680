import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { needTool } from '../../support/tools.ts'

/** Files of a chain as certificate authorities give it. */
export interface Chain {
  /** What clients have to trust. */
  readonly root: string
  /** The server's certificate and the one that issued it. */
  readonly cert: string
  readonly key: string
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
const AUTHORITY = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']
const SERVER = [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=serverAuth',
  'subjectAltName=DNS:localhost,IP:127.0.0.1',
]

/** Makes a root, an intermediate and a certificate for localhost with openssl. */
export async function makeChain(folder: string): Promise<Chain> {
  const file = (name: string) => join(folder, name)
  const openssl = needTool('openssl', 'openssl')
  const make = async (name: string, extensions: readonly string[], issuer?: string) => {
    const by = issuer === undefined ? [] : ['-CA', file(`${issuer}.pem`), '-CAkey', file(`${issuer}.key`)]
    const request = ['req', '-x509', ...by, ...EC, '-nodes', '-days', '30', '-subj', `/CN=${name}`]
    const more = extensions.flatMap(extension => ['-addext', extension])
    await promisify(execFile)(openssl, [
      ...request,
      ...more,
      ...['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)],
    ])
  }
  await make('root', AUTHORITY.slice(1))
  await make('intermediate', AUTHORITY, 'root')
  await make('localhost', SERVER, 'intermediate')
  const cert = file('chain.pem')
  const parts = await Promise.all(['localhost', 'intermediate'].map(name => readFile(file(`${name}.pem`))))
  await writeFile(cert, Buffer.concat(parts))
  return { root: file('root.pem'), cert, key: file('localhost.key') }
}
