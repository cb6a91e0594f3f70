import type { Test } from 'tap'
import type { Finding, Subject } from '../../../lib/cli/doctor/finding.js'

/** The times that a deployment has by default. */
export const TIMES = { lease: 6000, heartbeat: 2000, linger: 20_000 }

/** Variables of the machine that must not reach a test. */
export const NO_ENV = {
  REDIS_URL: '',
  ZOOKEEPER_HOSTS: '',
  ZOOKEEPER_AUTH: '',
  COBROWSE_PREFIX: '',
  COBROWSE_KEY: '',
  COBROWSE_KEY_ID: '',
  COBROWSE_TOKEN: '',
  PROVISION_URL: '',
  PROVISION_PICK: '',
  PROVISION_AUTHORIZATION: ''
}

/** Expects one finding about a subject with this outcome and text, and a fix unless all is well. */
export function expectFinding (
  t: Test, findings: Finding[], [subject, outcome, text]: [Subject, Finding['outcome'], RegExp]
): void {
  const found = findings.filter((finding) => finding.subject === subject && finding.outcome === outcome)
  const line = found.find((finding) => text.test(finding.text))
  t.ok(line !== undefined, `${outcome} ${subject} ${text.source}`, { findings })
  if (outcome === 'warning' || outcome === 'fault') t.not(line?.fix ?? '', '', `${subject}: a fix`)
}

/** The subjects that are not well, each with its outcome. */
export function troublesIn (findings: Finding[]): string[] {
  return findings.filter(({ outcome }) => outcome === 'warning' || outcome === 'fault')
    .map(({ outcome, subject }) => `${outcome} ${subject}`)
}
