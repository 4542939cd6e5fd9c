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
      if (!now || now.innerHTML === old.innerHTML || isInUse(old)) continue;
      const focused = old.contains(document.activeElement) ? nameOf(old, document.activeElement) : null;
      const scrolled = [...old.querySelectorAll("[id]")].map((each) => [each.id, each.scrollTop]);
      old.replaceChildren(...now.childNodes);
      for (const [id, top] of scrolled) {
        const same = top && document.getElementById(id);
        if (same) same.scrollTop = top;
      }
      if (focused) find(old, focused)?.focus({ preventScroll: true });
    }
  }

  // Who types or selects text here isn't disturbed.
  function isInUse(part) {
    const selection = getSelection();
    const isSelecting = !selection.isCollapsed && selection.anchorNode && part.contains(selection.anchorNode);
    return isSelecting || (part.contains(document.activeElement) && document.activeElement.matches("input"));
  }

  function nameOf(part, element) {
    const name = element.id ? `#${CSS.escape(element.id)}` : `[href="${CSS.escape(element.getAttribute("href") ?? "")}"]`;
    return { name, index: [...part.querySelectorAll(name)].indexOf(element) };
  }

  function find(part, { name, index }) {
    const all = part.querySelectorAll(name);
    return all[index] ?? all[0];
  }

  // What the server says in its timezone is also said in the reader's.
  function localise(root) {
    for (const each of root.querySelectorAll("time[datetime][title]")) {
      const here = new Date(each.dateTime).toLocaleString(undefined, { timeZoneName: "short" });
      each.title += `\nhere: ${here}`;
    }
  }
})();
