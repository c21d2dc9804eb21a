// What scripts add to the panel. Everything works without them; nothing here makes HTML of data.
(() => {
  "use strict";

  // picker: a field for the key of a related row becomes one that searches for it by name.
  const picker = () => ({
    init() {
      const box = this.$el, raw = box.querySelector("input"), many = box.dataset.many;
      const field = document.createElement("input"), list = document.createElement("ul");
      const id = "pick-" + Math.random().toString(36).slice(2);
      let options = [], at = -1, asked = 0, timer = 0;
      field.type = "text";
      field.autocomplete = "off";
      field.value = raw.dataset.chosen || raw.value;
      field.placeholder = box.dataset.label;
      for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id })) field.setAttribute(name, value);
      for (const name of ["aria-invalid", "aria-describedby", "aria-required"]) if (raw.hasAttribute(name)) field.setAttribute(name, raw.getAttribute(name));
      list.id = id;
      list.setAttribute("role", "listbox");
      list.setAttribute("aria-label", box.dataset.label);
      list.hidden = true;
      if (raw.id) { field.id = raw.id; raw.removeAttribute("id"); }
      const label = raw.getAttribute("aria-label") || (field.id ? "" : box.dataset.label);
      if (label) field.setAttribute("aria-label", label);
      raw.type = "hidden";
      raw.required = false;
      box.append(field, list);

      const close = () => { list.hidden = true; at = -1; field.setAttribute("aria-expanded", "false"); field.removeAttribute("aria-activedescendant"); };
      const mark = (n) => {
        at = n;
        [...list.children].forEach((li, i) => li.setAttribute("aria-selected", String(i === n)));
        if (list.children[n]) { field.setAttribute("aria-activedescendant", list.children[n].id); list.children[n].scrollIntoView({ block: "nearest" }); }
      };
      const choose = (n) => {
        const o = options[n];
        if (!o) return;
        if (many) { this.add(box, many, o); field.value = ""; } else { raw.value = o.key; field.value = o.label; raw.dataset.chosen = o.label; box.querySelector(".chosen")?.remove(); raw.dispatchEvent(new Event("change", { bubbles: true })); }
        close();
      };
      const show = (found) => {
        options = found;
        list.replaceChildren(...found.map((o, i) => {
          const li = document.createElement("li");
          li.id = id + "-" + i;
          li.setAttribute("role", "option");
          li.setAttribute("aria-selected", "false");
          li.textContent = o.label;
          li.addEventListener("mousedown", (e) => { e.preventDefault(); choose(i); });
          return li;
        }));
        if (!found.length) {
          const li = document.createElement("li");
          li.className = "none";
          li.setAttribute("role", "option");
          li.setAttribute("aria-disabled", "true");
          li.textContent = box.dataset.none;
          list.append(li);
        }
        list.hidden = false;
        field.setAttribute("aria-expanded", "true");
      };
      const ask = async () => {
        const mine = ++asked;
        const res = await fetch(box.dataset.pick + "?q=" + encodeURIComponent(field.value === raw.dataset.chosen ? "" : field.value), { headers: { Accept: "application/json" } });
        if (mine === asked && res.ok && document.activeElement === field) show(await res.json());
      };
      field.addEventListener("input", (e) => {
        e.stopPropagation();
        if (!many) raw.value = "";
        clearTimeout(timer);
        timer = setTimeout(ask, 150);
      });
      field.addEventListener("change", (e) => e.stopPropagation());
      field.addEventListener("focus", ask);
      field.addEventListener("blur", () => {
        close();
        if (many) { field.value = ""; return; }
        if (field.value.trim() && !raw.value) { field.value = raw.dataset.chosen || ""; raw.value = raw.defaultValue; }
        else if (!field.value.trim()) raw.dispatchEvent(new Event("change", { bubbles: true }));
      });
      field.addEventListener("keydown", (e) => {
        if (e.key === "ArrowDown") { e.preventDefault(); list.hidden ? ask() : mark(Math.min(at + 1, options.length - 1)); }
        else if (e.key === "ArrowUp") { e.preventDefault(); mark(Math.max(at - 1, 0)); }
        else if (e.key === "Enter" && !list.hidden && options.length) { e.preventDefault(); choose(Math.max(at, 0)); }
        else if (e.key === "Escape" && !list.hidden) { e.preventDefault(); close(); }
      });
    },
    add(box, name, o) {
      const ticks = box.parentElement.querySelector(".ticks");
      for (const old of ticks.querySelectorAll("input")) if (old.value === o.key) { old.checked = true; return; }
      const label = document.createElement("label"), tick = document.createElement("input");
      label.className = "inline-tick";
      tick.type = "checkbox";
      tick.name = name;
      tick.value = o.key;
      tick.checked = true;
      label.append(tick, " " + o.label);
      ticks.append(label);
    },
  });

  // bulk: choosing rows of a list.
  const bulk = () => ({
    init() {
      const form = this.$el, all = form.querySelector("[data-all]"), count = form.querySelector("[data-chosen-count]");
      if (!all) return;
      const boxes = () => [...form.querySelectorAll('input[name="key"]')];
      const tell = () => {
        const n = boxes().filter((b) => b.checked).length;
        all.checked = n > 0 && n === boxes().length;
        all.indeterminate = n > 0 && !all.checked;
        if (count) count.textContent = n ? count.dataset.text.replace("%d", n) : "";
      };
      all.hidden = false;
      all.addEventListener("change", () => { for (const b of boxes()) b.checked = all.checked; tell(); });
      form.addEventListener("change", tell);
      tell();
    },
  });

  // inline: empty rows come when they are asked for.
  const inline = () => ({
    init() {
      const box = this.$el, add = box.querySelector("[data-add]"), blank = box.querySelector("[data-blank]"), n = box.querySelector("[data-n]");
      if (!add) return;
      const rows = box.querySelector("[data-rows]");
      [...rows.querySelectorAll("tr.fresh")].reverse().forEach((tr) => { // rows in which nothing was entered
        const touched = [...tr.querySelectorAll("input, textarea")].some((i) => i.type === "checkbox" ? i.checked !== i.defaultChecked : i.type !== "hidden" && i.value);
        if (!touched && !tr.querySelector(".mistake")) tr.hidden = true;
      });
      add.hidden = false;
      add.addEventListener("click", () => {
        const hiddenRow = rows.querySelector("tr.fresh[hidden]");
        if (hiddenRow) { hiddenRow.hidden = false; hiddenRow.querySelector("input:not([type=hidden]), select, textarea")?.focus(); return; }
        const tr = blank.content.querySelector("tr").cloneNode(true), number = n.value, prefix = box.dataset.prefix;
        for (const el of tr.querySelectorAll("[name], [id], [for]")) {
          for (const a of ["name", "id", "for"]) {
            if (el.hasAttribute(a)) el.setAttribute(a, el.getAttribute(a).replace(prefix + "~.", prefix + number + ".").replace("-~-", "-" + number + "-"));
          }
        }
        n.value = Number(number) + 1;
        rows.append(tr);
        tr.querySelector("input:not([type=hidden]), select, textarea")?.focus();
      });
    },
  });

  document.addEventListener("alpine:init", () => {
    Alpine.data("picker", picker);
    Alpine.data("bulk", bulk);
    Alpine.data("inline", inline);
  });

  // A part of a list that is no part, such as the sign-in page once a session has ended, is asked for as a page.
  document.addEventListener("htmx:beforeSwap", (e) => {
    if (e.detail.xhr.getResponseHeader("X-Admin") !== "part") {
      e.preventDefault();
      location.reload();
    }
  });

  // Filters that say nothing stay out of addresses.
  document.addEventListener("htmx:configRequest", (e) => {
    for (const [name, value] of [...e.detail.formData.entries()]) if (value === "") e.detail.formData.delete(name);
  });

  document.addEventListener("keydown", (e) => {
    if ((e.ctrlKey || e.metaKey) && e.key === "s") {
      const save = document.querySelector("[data-save]");
      if (save) { e.preventDefault(); save.click(); }
      return;
    }
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select, [contenteditable]")) return;
    const rows = [...document.querySelectorAll("[data-row]")], now = rows.findIndex((a) => a.closest("tr").contains(document.activeElement));
    switch (e.key) {
      case "/": {
        const search = document.querySelector("[data-search]");
        if (search) { e.preventDefault(); search.focus(); search.select(); }
        break;
      }
      case "n": document.querySelector("[data-new]")?.click(); break;
      case "j": rows[Math.min(now + 1, rows.length - 1)]?.focus(); break;
      case "k": rows[Math.max(now - 1, 0)]?.focus(); break;
      case "x": rows[now]?.closest("tr").querySelector('input[name="key"]')?.click(); break;
      case "?": document.getElementById("keys")?.showModal(); break;
    }
  });
  document.addEventListener("click", (e) => {
    if (e.target.closest("[data-keys]")) document.getElementById("keys").showModal();
    for (const open of document.querySelectorAll("details.drop[open]")) if (!open.contains(e.target)) open.open = false;
  });

  // Entries that were not saved are not lost by a click.
  document.addEventListener("input", (e) => e.target.closest("[data-sheet]")?.setAttribute("data-dirty", ""));
  document.addEventListener("submit", (e) => e.target.removeAttribute("data-dirty"));
  addEventListener("beforeunload", (e) => { if (document.querySelector("[data-dirty]")) e.preventDefault(); });
})();
