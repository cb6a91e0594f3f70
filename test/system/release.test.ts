import t from 'tap'
import { faultsOfRelease, lacksForProvenance, withAbsoluteLinks } from '../../.ci/release-checks.mjs'

const TODAY = '2026-11-28'
const HEAD = '# Changelog\n\n## [Unreleased]\n'
const GOOD = `${HEAD}\n## [0.2.0] - 2026-11-27\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-11-01\n\n- The first.\n`

interface Versions {
  version?: string
  lockVersion?: string
}

function faultsOf (changelog: string, { version = '0.2.0', lockVersion = version }: Versions = {}): string[] {
  return faultsOfRelease({ manifest: { version }, lock: { version: lockVersion }, changelog, today: TODAY })
}

t.test('the check of a release – version, lock file and changelog agree – finds no fault', async (t) => {
  t.strictSame(faultsOf(GOOD), [])
  t.strictSame(faultsOf(GOOD.replace('## [Unreleased]\n', '')), [], 'without a section for unreleased changes')
})

t.test('the check of a release – something disagrees – names the file and the fix', async (t) => {
  const cases: Array<[title: string, changelog: string, fault: RegExp, versions?: Versions]> = [
    ['the version is not in the changelog', GOOD, /^CHANGELOG.md has 0.2.0 as the newest.*## \[0.3.0\]/, { version: '0.3.0' }],
    ['the version is an older one', GOOD, /^CHANGELOG.md has 0.2.0 as the newest/, { version: '0.1.0' }],
    ['there is no version', HEAD, /^CHANGELOG.md has no version/],
    ['entries are not moved', GOOD.replace(HEAD, `${HEAD}\n- New.\n`), /^CHANGELOG.md has entries under "Unreleased"/],
    ['the section is empty', GOOD.replace('- A thing.\n', ''), /^CHANGELOG.md has no entry for 0.2.0/],
    ['there is no date', GOOD.replace(' - 2026-11-27', ''), /^CHANGELOG.md needs the date of 0.2.0/],
    ['the date is in the future', GOOD.replace('2026-11-27', '2026-11-29'), /^CHANGELOG.md needs the date of 0.2.0/],
    ['the lock file is older', GOOD, /^package-lock.json has version 0.1.0/, { lockVersion: '0.1.0' }]
  ]
  for (const [title, changelog, fault, versions] of cases) {
    const [found = '', ...others] = faultsOf(changelog, versions)
    t.match(found, fault, title)
    t.strictSame(others, [], title)
  }
})

t.test('the check for provenance – outside CI, without a repository – names the missing parts', async (t) => {
  t.equal(lacksForProvenance({ manifest: {}, env: {} }).length, 2)
  const env = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://ci.example' }
  t.strictSame(lacksForProvenance({ manifest: { repository: 'github:owner/name' }, env }), [])
})

t.test('links of the published README – relative ones – lead to the files of the package', async (t) => {
  const text = '[a](docs/a.md#b) ![c](docs/c.png) [d](#d) [e](https://e.example/) [`f`](demo/f.md#g) [h](mailto:h@e.example)'
  const isShipped = (path: string) => path.startsWith('docs/')
  t.equal(withAbsoluteLinks(text, 'https://x.example/p@1/', isShipped), '[a](https://x.example/p@1/docs/a.md#b) ' +
    '![c](https://x.example/p@1/docs/c.png) [d](#d) [e](https://e.example/) `f` [h](mailto:h@e.example)')
})
