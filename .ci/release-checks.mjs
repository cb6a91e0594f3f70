// Checks of a release that need no build, and the links of the published README.

const HEADING = /^## \[(?<name>[^\]]+)\](?: - (?<date>\S+))?$/

/** Sections of a changelog in the form of Keep a Changelog, newest first. */
function sectionsOf (changelog) {
  const sections = []
  for (const line of changelog.split('\n')) {
    const heading = HEADING.exec(line)?.groups
    if (heading !== undefined) sections.push({ ...heading, entries: 0 })
    else if (line.startsWith('- ') && sections.length > 0) sections.at(-1).entries++
  }
  return sections
}

/**
 * @param manifest `package.json`
 * @param lock `package-lock.json`
 * @param today as in a changelog, 2026-11-28
 * @returns a sentence for each reason not to release
 */
export function faultsOfRelease ({ manifest, lock, changelog, today }) {
  const { version } = manifest
  const faults = []
  if (lock.version !== version) {
    faults.push(`package-lock.json has version ${lock.version}, package.json ${version}: ` +
      'run "npm install --package-lock-only"')
  }
  const [first, ...others] = sectionsOf(changelog)
  const isUnreleased = first?.name === 'Unreleased'
  const latest = isUnreleased ? others[0] : first
  if (isUnreleased && first.entries > 0) {
    faults.push(`CHANGELOG.md has entries under "Unreleased": move them under "## [${version}] - ${today}"`)
  }
  if (latest?.name !== version) {
    faults.push(`CHANGELOG.md has ${latest?.name ?? 'no version'} as the newest version, package.json ${version}: ` +
      `add "## [${version}] - ${today}", or change the version`)
    return faults
  }
  if (latest.entries === 0) faults.push(`CHANGELOG.md has no entry for ${version}: add a line that begins with "- "`)
  if (!/^\d{4}-\d\d-\d\d$/.test(latest.date ?? '') || latest.date > today) {
    faults.push(`CHANGELOG.md needs the date of ${version}, not later than today: "## [${version}] - ${today}"`)
  }
  return faults
}

/** @returns a sentence for each thing that a publication with provenance still lacks */
export function lacksForProvenance ({ manifest, env }) {
  const lacks = []
  if (manifest.repository === undefined) lacks.push('To publish with provenance, name the "repository" in package.json: the registry compares it')
  if (env.ACTIONS_ID_TOKEN_REQUEST_URL === undefined && env.SIGSTORE_ID_TOKEN === undefined) {
    lacks.push('To publish with provenance, use a CI job that may ask for an identity: on GitHub, "id-token: write"')
  }
  return lacks
}

/**
 * Makes relative links and pictures of a Markdown text absolute. A link to a file that is not shipped keeps its text.
 *
 * @param isShipped says whether the package holds a path
 */
export function withAbsoluteLinks (markdown, base, isShipped) {
  return markdown.replaceAll(/\[(?<text>[^\]]*)\]\((?!#|[a-z]+:)(?<path>[^)#]+)(?<hash>#[^)]*)?\)/g,
    (_link, text, path, hash = '') => isShipped(path) ? `[${text}](${base}${path}${hash})` : text)
}
