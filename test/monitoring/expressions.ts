/** A metric that an expression reads, with the conditions on its labels. */
export interface Selector {
  metric: string
  labels: Array<{ name: string, values: string[] }>
}

export interface Expression {
  selectors: Selector[]
  /** Labels of `by`, `on` and the like. */
  grouping: string[]
}

const WORDS = new Set([
  'sum', 'min', 'max', 'by', 'on', 'group_left', 'and', 'or', 'unless', 'offset', 'absent', 'rate', 'increase',
  'max_over_time', 'histogram_quantile'
])
const NAME = /[a-zA-Z_:][\w:]*/g

/**
 * Reads the metrics and labels of a PromQL expression, as far as our own expressions go; promtool checks the grammar.
 * A word that is not in `WORDS` counts as a metric.
 */
export function readExpression (text: string): Expression {
  const grouping: string[] = []
  const plain = text.replace(/\b(by|on)\s*\(([^)]*)\)/g, (_, word: string, list: string) => {
    grouping.push(...list.match(NAME) ?? [])
    return word
  }).replace(/\[[^\]]*\]/g, '')
  const selectors = [...plain.matchAll(/(?<![\w.])([a-zA-Z_:][\w:]*)(?:\{([^}]*)\})?/g)]
    .filter(([, word = '']) => !WORDS.has(word))
    .map(([, metric = '', conditions = '']) => ({ metric, labels: readConditions(conditions) }))
  return { selectors, grouping }
}

function readConditions (text: string): Selector['labels'] {
  return [...text.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].map(([, name = '', operator = '', value = '']) =>
    ({ name, values: operator.endsWith('~') ? value.split('|') : [value] }))
}
