// Live refresh: the same page again every few seconds, and what has changed of it put in place.
// Everything works without it.
"use strict";

(() => {
  const every = Number(document.body.dataset.refresh) * 1000;
  const note = document.getElementById("live");
  let timer = 0;
  let failures = 0;
  let lostAt = null;
  let asking = null;

  localise(document);
  offerAll();
  const forecast = document.getElementById("forecast");
  if (forecast) foresee(forecast);
  if (!every || !note) return;
  say("live", false);
  plan();
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) asking?.abort();
    else refresh();
  });

  function plan() {
    clearTimeout(timer);
    // A server in trouble isn't helped by asking it more often.
    if (!document.hidden) timer = setTimeout(refresh, every * Math.min(6, 1 + failures));
  }

  async function refresh() {
    asking?.abort();
    const mine = (asking = new AbortController());
    const patience = setTimeout(() => mine.abort("slow"), 20000);
    try {
      const answer = await fetch(location.href, { signal: mine.signal, cache: "no-store" });
      if (answer.redirected) {
        say("logged out: load the page again", true);
        return;
      }
      if (!answer.ok) throw new Error(answer.status);
      put(new DOMParser().parseFromString(await answer.text(), "text/html"));
      failures = 0;
      lostAt = null;
      say("live", false);
    } catch {
      if (mine !== asking || document.hidden) return;
      failures += 1;
      lostAt ??= new Date();
      say(`no answer since ${lostAt.toLocaleTimeString()}`, true);
    } finally {
      clearTimeout(patience);
    }
    plan();
  }

  function say(words, isLost) {
    note.classList.toggle("lost", isLost);
    // Said aloud only when it changes.
    if (note.textContent !== words) note.textContent = words;
  }

  function put(fresh) {
    localise(fresh);
    document.title = fresh.title;
    const icon = fresh.querySelector("link[rel=icon]");
    document.querySelector("link[rel=icon]").href = icon.href;
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.querySelector(`[data-live="${old.dataset.live}"]`);
      if (!now || sameAs(now, old) || isInUse(old)) continue;
      const focused = old.contains(document.activeElement) ? nameOf(old, document.activeElement) : null;
      const ticked = [...old.querySelectorAll("td.tick input:checked")].map((each) => each.value);
      const scrolled = [...old.querySelectorAll("[id]")].map((each) => [each.id, each.scrollTop]);
      old.replaceChildren(...now.childNodes);
      for (const [id, top] of scrolled) {
        const same = top && document.getElementById(id);
        if (same) same.scrollTop = top;
      }
      for (const each of old.querySelectorAll("td.tick input")) each.checked = ticked.includes(each.value);
      if (ticked.length || old.querySelector("th.tick")) offerAll();
      if (focused) find(old, focused)?.focus({ preventScroll: true });
    }
  }

  // The box for all is ours, and nothing that the server sends.
  function sameAs(now, old) {
    const copy = old.cloneNode(true);
    copy.querySelector("th.tick input")?.remove();
    return copy.innerHTML === now.innerHTML;
  }

  // Who types or selects text here isn't disturbed.
  function isInUse(part) {
    const selection = getSelection();
    const isSelecting = !selection.isCollapsed && selection.anchorNode && part.contains(selection.anchorNode);
    return isSelecting || (part.contains(document.activeElement) && document.activeElement.matches("input:not([type=checkbox]), textarea"));
  }

  function nameOf(part, element) {
    const name = element.id ? `#${CSS.escape(element.id)}` : `[href="${CSS.escape(element.getAttribute("href") ?? "")}"]`;
    return { name, index: [...part.querySelectorAll(name)].indexOf(element) };
  }

  function find(part, { name, index }) {
    const all = part.querySelectorAll(name);
    return all[index] ?? all[0];
  }

  // The server tells times by its own clock; here they are told by the reader's.
  function localise(root) {
    for (const each of root.querySelectorAll("time[datetime]")) {
      const moment = new Date(each.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      const exact = `${iso(moment)} ${zoneName(moment)}`;
      if ("keep" in each.dataset) {
        // By the clock of the schedule: that is what is being typed.
        const here = brief(moment);
        each.title = exact;
        if (!each.textContent.includes(here.slice(-9))) each.append(` (${here})`);
        continue;
      }
      const shown = { exact, brief: brief(moment), clock: exact.slice(11) }[each.dataset.as];
      const said = each.title || each.textContent;
      each.title = said.includes(exact) ? said : `${exact}\nby the server's clock: ${said}`;
      if (shown) each.textContent = shown;
    }
    const zone = root.getElementById("zone");
    if (zone) zone.textContent = `times by your clock, ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
  }

  // As the server writes them: 2026-11-26 02:05:00.
  function iso(moment) {
    const two = (number) => String(number).padStart(2, "0");
    const day = [moment.getFullYear(), two(moment.getMonth() + 1), two(moment.getDate())].join("-");
    return `${day} ${[moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(two).join(":")}`;
  }

  function zoneName(moment) {
    const parts = new Intl.DateTimeFormat("en", { timeZoneName: "short" }).formatToParts(moment);
    return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  }

  // 14:05 of today, Thu 02:05 of this week, else 26 Nov 02:05, or with its year.
  function brief(moment) {
    const midnight = (day) => new Date(day.getFullYear(), day.getMonth(), day.getDate());
    const days = Math.round(Math.abs(midnight(moment) - midnight(new Date())) / 86400000);
    const say = (options) => new Intl.DateTimeFormat("en-GB", options).format(moment);
    const day = !days ? "" : days < 6 ? say({ weekday: "short" }) : days < 300 ? say({ day: "numeric", month: "short" }) : iso(moment).slice(0, 10);
    return `${day} ${iso(moment).slice(11, 16)} ${zoneName(moment)}`.trim();
  }

  // What a schedule means, while somebody types it.
  function foresee(part) {
    const names = ["schedule", "tz", "every", "grace"];
    const fields = names.map((name) => document.getElementById(name));
    let asking = null;
    let waiting = 0;
    document.querySelector("button.preview")?.remove();
    for (const field of fields) {
      field.addEventListener("input", () => {
        clearTimeout(waiting);
        waiting = setTimeout(ask, 250);
      });
    }

    async function ask() {
      asking?.abort();
      asking = new AbortController();
      const query = new URLSearchParams(fields.map((field) => [field.name, field.value]));
      try {
        const answer = await fetch(`${part.dataset.from}?${query}`, { signal: asking.signal });
        if (!answer.ok || answer.redirected) return;
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        localise(fresh);
        part.replaceChildren(...fresh.body.childNodes);
      } catch {
        // Who types on asks again.
      }
    }
  }

  // One box for all of a list: without a script each is ticked by itself.
  function offerAll() {
    const place = document.querySelector("th.tick");
    if (!place || place.querySelector("input")) return;
    const all = document.createElement("input");
    all.type = "checkbox";
    all.setAttribute("aria-label", "Choose all on this page");
    all.addEventListener("change", () => {
      for (const each of document.querySelectorAll("td.tick input")) each.checked = all.checked;
    });
    place.append(all);
  }
})();
