// The page of a job: its own address gives events to whoever asks for them.
(() => {
  const byId = id => document.getElementById(id)
  const final = ["completed", "failed", "cancelled"]
  if (final.includes(byId("job").dataset.status)) return
  const events = new EventSource(location.pathname) // connects again by itself
  events.addEventListener("progress", event => {
    const job = JSON.parse(event.data)
    byId("progress").max = job.total || 1
    byId("progress").value = job.done
    for (const name of ["status", "done", "total", "text"]) byId(name).textContent = job[name]
    byId("job").dataset.status = job.status
    if (final.includes(job.status)) events.close()
  })
})()
