import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { ROOT } from '../support/doc-blocks.js'
import { skipWithout } from '../support/skip-reason.js'
import { until } from '../support/until.js'
import type { Test } from 'tap'

/** Values of the placeholders, `host:port` each. */
export interface Places {
  LISTEN: string
  GATEWAY_1: string
  GATEWAY_2: string
  RELAY_1: string
  RELAY_2: string
}

/** A configuration of docs/deploy, written with a certificate into a folder of its own. */
export interface Prepared {
  file: string
  /** The self-signed certificate, as PEM. */
  certificate: string
  /** Arguments that make the program run in the foreground. */
  run: string[]
  /** Arguments that make the program check the file. */
  check: string[]
  /** What the check prints if there is neither an error nor a warning. */
  valid: RegExp
}

export interface Balancer {
  name: 'nginx' | 'haproxy'
  /** Value for the `skip` of tap. */
  skip: string | false
  /** @param adapt changes the text further, such as its time-outs */
  prepare (t: Test, places: Places, adapt?: (text: string) => string): Prepared
}

// Debian has both programs in a folder that the PATH of a user may lack.
process.env.PATH += ':/usr/sbin'

export const nginx: Balancer = {
  name: 'nginx',
  skip: skipWithout('nginx') || skipWithout('openssl'),
  prepare (t, places, adapt) {
    const { folder, certificate } = prepareFolder(t)
    // The folders that Debian compiles in belong to root.
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n')
    const file = fillIn('nginx.conf', places, folder, (text) =>
      (adapt?.(text) ?? text).replaceAll('/var/log/nginx', folder).replace('http {', `http {\n${temporary}`))
    const given = ['-e', `${folder}/error.log`, '-c', file]
    const pid = `pid ${folder}/nginx.pid;`
    return {
      file,
      certificate,
      run: [...given, '-g', `daemon off; ${pid}`],
      check: ['-t', ...given, '-g', pid],
      valid: /^nginx: .* syntax is ok\nnginx: .* is successful\n$/
    }
  }
}

export const haproxy: Balancer = {
  name: 'haproxy',
  skip: skipWithout('haproxy') || skipWithout('openssl'),
  prepare (t, places, adapt) {
    const { folder, certificate } = prepareFolder(t)
    const file = fillIn('haproxy.cfg', places, folder, (text) => {
      const own = (adapt?.(text) ?? text).replaceAll('/run/haproxy', folder)
      // Only root may change the user or the root folder.
      return process.getuid?.() === 0 ? own : own.replace(/^ {2}(?:user|group|chroot) .*\n/gm, '')
    })
    return {
      file, certificate, run: ['-db', '-f', file], check: ['-c', '-f', file], valid: /^Configuration file is valid\n$/
    }
  }
}

function prepareFolder (t: Test): { folder: string, certificate: string } {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-balancer-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  // Workers run as another user.
  chmodSync(folder, 0o755)
  const certificate = join(folder, 'tls.pem')
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-keyout', `${certificate}.key`, '-out', certificate
  ], { stdio: 'ignore' })
  return { folder, certificate: readFileSync(certificate, 'utf8') }
}

function fillIn (name: string, places: Places, folder: string, adapt: (text: string) => string): string {
  const values: Record<string, string> = { ...places, CERTIFICATE: join(folder, 'tls.pem') }
  const text = readFileSync(`${ROOT}docs/deploy/${name}`, 'utf8').replace(/@([A-Z_\d]+)@/g, (_, word: string) => {
    const value = values[word]
    if (value === undefined) throw new Error(`${name} has an unknown placeholder @${word}@`)
    return value
  })
  const file = join(folder, name)
  writeFileSync(file, adapt(text))
  return file
}

/** Starts the program with its file of docs/deploy, stopped with the test. @returns the certificate, as PEM */
export async function startBalancer (
  t: Test, { name, prepare }: Balancer, places: Places, adapt?: (text: string) => string
): Promise<string> {
  const { run, certificate } = prepare(t, places, adapt)
  const child = spawn(name, run, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { output += chunk.toString() })
  const exited = new Promise((resolve) => child.once('close', resolve))
  t.teardown(async () => {
    // SIGKILL would leave the workers of nginx behind.
    child.kill('SIGTERM')
    await exited
  })
  await until(async () => child.exitCode !== null || await acceptsTls(places.LISTEN), `${name} to listen`)
  if (child.exitCode !== null) throw new Error(`${name} did not start: ${output}`)
  return certificate
}

async function acceptsTls (place: string): Promise<boolean> {
  const [host, port] = place.split(':')
  return await new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
