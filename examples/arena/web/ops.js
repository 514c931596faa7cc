// The operator's page draws what /ops/events says, whole each time.

const $ = (id) => document.getElementById(id);

// make returns an element with a class and children, texts or elements.
function make(tag, name, ...children) {
	const e = document.createElement(tag);
	e.className = name;
	e.append(...children);
	return e;
}

const words = { free: "FREE", reserved: "RESERVED", active: "ACTIVE", waiting: "ACTIVE, away" };
const kind = (s) => !s.id ? "free" : s.status === "RESERVED" ? "reserved" : s.of_ms ? "waiting" : "active";
const micros = (v, n) => !n ? "–" : v < 1000 ? `${v} µs` : `${(v / 1000).toFixed(1)} ms`;

// ---- Seats: one tile each, which stays, so that a button is not drawn anew under a finger.

const tiles = new Map();
const rings = new Map(); // by seat: what runs out, and when

function tile(number) {
	if (tiles.has(number)) return tiles.get(number);
	const t = make("article", "seat");
	t.dataset.seat = number;
	tiles.set(number, t);
	$("seats").append(t);
	return t;
}

function draw(s) {
	const t = tile(s.seat), k = kind(s), key = `${k} ${s.id} ${s.generation} ${s.name}`;
	if (t.dataset.key !== key) {
		t.dataset.key = key;
		t.className = `seat ${k}`;
		t.replaceChildren(...inside(s, k));
	}
	const ring = t.querySelector(".clock");
	if (!ring) return rings.delete(s.seat);
	rings.set(s.seat, { ring, of: s.of_ms, end: performance.now() + (s.left_ms ?? 0) });
}

function inside(s, k) {
	const number = make("p", "number", `Seat ${s.seat + 1}`);
	if (k === "free") return [number, make("p", "who", "–"), make("p", "status", words.free)];
	const dot = make("i", "dot");
	dot.style.setProperty("--hue", `hsl(${s.hue} 85% 66%)`);
	const status = s.generation > 1 && k === "active" ? `${words[k]}, back ${s.generation - 1}×` : words[k];
	const button = make("button", "", "Kick");
	button.setAttribute("aria-label", `Kick ${s.name} from seat ${s.seat + 1}`);
	button.addEventListener("click", () => kick(button, s));
	const parts = [number, make("p", "who", dot, make("span", "", s.name)), make("p", "status", status)];
	if (k !== "active") parts.push(clock());
	return [...parts, make("p", "id", s.id), button];
}

function clock() {
	const c = make("div", "clock");
	c.innerHTML = `<svg class="ring" viewBox="0 0 100 100" aria-hidden="true"><circle cx="50" cy="50" r="44"/><circle cx="50" cy="50" r="44" pathLength="1"/></svg><strong></strong>`;
	return c;
}

setInterval(() => {
	for (const { ring, of, end } of rings.values()) {
		const left = Math.max(end - performance.now(), 0);
		ring.querySelector("strong").textContent = Math.ceil(left / 1000);
		ring.querySelector("circle:last-child").style.strokeDashoffset = -(1 - left / of);
	}
}, 100);

async function kick(button, { seat, id }) {
	button.disabled = true;
	const answer = await fetch("/ops/kick", {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ seat, id }),
	}).catch(() => null);
	button.disabled = false;
	if (!answer) tell("", "the server does not answer");
}

// ---- Figures and events.

function rows(list, figures) {
	$(list).replaceChildren(...figures.map(([name, n]) => make("li", "", name, make("span", "", n.toLocaleString("en")))));
}

const told = {
	reserved: "holds a seat", accepted: "came in", dropped: "lost the connection", returned: "came back",
	released: "left, or was sent away", deadline: "did not come in time", terminated: "the game session ended",
	replaced: "was replaced", window_over: "did not come back",
};

function row(e) {
	const at = new Date(e.at).toLocaleTimeString("en-GB");
	const tone = { RESERVED: "reserved", ACTIVE: e.cause === "dropped" ? "waiting" : "active", COMPLETED: "completed", TIMEDOUT: "timedout" }[e.status];
	const li = make("li", "", make("time", "", at), make("span", `badge ${tone}`, e.status),
		make("span", "what", make("b", "", e.name), make("span", "", ` ${told[e.cause] ?? e.cause}, seat ${e.seat + 1}`)), make("span", "id", e.id));
	li.dataset.n = e.n;
	return li;
}

function tell(state, text) {
	$("state").className = `state ${state}`;
	$("state").lastElementChild.textContent = text;
}

function take(v) {
	tell(v.health ? "ill" : "live", v.health || "live");
	v.seats.forEach(draw);
	for (const [name, n] of Object.entries(v.held)) $(name).textContent = n;
	$("p50").textContent = micros(v.joins.p50_us, v.joins.count);
	$("p99").textContent = micros(v.joins.p99_us, v.joins.count);
	$("joins").textContent = v.joins.count;
	const refused = Object.entries(v.refused).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
	rows("refused", refused);
	$("no-refused").hidden = refused.length > 0;
	const t = v.totals;
	rows("totals", [["Reserved", t.reserved], ["Accepted", t.accepted], ["Returned", t.returned], ["Completed", t.completed], ["Timed out", t.timed_out]]);
	$("no-events").hidden = v.events.length > 0;
	if ($("events").firstElementChild?.dataset.n !== String(v.events[0]?.n)) $("events").replaceChildren(...v.events.map(row));
}

const stream = new EventSource("/ops/events");
stream.onmessage = (e) => take(JSON.parse(e.data));
stream.onerror = () => tell("", "no connection, trying again");
