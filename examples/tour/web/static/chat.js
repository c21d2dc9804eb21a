// The chat's page: one WebSocket, opened again whenever it ends.
(() => {
  const byId = id => document.getElementById(id)
  const said = byId("said"), text = byId("text"), state = byId("state")
  const address = new URL(byId("chat").dataset.socket, location.href)
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:"
  let socket, pause = 250

  const add = (by, words, at) => {
    const item = document.createElement("li")
    const who = document.createElement("b")
    who.textContent = by
    item.append(who, " ", words)
    if (at) {
      const time = document.createElement("time")
      time.dateTime = at
      time.textContent = new Date(at).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"})
      item.append(" ", time)
    }
    said.append(item)
    said.scrollTop = said.scrollHeight
  }

  const kinds = {
    you: line => { byId("name").textContent = line.by; state.textContent = "Connected." },
    said: line => add(line.by, line.text, line.at),
    here: line => { byId("here").textContent = line.here.join(", ") },
    missed: () => add("The shop", "Something may be missing here."),
  }

  const connect = () => {
    socket = new WebSocket(address)
    socket.onopen = () => { pause = 250; said.replaceChildren() } // what was said before comes again
    socket.onmessage = event => {
      const line = JSON.parse(event.data)
      kinds[line.kind]?.(line)
    }
    socket.onclose = event => {
      state.textContent = event.reason ? `Disconnected: ${event.reason}. Trying again…` : "Disconnected. Trying again…"
      setTimeout(connect, pause)
      pause = Math.min(2 * pause, 10000)
    }
  }
  connect()

  byId("say").addEventListener("submit", event => {
    event.preventDefault()
    if (!text.value.trim() || socket.readyState !== WebSocket.OPEN) return
    socket.send(JSON.stringify({text: text.value}))
    text.value = ""
  })
})()
