import type { PluginServer } from 'rawhttp'
import type { CertificateOptions, PemInput, TlsSettings } from './options.ts'
import { chainOf, type Pair, readPair } from './pair.ts'
import { type PemSource, pemSource, readPem } from './pem.ts'
import { Watched } from './watched.ts'

/** What the options name, read and checked. */
export interface Sources {
  /** Empty when the config names no certificate. */
  readonly pairs: readonly Watched<Pair>[]
  readonly ca: Watched<readonly string[]> | null
}

type Resolve = PluginServer['resolve']

/**
 * Reads everything that the options name.
 *
 * @throws ConfigError for the first thing that is missing or broken.
 */
export async function openSources(settings: TlsSettings, resolve: Resolve): Promise<Sources> {
  const pairs: Watched<Pair>[] = []
  for (const [at, options] of certificatesOf(settings)) pairs.push(await openPair(at, options, resolve))
  const { clientCertificates } = settings
  return { pairs, ca: clientCertificates === undefined ? null : await openCa(clientCertificates.ca, resolve) }
}

/** Each certificate with what stands before its options' names. */
function certificatesOf(settings: TlsSettings): (readonly [at: string, options: CertificateOptions])[] {
  const { cert, key, passphrase, certificates } = settings
  if (certificates !== undefined) return certificates.map((options, at) => [`certificates[${at}].`, options])
  return cert === undefined ? [] : [['', { cert, key: key!, passphrase, hosts: undefined }]]
}

function openPair(at: string, options: CertificateOptions, resolve: Resolve): Promise<Watched<Pair>> {
  const cert = pemSource(`${at}cert`, options.cert, resolve)
  const key = pemSource(`${at}key`, options.key, resolve)
  const hosts = options.hosts?.map(host => host.toLowerCase())
  const source = { cert, key, passphrase: options.passphrase, hosts }
  return Watched.open(filesOf([cert, key]), () => readPair(source))
}

function openCa(
  input: PemInput | readonly PemInput[],
  resolve: Resolve,
): Promise<Watched<readonly string[]>> {
  const option = 'clientCertificates.ca'
  const sources = isList(input)
    ? input.map((one, at) => pemSource(`${option}[${at}]`, one, resolve))
    : [pemSource(option, input, resolve)]
  return Watched.open(filesOf(sources), async () => (await Promise.all(sources.map(readCa))).flat())
}

async function readCa(source: PemSource): Promise<string[]> {
  return chainOf(source, await readPem(source)).map(String)
}

const isList = (input: PemInput | readonly PemInput[]): input is readonly PemInput[] => Array.isArray(input)

const filesOf = (sources: readonly PemSource[]): string[] =>
  sources.flatMap(({ file }) => (file === null ? [] : [file]))
