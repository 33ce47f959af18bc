// SPDX-License-Identifier: Apache-2.0
/** Asks the browser for a passkey and sends its answer with the form around the button. Without a script the button stays hidden. */
for (const button of document.querySelectorAll('[data-passkey]')) prepare(button)

function prepare(button) {
  const { origin } = button.dataset
  const note = button.form.querySelector('[data-passkey-note]')
  if (location.origin !== origin) {
    const link = document.createElement('a')
    link.href = origin + location.pathname + location.search
    link.textContent = origin
    note.replaceChildren('Passkeys work at ', link, '.')
  } else if (window.PublicKeyCredential === undefined) {
    note.textContent = 'This browser knows no passkeys.'
  } else {
    note.textContent = ''
    button.hidden = false
    button.addEventListener('click', () => answer(button, note))
    // Enter in a field means this button where there is no other.
    if (button.form.querySelector('[type=submit]') === null)
      button.form.addEventListener('submit', event => {
        event.preventDefault()
        answer(button, note)
      })
  }
}

async function answer(button, note) {
  const { form } = button
  const needed = [...form.elements].filter(each => each.required && each.closest('[data-instead]') === null)
  if (!needed.every(each => each.reportValidity())) return
  button.disabled = true
  note.textContent = 'Follow your device …'
  try {
    const options = JSON.parse(button.dataset.options)
    const made = button.dataset.passkey === 'create' ? await create(form, options) : await use(options)
    form.elements.passkey.value = JSON.stringify(made)
    if (button.name !== '') {
      const answered = document.createElement('input')
      answered.type = 'hidden'
      answered.name = button.name
      answered.value = button.value
      form.append(answered)
    }
    form.submit()
  } catch (error) {
    note.textContent = wordsFor(error)
    button.disabled = false
  }
}

async function create(form, options) {
  const { user } = options
  const name = user.name || form.elements.login.value
  const publicKey = {
    ...options,
    challenge: decode(options.challenge),
    user: { id: decode(user.id), name, displayName: name },
    excludeCredentials: options.excludeCredentials.map(each => ({ ...each, id: decode(each.id) })),
  }
  const { id, rawId, type, response } = await navigator.credentials.create({ publicKey })
  return {
    id,
    rawId: encode(rawId),
    type,
    response: {
      clientDataJSON: encode(response.clientDataJSON),
      attestationObject: encode(response.attestationObject),
      transports: response.getTransports?.() ?? [],
    },
  }
}

async function use(options) {
  const publicKey = {
    ...options,
    challenge: decode(options.challenge),
    allowCredentials: (options.allowCredentials ?? []).map(each => ({ ...each, id: decode(each.id) })),
  }
  const { id, rawId, type, response } = await navigator.credentials.get({ publicKey })
  return {
    id,
    rawId: encode(rawId),
    type,
    response: {
      clientDataJSON: encode(response.clientDataJSON),
      authenticatorData: encode(response.authenticatorData),
      signature: encode(response.signature),
      userHandle: response.userHandle === null ? null : encode(response.userHandle),
    },
  }
}

function wordsFor(error) {
  if (error.name === 'InvalidStateError') return 'This device has a passkey for your account already.'
  if (error.name === 'NotAllowedError')
    return 'Nothing was confirmed: it was cancelled, took too long, or there is no passkey here.'
  return `The browser refused: ${error.message}`
}

function encode(buffer) {
  const text = String.fromCharCode(...new Uint8Array(buffer))
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function decode(text) {
  const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(bytes, letter => letter.charCodeAt(0))
}
