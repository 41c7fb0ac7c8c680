import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { needTool } from './tools.ts'

/** A key and a certificate for localhost that nobody vouches for, made by openssl. */
export async function makeCertificate(): Promise<{ readonly key: string; readonly cert: string }> {
  const openssl = needTool('openssl', 'openssl')
  const folder = await mkdtemp(join(tmpdir(), 'rawhttp-certificate-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const subject = ['-subj', '/CN=localhost', '-days', '1', '-keyout', key, '-out', cert]
  try {
    await promisify(execFile)(openssl, [...request, ...subject])
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
  } finally {
    await rm(folder, { recursive: true })
  }
}
