// The dialog that asks for the reason before anything changes.
const element = (id) => document.getElementById(id)
const dialog = element('dialog')
const reason = element('reason')
/** The question that is open; an earlier one may still be at work. */
let current

/**
 * Asks, and does the work if the operator confirms. The dialog stays open while the work fails, and says why.
 *
 * @param mayOmitReason whether the reason may be left empty
 * @param isDrain whether to ask for the times of a drain
 * @param targets ids of nodes of which the operator may choose one
 * @param work called with `{ reason, deadline, returnWithin, to }`, times in milliseconds; returns the element to focus
 *   then
 */
export function askOperator ({ title, text, confirm, mayOmitReason = false, isDrain = false, targets }, work) {
  element('dialog-title').textContent = title
  element('dialog-text').textContent = text
  element('confirm').textContent = confirm
  element('reason-label').textContent = mayOmitReason ? 'Reason (optional, for the log)' : 'Reason'
  element('drain-fields').hidden = !isDrain
  element('target-field').hidden = targets === undefined
  element('target').replaceChildren(optionOf('', 'any other node'), ...(targets ?? []).map((id) => optionOf(id)))
  reason.required = !mayOmitReason
  reason.value = ''
  tell('')
  const submit = async () => {
    const given = { reason: reason.value.trim() }
    if (!mayOmitReason && given.reason === '') throw new Error('A reason is missing: it tells others why')
    if (isDrain) Object.assign(given, { deadline: readTime('deadline', 60_000), returnWithin: readTime('return-within', 1000) })
    if (targets !== undefined) given.to = element('target').value
    return await work(given)
  }
  current = { submit }
  dialog.showModal()
  reason.focus()
}

function optionOf (value, text = value) {
  const option = document.createElement('option')
  option.value = value
  option.textContent = text
  return option
}

function readTime (id, unitMs) {
  const field = element(id)
  if (field.value === '' || !field.checkValidity()) {
    throw new Error(`${field.labels[0].textContent}: a number from ${field.min} to ${field.max}`)
  }
  return Math.round(field.valueAsNumber * unitMs)
}

function tell (fault) {
  element('dialog-fault').textContent = fault
  reason.setAttribute('aria-invalid', String(fault !== ''))
}

const isOpen = (question) => question === current && dialog.open

element('cancel').addEventListener('click', () => dialog.close())
element('dialog-form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const question = current
  if (question.isBusy) return
  question.isBusy = true
  try {
    const next = await question.submit()
    if (!isOpen(question)) return
    dialog.close()
    next?.focus()
  } catch (error) {
    if (isOpen(question)) tell(error.message)
  } finally {
    question.isBusy = false
  }
})
