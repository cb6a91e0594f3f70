/** Fields of a node record; one that is left out fits every node. */
export interface Preference {
  zone?: string | undefined
  version?: string | undefined
  labels?: Readonly<Record<string, string>> | undefined
}
