import { toPrintable } from '../table.js'
import type { Finding } from './finding.js'
import type { Secrets } from './secrets.js'

const OUTCOMES = ['ok', 'warning', 'fault', 'not checked'] as const
const OUTCOME_WIDTH = 13
const SUBJECT_WIDTH = 17
const MAX_LENGTH = 500

/** Makes findings fit to be printed: without secrets, and without control characters of a store. */
export function cleanse (findings: Finding[], secrets: Secrets): Finding[] {
  const clean = (text: string) => toPrintable(secrets.hide(text)).slice(0, MAX_LENGTH)
  return findings.map(({ fix, text, ...finding }) =>
    ({ ...finding, text: clean(text), ...fix !== undefined && { fix: clean(fix) } }))
}

/** One line for each finding, the fix in the next one, and a summary. */
export function toLines (findings: Finding[]): string {
  const lines = findings.flatMap(({ outcome, subject, text, fix }) => {
    const line = `${outcome.padEnd(OUTCOME_WIDTH)}${subject.padEnd(SUBJECT_WIDTH)}${text}`
    return fix === undefined ? [line] : [line, `${' '.repeat(OUTCOME_WIDTH + SUBJECT_WIDTH)}fix: ${fix}`]
  })
  const counts = OUTCOMES.map((outcome) => `${countOf(findings, outcome)} ${outcome}`)
  return [...lines, counts.join(', '), ''].join('\n')
}

export function countOf (findings: Finding[], outcome: Finding['outcome']): number {
  return findings.filter((finding) => finding.outcome === outcome).length
}
